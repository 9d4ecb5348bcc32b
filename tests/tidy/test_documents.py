"""The documents say what is: reference pages equal the declarations, links and paths lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pipeline_cli import reference
from pipeline_cli.services import Service, services
from pipeline_display.demos import DEMOS
from pipeline_output.handlers import HANDLERS
from pipeline_processing.alerts import handler_calls
from pipeline_queue.setting_places import all_names_of

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def test_the_topics_page_is_what_is_declared() -> None:
    assert (ROOT / "docs/topics.md").read_text() == reference.topics_page()


def test_the_settings_page_is_what_is_declared() -> None:
    assert (ROOT / "docs/settings.md").read_text() == reference.settings_page()


def test_the_page_of_operators_is_what_is_declared() -> None:
    assert (ROOT / "docs/operators.md").read_text() == reference.operators_page()


def test_a_file_may_hold_the_names_that_are_declared() -> None:
    assert (ROOT / reference.SETTING_NAMES).read_text() == reference.setting_names_module()


@pytest.mark.parametrize("service", services().values(), ids=lambda service: service.name)
def test_every_setting_says_what_it_is(service: Service) -> None:
    assert [name for name, field in service.settings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize("service", services().values(), ids=lambda service: service.name)
def test_every_name_of_a_setting_is_in_capitals_and_of_one_setting(service: Service) -> None:
    names = [name for field in service.settings.model_fields.values() for name in all_names_of(field)]
    assert [name for name in names if not re.fullmatch("[A-Z][A-Z0-9_]+", name) or names.count(name) > 1] == []


def test_the_page_of_alerts_has_every_handler() -> None:
    page = (ROOT / "docs/alerts.md").read_text()
    assert [name for name in HANDLERS if f"| `.{name}(" not in page] == []


def test_the_page_about_pages_lists_every_alias_in_the_order_of_the_demos() -> None:
    told = re.findall(r"`(/(?:live|spark|spark-streaming)/[\w/-]+)`", (ROOT / "docs/pages.md").read_text())
    assert told == [demo.alias for demo in DEMOS.values()]


def test_scripts_may_name_every_handler_that_is_told() -> None:
    assert HANDLERS.keys() - handler_calls.HANDLERS.keys() == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", page.read_text())
    assert [target for target in targets if "://" not in target and not (page.parent / target).exists()] == []
