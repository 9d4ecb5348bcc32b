"""Events as Kapacitor 1.5.9 posted them (recorded.json): the same points make the same, in steps of any size."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from alert_cases import Input, expression, in_pieces, run
from pipeline_processing.alerts.event import AlertEvent, Place
from pipeline_processing.alerts.properties import alert_from_properties
from pipeline_processing.operators.alert import Alert
from pipeline_processing.operators.options import Duration

RECORDED = json.loads((Path(__file__).parent / "recorded.json").read_text(encoding="utf-8"))


def alert_of(case: dict[str, Any]) -> Alert:
    calls = [(name, [argument(each) for each in given]) for name, given in case["properties"]]
    return alert_from_properties(calls, place=Place(task=f"case_{case['case']}", node="alert2"))


def argument(value: Any) -> Any:
    if isinstance(value, dict):
        return expression(value["lambda"]) if "lambda" in value else Duration(value["duration"])
    return value


def as_posted(event: AlertEvent, wanted: list[Any]) -> list[Any]:
    """In the order of the recorded lists; details only where they were recorded."""
    body = json.loads(event.json())
    series = body["data"]["series"][0]
    details = None if wanted[2] is None else body["details"]
    told = [body["time"], body["duration"], body["level"], body["previousLevel"], body["recoverable"]]
    return [body["id"], body["message"], details, *told, series.get("tags", {}), series["columns"], series["values"]]


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("case", RECORDED["cases"], ids=lambda case: case["case"])
def test_the_same_points_make_the_events_that_kapacitor_posted(case: dict[str, Any], size: int) -> None:
    points = Input(by=case["by"])
    data = points.frame(*RECORDED["points"][case["measurement"]])
    steps = in_pieces(points.windows(data, case["window_s"]) if case["window_s"] else data, size)
    found = run(alert_of(case), points.keys, *steps)
    wanted = case["requests"]
    assert len(found.events) == len(wanted)
    posted = [as_posted(event, each) for event, each in zip(found.events, wanted, strict=True)]
    assert (posted, found.errors) == (wanted, case["errors"])
