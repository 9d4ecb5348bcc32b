"""`pipeline config`, and that commands and services take the same settings."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from pipeline_cli.main import app
from pipeline_cli.supervisor import SERVICES, overlaid
from pipeline_cli.where import ledger_folder, open_queue
from pipeline_queue.brokers import open_broker
from pipeline_queue.settings import BadSetting
from pipeline_queue.topics import TOPICS
from typer.testing import CliRunner

runner = CliRunner()


def rows(*words: str) -> list[dict[str, object]]:
    outcome = runner.invoke(app, ["config", "--json", *words], catch_exceptions=False)
    return [json.loads(line) for line in outcome.stdout.splitlines()]


@pytest.fixture
def named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that $DATAPIPE_CNF names."""
    monkeypatch.setenv("DATAPIPE_CNF", str(tmp_path / "datapipe.json"))
    return tmp_path / "datapipe.json"


def test_a_service_is_shown_with_where_each_value_is_from(named: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named.write_text(json.dumps({"display_history_s": 60, "QUEUE_URL": "memory://q"}))
    monkeypatch.setenv("DISPLAY_PORT", "81")
    found = {row["name"]: (row["service"], row["value"], row["origin"]) for row in rows("display")}
    names = ("QUEUE_URL", "DISPLAY_HISTORY_S", "DISPLAY_PORT", "DISPLAY_HOST")
    assert [found[name] for name in names] == [
        ("display", "memory://q", f"file {named}"),
        ("display", 60.0, f"file {named}"),
        ("display", 81, "environment DISPLAY_PORT"),
        ("display", "127.0.0.1", "default"),
    ]


def test_all_services_are_shown_when_none_is_named() -> None:
    assert {row["service"] for row in rows()} == {*SERVICES, "tasks", "alerts", "commands"}


def test_a_stage_that_an_image_does_not_hold_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("pipeline_input", "pipeline_processing"):
        monkeypatch.setitem(sys.modules, package, None)
    assert {row["service"] for row in rows()} == {"loader", "alerts", "display", "commands"}


def test_the_table_shows_a_long_value_whole_and_no_control_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{'folder/' * 20}[/red]\x1b"
    monkeypatch.setenv("QUEUE_URL", url)
    shown = runner.invoke(app, ["config", "display"], catch_exceptions=False).stdout
    _, head, *lines = shown.splitlines()
    column = "".join(line[head.index("value") : head.index("from")].strip() for line in lines)
    assert ("[/red]\\x1b" in column, "\x1b" in shown, column.count("folder/")) == (True, False, 20)


def test_a_wrong_setting_of_any_service_ends_it_with_the_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY_PORT", "99999")
    outcome = runner.invoke(app, ["config"])
    assert (outcome.exit_code, type(outcome.exception), str(outcome.exception), outcome.stdout) == (
        1,
        BadSetting,
        "DISPLAY_PORT is '99999': input should be less than or equal to 65535",
        "",
    )


def test_an_unknown_service_is_answered_with_the_nearest() -> None:
    outcome = runner.invoke(app, ["config", "dispaly"])
    assert (outcome.exit_code, str(outcome.exception)) == (
        1,
        "no service is called `dispaly`; did you mean `display`?",
    )


def test_commands_look_where_a_file_says(named: Path, tmp_path: Path) -> None:
    url = f"sqlite://{tmp_path}/log"
    open_broker(url).create(TOPICS.values())
    (tmp_path / "books").mkdir()
    named.write_text(json.dumps({"queue_url": url, "ledger_dir": str(tmp_path / "books")}))
    assert (set(open_queue().topics()), ledger_folder()) == (set(TOPICS), tmp_path / "books")


def test_tables_are_made_in_the_stores_that_a_file_names(named: Path, tmp_path: Path) -> None:
    named.write_text(json.dumps({"STORES": f"sqlite://{tmp_path}/store.db"}))
    runner.invoke(app, ["tables", "create"], catch_exceptions=False)
    assert (tmp_path / "store.db").exists()


def test_the_demo_sets_its_own_in_place_of_another_case() -> None:
    environment = {"display_port": "1", "Stores": "x", "PATH": "p"}
    assert overlaid(environment, {"DISPLAY_PORT": "2", "STORES": "y"}) == {
        "DISPLAY_PORT": "2",
        "STORES": "y",
        "PATH": "p",
    }
