"""Points and batches as plain dictionaries, for tests of operators that put points of several parents together.

A point is {"time": seconds, "name": ..., "tags": {...}, "by": [...], fields...}; a batch is {"tmax": seconds, "name": ...,
"group": {...}, "points": [...]}. A field of another name than those is a value.
"""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pipeline_processing.expressions import Evaluated
from pipeline_processing.operators.operator import Data, Operator, Step, Tick
from pipeline_processing.points.batches import Batches, no_batches
from pipeline_processing.points.frame import DTYPES, Column, Frame, Key, Type, empty_frame, value_at
from pipeline_processing.points.keys import Group, Ids, Keys, Series, sorted_tags

SECOND_NS = 10**9
TYPES: Mapping[type, Type] = {float: "float", int: "int", bool: "bool", str: "string"}
Plain = dict[str, Any]
OWN = {"time", "name", "tags", "by", "apart", "cause"}


def frame(points: Sequence[Plain], keys: Keys) -> Frame:
    """In this order; a point without a `cause` is caused by its position."""
    if not points:
        return empty_frame()
    return Frame(
        time_ns=np.array([round(each["time"] * SECOND_NS) for each in points], dtype=np.int64),
        series=np.array([_series(each, keys) for each in points], dtype=np.int32),
        group=np.array([_group(each, keys) for each in points], dtype=np.int32),
        cause=np.array([each.get("cause", at) for at, each in enumerate(points)], dtype=np.int64),
        fields=_columns([{k: v for k, v in each.items() if k not in OWN} for each in points]),
    )


def batches(given: Sequence[Plain], keys: Keys) -> Batches:
    if not given:
        return no_batches()
    rows = [
        {"name": each["name"], "by": list(each.get("group", {})), "tags": each.get("group", {}), **point}
        for each in given
        for point in each["points"]
    ]
    tags = [sorted_tags(each.get("group", {}).items()) for each in given]
    apart = [each["name"] if each.get("apart") else None for each in given]
    return Batches(
        tmax_ns=np.array([round(each["tmax"] * SECOND_NS) for each in given], dtype=np.int64),
        series=np.array(
            [keys.series_id(Series("db", "rp", each["name"], of)) for each, of in zip(given, tags, strict=True)],
            dtype=np.int32,
        ),
        group=np.array([keys.group_id(Group(*each)) for each in zip(tags, apart, strict=True)], dtype=np.int32),
        cause=np.array([each.get("cause", at) for at, each in enumerate(given)], dtype=np.int64),
        start=np.cumsum([0, *(len(each["points"]) for each in given)]),
        rows=frame(rows, keys),
    )


def _series(point: Plain, keys: Keys) -> int:
    return keys.series_id(Series("db", "rp", point.get("name", "m"), sorted_tags(point.get("tags", {}).items())))


def _group(point: Plain, keys: Keys) -> int:
    tags = point.get("tags", {})
    name = point.get("name", "m") if point.get("apart") else None
    return keys.group_id(Group(tuple((each, tags.get(each, "")) for each in sorted(point.get("by", ()))), name))


def _columns(rows: Sequence[Plain]) -> dict[Key, Column]:
    columns: dict[Key, tuple[np.ndarray, np.ndarray]] = {}
    for at, fields in enumerate(rows):
        for name, value in fields.items():
            type_ = TYPES[type(value)]
            empty = np.zeros(len(rows), dtype=DTYPES[type_]), np.zeros(len(rows), dtype=bool)
            values, present = columns.setdefault((name, type_), empty)
            values[at], present[at] = value, True
    return {key: Column(values, None if present.all() else present) for key, (values, present) in columns.items()}


def plain(data: Data, keys: Keys) -> list[Plain]:
    """A frame's points as {"time", "name", "tags", "group", "fields"}; batches have "tmax" and "points" instead."""
    if not isinstance(data, Batches):
        return [_plain_point(data, at, keys) for at in range(len(data))]
    rows = [_plain_point(data.rows, at, keys) for at in range(len(data.rows))]
    return [
        {
            "tmax": float(data.tmax_ns[at] / SECOND_NS),
            **_named(data, at, keys),
            "points": [{k: each[k] for k in ("time", "tags", "fields")} for each in rows[start:stop]],
        }
        for at, (start, stop) in enumerate(itertools.pairwise(data.start))
    ]


def _plain_point(rows: Frame, at: int, keys: Keys) -> Plain:
    return {"time": float(rows.time_ns[at] / SECOND_NS), **_named(rows, at, keys), "fields": value_at(rows, at)}


def _named(data: Data, at: int, keys: Keys) -> Plain:
    series = keys.series[data.series[at]]
    return {"name": series.name, "tags": dict(series.tags), "group": keys.groups[data.group[at]].id}


def run(
    operator: Operator,
    parents: Sequence[Sequence[Plain]],
    *,
    borders: Iterable[int] = (),
    closing: bool = False,
    restore: bool = False,
) -> tuple[list[Plain], dict[str, int]]:
    """What comes out, and the errors, of steps that begin at these causes; the state is pickled between if `restore`."""
    keys, state = Keys(), operator.initial()
    make = batches if any("tmax" in each for points in parents for each in points) else frame
    out: list[Plain] = []
    errors: dict[str, int] = {}
    edges = [-1, *sorted(borders), 10**9]
    for first, stop in itertools.pairwise(edges):
        inputs = [make([p for p in each if first <= p["cause"] < stop], keys) for each in parents]
        step = operator.step(state, inputs, Tick(now_ns=0, closing=closing and stop == 10**9), keys)
        _count(errors, step)
        out.extend(_with_cause(step.out, keys))
        state = step.state
        if restore:
            state, keys = pickle.loads(pickle.dumps((state, keys), protocol=5))
    return out, errors


def _count(errors: dict[str, int], step: Step) -> None:
    for reason, count in step.errors.items():
        errors[reason] = errors.get(reason, 0) + count


def _with_cause(data: Data, keys: Keys) -> list[Plain]:
    return [{**each, "cause": int(cause)} for each, cause in zip(plain(data, keys), data.cause, strict=True)]


def numbered(*parents: Sequence[Plain]) -> list[list[Plain]]:
    """The parents' points as if they came parent by parent."""
    count = itertools.count()
    return [[{**each, "cause": next(count)} for each in points] for points in parents]


def by_time(*parents: Sequence[Plain]) -> list[list[Plain]]:
    """The parents' points as if they came in the order of their times, ties in the order of the parents."""
    key = "tmax" if any("tmax" in each for points in parents for each in points) else "time"
    order = sorted((each[key], at, n) for at, points in enumerate(parents) for n, each in enumerate(points))
    causes = {(at, n): cause for cause, (_, at, n) in enumerate(order)}
    return [[{**each, "cause": causes[at, n]} for n, each in enumerate(points)] for at, points in enumerate(parents)]


@dataclass(frozen=True, slots=True)
class Test:
    """A lambda made of a Python function of a point's fields and tags."""

    __test__ = False
    holds: Callable[[Plain, dict[str, str]], bool]

    def initial(self) -> dict[int, int]:
        return {}

    def forget(self, state: Any, groups: Ids) -> None:
        """It remembers nothing."""

    def evaluate(self, frame: Frame, state: Any, tick_ns: int, keys: Keys) -> Evaluated:
        found = [self.holds(value_at(frame, at), dict(keys.series[frame.series[at]].tags)) for at in range(len(frame))]
        return Evaluated(columns={"bool": Column(np.array(found, dtype=bool))})
