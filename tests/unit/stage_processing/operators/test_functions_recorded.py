"""Windows and functions over them against what Kapacitor 1.5.9 sent, and against influxdb's own reducers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pipeline_processing.operators.functions import FUNCTIONS
from pipeline_processing.operators.go_sort import go_sorted
from pipeline_processing.operators.operator import Operator, Tick
from pipeline_processing.operators.options import Duration, options_of
from pipeline_processing.operators.window import Window
from pipeline_processing.points.keys import Keys
from window_frames import SECOND_NS, B, P, frame_of, plain, run_batches

TESTS = Path(__file__).parents[3]
RECORDED = json.loads((TESTS / "kapacitor" / "functions.json").read_text())
SORTED = json.loads((TESTS / "influxdb" / "go_sorted.json").read_text())
REDUCERS = json.loads((TESTS / "influxdb" / "reducers.json").read_text())


def operator(name: str, arguments: list[Any], properties: dict[str, list[Any]]) -> Operator:
    kind = {"window": Window, **FUNCTIONS}[name]
    options = options_of(kind)
    given = properties if name == "window" else {"": arguments, **properties}
    return kind(
        **{
            options[each][0]: options[each][1].reader([read(value) for value in values])
            for each, values in given.items()
        }
    )


def read(value: Any) -> Any:
    return Duration(value.removesuffix("ns")) if isinstance(value, str) and value.endswith("ns") else value


def shown(one: Any) -> list[Any]:
    """A point or a batch as Kapacitor sends it: the columns are those of the first point."""
    if isinstance(one, B):
        tags, points = dict(one.tags), one.points
    else:
        time_ns, _, tags, fields = one
        points = [(time_ns, fields, {})]
    rows = [
        (time_ns // SECOND_NS, {**{k: v for k, v in own.items() if k not in tags}, **fields})
        for time_ns, fields, own in points
    ]
    columns = sorted(rows[0][1]) if rows else []
    return [tags, ["time", *columns], [[time, *(values.get(column) for column in columns)] for time, values in rows]]


@pytest.mark.parametrize("step", [1, 7, 10_000])
@pytest.mark.parametrize("case", RECORDED["cases"], ids=lambda case: case["name"])
def test_results_are_those_that_kapacitor_sent_however_many_points_a_step_has(case: dict[str, Any], step: int) -> None:
    points = [
        P(time_ns=time * SECOND_NS, fields=fields, tags=tags, by=case["by"], name=case["measurement"])
        for time, tags, fields in RECORDED["points"][case["points"]]
    ]
    keys, operators = Keys(), [operator(*each) for each in case["operators"]]
    states = [each.initial() for each in operators]
    found, errors = [], 0
    for first in range(0, len(points), step):
        data = frame_of(points[first : first + step], keys, first)
        for at, each in enumerate(operators):
            done = each.step(states[at], [data], Tick(now_ns=0), keys)
            states[at], data = done.state, done.out
            errors += sum(done.errors.values())
        found.extend(shown(one) for one in plain(data, keys))
    assert (found, errors) == (case["out"], case["errors"])


@pytest.mark.parametrize("case", SORTED["cases"], ids=lambda case: str(len(case["keys"])))
def test_equal_keys_are_left_in_the_order_in_which_go_leaves_them(case: dict[str, list[int]]) -> None:
    assert go_sorted(np.array(case["keys"]), 0, len(case["keys"])).tolist() == case["order"]


def reducer_points(case: dict[str, Any], kind: str) -> list[P]:
    return [P(time_ns=time, fields={"v": value}) for time, value in zip(case["times"], case[f"{kind}s"], strict=True)]


@pytest.mark.parametrize("name", ["sum", "mean", "median", "spread", "stddev"])
@pytest.mark.parametrize("kind", ["float", "int"])
def test_an_aggregate_is_influxdbs_to_the_last_bit(kind: str, name: str) -> None:
    batches = [(0, reducer_points(case, kind)) for case in REDUCERS["reducers"]]
    found, _ = run_batches(FUNCTIONS[name](of="v"), batches)
    assert [fields[name] for _, _, _, fields in found] == [case[kind][name] for case in REDUCERS["reducers"]]


@pytest.mark.parametrize("name", ["first", "last", "min", "max"])
def test_a_selector_chooses_as_influxdbs_does_where_times_and_values_repeat(name: str) -> None:
    batches = [(0, reducer_points(case, "float")) for case in REDUCERS["reducers"]]
    found, _ = run_batches(FUNCTIONS[name](of="v", point_times=True), batches)
    expected = [tuple(case["chosen"][name]) for case in REDUCERS["reducers"]]
    assert [(time, fields[name]) for time, _, _, fields in found] == expected


def test_distinct_values_come_in_influxdbs_order() -> None:
    batches = [(0, reducer_points(case, "float")) for case in REDUCERS["reducers"]]
    found, _ = run_batches(FUNCTIONS["distinct"](of="v", point_times=True), batches)
    expected = [case["distinct"] for case in REDUCERS["reducers"]]
    assert [[[time, fields["distinct"]] for time, fields, _ in batch.points] for batch in found] == expected


@pytest.mark.parametrize("case", REDUCERS["holt_winters"], ids=lambda case: f"{len(case['times'])}-{case['season']}")
def test_a_forecast_is_influxdbs(case: dict[str, Any]) -> None:
    kind = FUNCTIONS["holtWintersWithFit" if case["with_fit"] else "holtWinters"]
    points = [P(time_ns=time, fields={"v": value}) for time, value in zip(case["times"], case["values"], strict=True)]
    function = kind(of=("v", case["horizon"], case["season"], case["interval_ns"]))
    ((batch,), _) = run_batches(function, [(0, points)])
    times, values = zip(*case["forecast"], strict=True)
    assert [time for time, _, _ in batch.points] == list(times)
    assert [fields["holtWinters"] for _, fields, _ in batch.points] == pytest.approx(values, rel=1e-9)
