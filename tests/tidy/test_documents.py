"""The documents say what is: reference pages equal the declarations, links and paths lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pipeline_cli import reference
from pipeline_input.sources import SOURCES
from pipeline_processing.settings import ProcessingSettings

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def test_the_topics_page_is_what_is_declared() -> None:
    assert (ROOT / "docs/topics.md").read_text() == reference.topics_page()


def test_the_settings_page_is_what_is_declared() -> None:
    assert (ROOT / "docs/settings.md").read_text() == reference.settings_page()


@pytest.mark.parametrize("settings", [*(source.settings for source in SOURCES.values()), ProcessingSettings])
def test_every_setting_says_what_it_is(settings: type) -> None:
    assert [name for name, field in settings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", page.read_text())
    assert [target for target in targets if "://" not in target and not (page.parent / target).exists()] == []
