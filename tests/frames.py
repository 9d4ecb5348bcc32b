"""Points and batches as plain dictionaries, into frames and back, for tests of operators.

A point is {"time": ns, "name": "m", "tags": {...}, "fields": {...}, "group": [names of tags], "apart": whether measurements
are}; only the time is needed. A batch is {"tmax": ns, "name": "m", "tags": {of its group}, "points": [...]}.
A field's type is that of its value: float, int, bool, str, Duration; None is a null.
"""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from pipeline_processing.operators.operator import Data, Operator, Step, Tick
from pipeline_processing.operators.options import Duration
from pipeline_processing.points.batches import Batches, joined, no_batches
from pipeline_processing.points.frame import DTYPES, Column, Frame, Key, Type, concatenated, empty_frame, value_at
from pipeline_processing.points.keys import Group, Keys, Series, sorted_tags

Plain = dict[str, Any]
TYPES: Mapping[type, Type] = {
    float: "float",
    int: "int",
    bool: "bool",
    str: "string",
    Duration: "duration",
    type(None): "null",
}


def frame(keys: Keys, given: Sequence[Plain], first_cause: int = 0) -> Frame:
    """The points in this order; each is caused by its position, counted from `first_cause`."""
    if not given:
        return empty_frame()
    return Frame(
        time_ns=np.array([each["time"] for each in given], dtype=np.int64),
        series=np.array([_series(keys, each) for each in given], dtype=np.int32),
        group=np.array([_group(keys, each) for each in given], dtype=np.int32),
        cause=np.arange(first_cause, first_cause + len(given)),
        fields=_columns([each.get("fields", {}) for each in given]),
    )


def batches(keys: Keys, given: Sequence[Plain], first_cause: int = 0) -> Batches:
    """The batches in this order; their points are of their groups, and have their tags beside their own."""
    if not given:
        return no_batches()
    tags = [each.get("tags", {}) for each in given]
    rows = [
        {"name": each.get("name", "m"), **point, "tags": {**own, **point.get("tags", {})}, "group": list(own)}
        for each, own in zip(given, tags, strict=True)
        for point in each["points"]
    ]
    sizes = [len(each["points"]) for each in given]
    heads = frame(
        keys, [{**each, "time": each["tmax"], "group": list(own)} for each, own in zip(given, tags, strict=True)]
    )
    cause = np.arange(first_cause, first_cause + len(given))
    return Batches(
        tmax_ns=heads.time_ns,
        series=heads.series,
        group=heads.group,
        cause=cause,
        start=np.cumsum([0, *sizes]),
        rows=replace(frame(keys, rows), cause=np.repeat(cause, sizes)),
    )


def points(data: Data, keys: Keys) -> list[Plain]:
    """Read back: of a frame points with the group's id, of batches those with "points"."""
    if isinstance(data, Batches):
        rows = points(data.rows, keys)
        return [
            {"tmax": int(data.tmax_ns[at]), **_named(data, at, keys), "points": rows[first:stop]}
            for at, (first, stop) in enumerate(itertools.pairwise(data.start.tolist()))
        ]
    return [
        {"time": int(data.time_ns[at]), **_named(data, at, keys), "fields": value_at(data, at)}
        for at in range(len(data))
    ]


def causes(data: Data) -> list[int]:
    return [int(each) for each in data.cause]


def cut(data: Data, first: int, stop: int) -> Data:
    """The points, or batches, from one position to before another."""
    return data.take(np.arange(first, stop))


def together(several: Sequence[Data]) -> Data:
    """One after the other."""
    return joined(list(several)) if isinstance(several[0], Batches) else concatenated(several)


def run(operator: Operator, data: Data, keys: Keys, *, borders: Iterable[int] = (), restore: bool = False) -> Step:
    """All steps' output and errors as one; steps begin at the borders, where the state is pickled if `restore`."""
    state, steps = operator.initial(), []
    for first, stop in itertools.pairwise([0, *sorted(borders), len(data)]):
        step = operator.step(state, [cut(data, first, stop)], Tick(now_ns=0), keys)
        steps.append(step)
        state = pickle.loads(pickle.dumps(step.state)) if restore else step.state
    return Step(state=state, out=together([each.out for each in steps]), errors=_summed(steps))


def ran(operator: Operator, given: Sequence[Plain], **how: Any) -> list[Plain]:
    """What comes out of points."""
    keys = Keys()
    return points(run(operator, frame(keys, given), keys, **how).out, keys)


def ran_batches(operator: Operator, given: Sequence[Plain], **how: Any) -> list[Plain]:
    keys = Keys()
    return points(run(operator, batches(keys, given), keys, **how).out, keys)


def errors(operator: Operator, given: Sequence[Plain]) -> dict[str, int]:
    """Points lost, by reason."""
    keys = Keys()
    return dict(run(operator, frame(keys, given), keys).errors)


def _summed(steps: Sequence[Step]) -> dict[str, int]:
    found: dict[str, int] = {}
    for step in steps:
        for reason, count in step.errors.items():
            found[reason] = found.get(reason, 0) + count
    return found


def _series(keys: Keys, point: Plain) -> int:
    return keys.series_id(Series("db", "rp", point.get("name", "m"), sorted_tags(point.get("tags", {}).items())))


def _group(keys: Keys, point: Plain) -> int:
    tags = point.get("tags", {})
    name = point.get("name", "m") if point.get("apart") else None
    return keys.group_id(Group(tuple((each, tags.get(each, "")) for each in sorted(point.get("group", ()))), name))


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[Key, Column]:
    columns: dict[Key, tuple[np.ndarray, np.ndarray]] = {}
    for at, fields in enumerate(rows):
        for name, value in fields.items():
            type_ = TYPES[type(value)]
            empty = np.zeros(len(rows), dtype=DTYPES[type_]), np.zeros(len(rows), dtype=bool)
            values, present = columns.setdefault((name, type_), empty)
            values[at], present[at] = value if value is not None else False, True
    return {key: Column(values, None if present.all() else present) for key, (values, present) in columns.items()}


def _named(data: Data, at: int, keys: Keys) -> Plain:
    series = keys.series[data.series[at]]
    return {"name": series.name, "tags": dict(series.tags), "group": keys.groups[data.group[at]].id}
