"""`pipeline task alerts` against a task API that knows of deliveries."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pipeline_cli.main import app
from pipeline_output.handlers.outcomes import Outcomes
from pipeline_output.handlers.pending import NewDelivery, NewEvent, Pending
from task_api_at_hand import served
from tasks_at_hand import task_server
from typer.testing import CliRunner

REFUSED = NewDelivery(
    key="e", kind="slack", target="", alert_id="cpu:nil", call=b"{}", is_global=False, refusal="is not configured"
)


@pytest.fixture
def kept(tmp_path: Path) -> Outcomes:
    """Three events, each of which Slack was to be told of; the last came twice."""
    pending = Pending(tmp_path / "alerts")
    for at, event_id in enumerate(("a", "b", "c", "c")):
        pending.take([NewEvent(event_id=event_id, line=b"", deliveries=[REFUSED])], {0: at}, at * 1_000_000_000)
    pending.close()
    return Outcomes(tmp_path / "alerts")


def test_counts_are_printed_by_handler_and_what_was_given_up_with_its_reason(kept: Outcomes, tmp_path: Path) -> None:
    with task_server(tmp_path, outcomes=kept) as server, served(server) as url:
        printed = CliRunner().invoke(app, ["task", "alerts", "--url", url], env={"COLUMNS": "200"}).output
        told = json.loads(CliRunner().invoke(app, ["task", "alerts", "--url", url, "--json"]).output)
    assert [each.split() for each in printed.splitlines()][:4] == [
        ["handler", "delivered", "retried", "refused", "repeated", "pending"],
        ["slack", "0", "0", "3", "1", "0"],
        ["given", "up", "handler", "alert", "attempts", "reason"],
        ["1970-01-01T00:00:02Z", "slack", "cpu:nil", "0", "is", "not", "configured"],
    ]
    assert told["handlers"] == {"slack": {"delivered": 0, "retried": 0, "refused": 3, "repeated": 1, "pending": 0}}
    assert [each["event"] for each in told["given-up"]] == ["c", "b", "a"]


def test_so_many_as_are_asked_for_are_told(kept: Outcomes, tmp_path: Path) -> None:
    with task_server(tmp_path, outcomes=kept) as server:
        assert [each["event"] for each in server.ask("GET", "/deliveries?limit=1").told["given-up"]] == ["c"]
        assert server.ask("GET", "/deliveries?limit=x").status == 400
