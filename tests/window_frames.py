"""Points and batches as plain Python, for tests of windows and of functions over them."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pipeline_processing.operators.operator import Data, Operator, Step, Tick
from pipeline_processing.points.batches import Batches
from pipeline_processing.points.frame import DTYPES, Column, Frame, Key, Type, value_at
from pipeline_processing.points.keys import Group, Keys, Series, sorted_tags

SECOND_NS = 10**9
TYPES: Mapping[type, Type] = {float: "float", int: "int", bool: "bool", str: "string"}


@dataclass(frozen=True, slots=True, kw_only=True)
class P:
    """One point; `by` are the tags that it is grouped by."""

    time_ns: int
    fields: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    by: Sequence[str] = ()
    name: str = "m"


@dataclass(frozen=True, slots=True, kw_only=True)
class B:
    """One batch, its points as (seconds or ns, fields, tags)."""

    tmax_ns: int
    name: str
    tags: Mapping[str, str]
    points: Sequence[tuple[int, Mapping[str, Any], Mapping[str, str]]]


def frame_of(points: Sequence[P], keys: Keys, first_cause: int = 0) -> Frame:
    series = [keys.series_id(Series("db", "rp", p.name, sorted_tags(p.tags.items()))) for p in points]
    groups = [keys.group_id(Group(tuple((name, p.tags.get(name, "")) for name in sorted(p.by)))) for p in points]
    return Frame(
        time_ns=np.array([p.time_ns for p in points], dtype=np.int64),
        series=np.array(series, dtype=np.int32),
        group=np.array(groups, dtype=np.int32),
        cause=np.arange(first_cause, first_cause + len(points)),
        fields=_columns([p.fields for p in points]),
    )


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[Key, Column]:
    columns: dict[Key, tuple[np.ndarray, np.ndarray]] = {}
    for at, fields in enumerate(rows):
        for name, value in fields.items():
            type_ = TYPES[type(value)]
            empty = np.zeros(len(rows), dtype=DTYPES[type_]), np.zeros(len(rows), dtype=bool)
            values, present = columns.setdefault((name, type_), empty)
            values[at], present[at] = value, True
    return {key: Column(values, None if present.all() else present) for key, (values, present) in columns.items()}


def batches_of(batches: Sequence[tuple[int, Sequence[P]]], keys: Keys) -> Batches:
    """Batches of the first group, each given by its time and its points; those of one group have its tags."""
    rows = frame_of([p for _, points in batches for p in points], keys)
    some = next((points[0] for _, points in batches if points), P(time_ns=0))
    tags = tuple((name, some.tags.get(name, "")) for name in sorted(some.by))
    series, group = keys.series_id(Series("db", "rp", some.name, tags)), keys.group_id(Group(tags))
    return Batches(
        tmax_ns=np.array([time_ns for time_ns, _ in batches], dtype=np.int64),
        series=np.full(len(batches), series, dtype=np.int32),
        group=np.full(len(batches), group, dtype=np.int32),
        cause=np.arange(len(batches)),
        start=np.cumsum([0, *(len(points) for _, points in batches)]),
        rows=rows,
    )


def plain(data: Data, keys: Keys) -> list[Any]:
    """A frame's points as (time, name, tags, fields), or batches as `B`."""
    rows = data.rows if isinstance(data, Batches) else data
    points = [
        (
            int(rows.time_ns[i]),
            keys.series[rows.series[i]].name,
            dict(keys.series[rows.series[i]].tags),
            value_at(rows, i),
        )
        for i in range(len(rows))
    ]
    if not isinstance(data, Batches):
        return points
    return [
        B(
            tmax_ns=int(tmax_ns),
            name=keys.series[series].name,
            tags=dict(keys.series[series].tags),
            points=[(time_ns, fields, tags) for time_ns, _, tags, fields in points[start:stop]],
        )
        for tmax_ns, series, (start, stop) in zip(
            data.tmax_ns, data.series, itertools.pairwise(data.start), strict=True
        )
    ]


def steps(
    operator: Operator, points: Sequence[P], keys: Keys, *, borders: Iterable[int] = (), closing: bool = False
) -> Iterator[Step]:
    """One step a piece between the borders; the state is pickled at each."""
    state = operator.initial()
    cuts = [0, *borders, len(points)]
    for first, stop in itertools.pairwise(cuts):
        tick = Tick(now_ns=0, closing=closing and stop == len(points))
        step = operator.step(state, [frame_of(points[first:stop], keys, first)], tick, keys)
        state = pickle.loads(pickle.dumps(step.state))
        yield step


def run(operator: Operator, points: Sequence[P], *, borders: Iterable[int] = (), closing: bool = False) -> list[Any]:
    keys = Keys()
    return [
        each
        for step in steps(operator, points, keys, borders=borders, closing=closing)
        for each in plain(step.out, keys)
    ]


def run_batches(operator: Operator, batches: Sequence[tuple[int, Sequence[P]]]) -> tuple[list[Any], int]:
    """What comes out of batches, and how many points were errors."""
    keys = Keys()
    step = operator.step(operator.initial(), [batches_of(batches, keys)], Tick(now_ns=0), keys)
    return plain(step.out, keys), sum(step.errors.values())
