"""What the state store promises of definitions, held over each database: SQLite, and a PostgreSQL of the laws' own."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pipeline_output.errors import DefinitionChanged, DefinitionExists
from pipeline_output.state import Definition, DefinitionStore, open_definitions
from pipeline_output.state.definitions import Begin

HOSTILE = "".join(map(chr, (0, 1, 9, 10, 13, 34, 39, 63, 92, 0x7F, 0xE9, 0x2028, 0xFEFF, 0x10FFFF))) + "%s ? $1"


@pytest.fixture(params=["sqlite", "postgresql"])
def state_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return request.getfixturevalue("postgres").new_database()
    return f"sqlite://{tmp_path}/tasks"


@pytest.fixture
def store(state_url: str) -> Iterator[DefinitionStore]:
    with closing(open_definitions(state_url)) as opened:
        yield opened


def definition(task_id: str = "cpu", **given: Any) -> Definition:
    whole = {
        "type": "stream",
        "dbrps": (("telegraf", "autogen"),),
        "script": "stream",
        "created_ns": 1,
        "modified_ns": 1,
    }
    return Definition(id=task_id, **whole | given)


def test_what_was_created_is_found_by_another_who_opens_the_store(store: DefinitionStore, state_url: str) -> None:
    asked = definition(
        "größe-1.x_y",
        type="batch",
        dbrps=(("a", "b"), ("", HOSTILE)),
        script=HOSTILE,
        vars={
            "x": {"type": "int", "value": 2**62, "description": HOSTILE},
            "l": {"type": "list", "value": [1.5, None]},
        },
        begin=Begin(time_ns=-(2**62), asked_ns=2**62),
        status="enabled",
        created_ns=2**62,
        modified_ns=0,
        last_enabled_ns=3,
    )
    created = store.create(asked)
    assert replace(created, version=0, revision=0) == asked
    with closing(open_definitions(state_url)) as other:
        assert other.find("größe-1.x_y") == created


def test_what_is_not_there_is_not_found(store: DefinitionStore) -> None:
    assert (store.find("cpu"), store.every(), store.delete("cpu")) == (None, [], None)


def test_a_second_of_one_id_is_refused_and_the_first_stays(store: DefinitionStore) -> None:
    created = store.create(definition())
    with pytest.raises(DefinitionExists, match="task cpu already exists"):
        store.create(definition(script="other"))
    assert store.every() == [created]


def test_they_are_listed_by_id_in_the_order_of_code_points(store: DefinitionStore) -> None:
    for each in ("b", "_", "ä", "B", "a", "-", "1"):
        store.create(definition(each))
    assert [each.id for each in store.every()] == ["-", "1", "B", "_", "a", "b", "ä"]


@pytest.mark.parametrize(
    ("change", "is_new"),
    [
        ({"script": "stream|from()"}, True),
        ({"dbrps": (("a", "b"),)}, True),
        ({"vars": {"x": {"type": "int", "value": 1}}}, True),
        ({"id": "mem"}, True),
        ({"status": "enabled", "last_enabled_ns": 2, "modified_ns": 2}, False),
    ],
)
def test_a_new_meaning_is_a_new_version_and_a_new_status_is_not(
    store: DefinitionStore, change: dict[str, Any], is_new: bool
) -> None:
    created = store.create(definition())
    changed = store.replace(created, replace(created, **change))
    assert (changed.version > created.version) == is_new
    assert (
        store.every() == [changed] == [replace(created, **change, version=changed.version, revision=changed.revision)]
    )


def test_who_read_an_older_one_is_refused_and_changes_nothing(store: DefinitionStore) -> None:
    created = store.create(definition())
    changed = store.replace(created, replace(created, script="first"))
    with pytest.raises(DefinitionChanged):
        store.replace(created, replace(created, script="second"))
    assert store.every() == [changed]
    store.delete("cpu")
    with pytest.raises(DefinitionChanged):
        store.replace(changed, replace(changed, status="enabled"))
    assert store.every() == []


def test_a_task_does_not_take_the_id_of_another(store: DefinitionStore) -> None:
    cpu, mem = store.create(definition("cpu")), store.create(definition("mem"))
    with pytest.raises(DefinitionExists, match="mem"):
        store.replace(cpu, replace(cpu, id="mem"))
    assert store.every() == [cpu, mem]


def test_a_task_that_is_defined_anew_never_has_a_version_that_it_had(store: DefinitionStore) -> None:
    first = store.create(definition())
    second = store.replace(first, replace(first, script="second"))
    assert store.delete("cpu") == second
    third = store.create(definition())
    assert len({first.version, second.version, third.version}) == 3
    assert third.version > second.version > first.version > 0


def test_of_many_who_change_it_at_once_each_change_is_made_on_the_one_before(state_url: str) -> None:
    """Two stores, as of two servers, and threads that try until they are first."""
    with closing(open_definitions(state_url)) as one, closing(open_definitions(state_url)) as other:
        one.create(definition(script=""))

        def add(letter: str) -> None:
            store = one if letter < "e" else other
            while True:
                found = store.find("cpu")
                assert found is not None
                try:
                    store.replace(found, replace(found, script=found.script + letter))
                except DefinitionChanged:
                    continue
                return

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(add, "abcdefgh"))
        assert [sorted(each.script) for each in one.every()] == [list("abcdefgh")]


def test_two_may_open_an_empty_store_at_the_same_time(state_url: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        opened = list(threads.map(open_definitions, [state_url] * 4))
    assert [store.every() for store in opened] == [[]] * 4
    for store in opened:
        store.close()
