"""What holds of every operator that puts points together, whichever points come.

Where steps begin and end changes nothing, nor does a restart from a snapshot at any of those places.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from join_frames import Plain, Test, run
from join_oracle import Oracle
from pipeline_processing.operators.combine import Combine
from pipeline_processing.operators.flatten import Flatten
from pipeline_processing.operators.group_by import GroupBy
from pipeline_processing.operators.join import Join
from pipeline_processing.operators.operator import Operator
from pipeline_processing.operators.options import STAR, NodeName
from pipeline_processing.operators.union import Union

SECOND_NS = 10**9
NAMES = ("a", "b", "c")
OTHERS = tuple(NodeName(name) for name in NAMES[1:])
SEVERAL: list[Operator] = [
    Union(others=OTHERS),
    Union(others=OTHERS, rename="all"),
    Join(others=OTHERS, as_=NAMES),
    Join(others=OTHERS, as_=NAMES, fill="null", tolerance_ns=2 * SECOND_NS),
    Join(others=OTHERS, as_=NAMES, fill=0, stream_name="n", delimiter="#"),
    Join(others=OTHERS, as_=NAMES, fill="null", on=("host",)),
    Join(others=OTHERS, as_=NAMES, on=("host",), tolerance_ns=3 * SECOND_NS),
]


def has_v(fields: Plain, tags: dict[str, str]) -> bool:
    return "v" in fields


def is_any(fields: Plain, tags: dict[str, str]) -> bool:
    return True


ALONE: list[Operator] = [
    GroupBy(tags=("rack",)),
    GroupBy(tags=STAR, exclude=("host",), by_measurement=True),
    Flatten(on=("rack",), tolerance_ns=2 * SECOND_NS),
    Flatten(on=("host", "rack"), drop_original_field_name=True),
    Combine(
        expressions=(Test(has_v), Test(is_any)),
        as_=("x", "y"),
        tolerance_ns=2 * SECOND_NS,
    ),
]
fields = st.dictionaries(
    st.sampled_from("vw"), st.one_of(st.integers(0, 9), st.floats(0, 1), st.booleans(), st.text(max_size=2)), min_size=1
)
tags = st.dictionaries(st.sampled_from(["host", "rack"]), st.sampled_from("xy"))
by = st.sampled_from([(), ("host",), ("host", "rack")])


@st.composite
def points(draw: Any) -> Plain:
    return {
        "time": draw(st.integers(0, 8)),
        "name": draw(st.sampled_from("mn")),
        "tags": draw(tags),
        "by": draw(by),
        **draw(fields),
    }


@st.composite
def batches(draw: Any) -> Plain:
    group = draw(st.dictionaries(st.sampled_from(["host", "rack"]), st.sampled_from("xy")))
    rows = draw(st.lists(st.fixed_dictionaries({"time": st.integers(0, 8), "tags": tags, "f": fields}), max_size=4))
    return {
        "tmax": draw(st.integers(0, 4)),
        "name": draw(st.sampled_from("mn")),
        "group": group,
        "points": [{"time": row["time"], "tags": {**row["tags"], **group}, **row["f"]} for row in rows],
    }


def dealt(arrivals: Sequence[tuple[int, Plain]], parents: int) -> list[list[Plain]]:
    """Each to its parent, in the order of arrival."""
    numbered = [(parent, {**each, "cause": cause}) for cause, (parent, each) in enumerate(arrivals)]
    return [[each for to, each in numbered if to == parent] for parent in range(parents)]


def hold(operator: Operator, arrivals: Sequence[tuple[int, Plain]], borders: set[int], parents: int) -> None:
    given_ = dealt(arrivals, parents)
    whole = run(operator, given_, closing=True)
    assert run(operator, given_, closing=True, borders=borders, restore=True) == whole


def arriving(what: st.SearchStrategy[Plain], parents: int) -> st.SearchStrategy[list[tuple[int, Plain]]]:
    return st.lists(st.tuples(st.integers(0, parents - 1), what), max_size=25)


borders = st.sets(st.integers(1, 24), max_size=6)


@pytest.mark.parametrize("operator", SEVERAL, ids=lambda each: type(each).__name__)
@given(arrivals=st.one_of(arriving(points(), 3), arriving(batches(), 3)), borders=borders)
@settings(deadline=None)
def test_several_parents_are_put_together_whatever_the_steps(
    operator: Operator, arrivals: list[tuple[int, Plain]], borders: set[int]
) -> None:
    hold(operator, arrivals, borders, 3)


@pytest.mark.parametrize("operator", ALONE, ids=lambda each: type(each).__name__)
@given(arrivals=st.one_of(arriving(points(), 1), arriving(batches(), 1)), borders=borders)
@settings(deadline=None)
def test_one_parents_points_are_put_together_whatever_the_steps(
    operator: Operator, arrivals: list[tuple[int, Plain]], borders: set[int]
) -> None:
    hold(operator, arrivals, borders, 1)


@pytest.mark.parametrize("on", [(), ("host",)])
@pytest.mark.parametrize("tolerance", [0, 2])
@pytest.mark.parametrize("parents", [2, 3])
@given(data=st.data())
@settings(deadline=None)
def test_points_are_joined_as_an_oracle_does_it_one_by_one(
    on: tuple[str, ...], tolerance: int, parents: int, data: st.DataObject
) -> None:
    arrivals = data.draw(arriving(points(), parents))
    names = NAMES[:parents]
    join = Join(others=OTHERS[: parents - 1], as_=names, fill="null", on=on, tolerance_ns=tolerance * SECOND_NS)
    out, _ = run(join, dealt(arrivals, parents))
    expected = Oracle(names=names, on=on, tolerance=tolerance).joined(arrivals)
    assert [(each["time"], each["group"], each["fields"]) for each in out] == [
        (time, ",".join(f"{name}={value}" for name, value in group) or "nil", fields)
        for time, group, fields in expected
    ]
