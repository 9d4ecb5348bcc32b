"""What the state store promises of servers and leases, held over each database: SQLite, and a PostgreSQL of the laws' own."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from pipeline_output.state import LeaseStore, Server, open_leases

A, B = Server(id="a", place="host:1", address="http://a"), Server(id="b", place="host:2", address="http://b")


@pytest.fixture(params=["sqlite", "postgresql"])
def state_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return request.getfixturevalue("postgres").new_database()
    return f"sqlite://{tmp_path}/tasks"


@pytest.fixture
def store(state_url: str) -> Iterator[LeaseStore]:
    with closing(open_leases(state_url)) as opened:
        yield opened


def held(store: LeaseStore, server: Server = A) -> dict[str, str]:
    """By task, as a server that is there is told."""
    standing = store.beat(server.id)
    assert standing is not None
    return {each.task: each.server for each in standing.leases}


def test_a_task_that_is_held_is_not_given_to_another_until_it_is_released(store: LeaseStore) -> None:
    store.join(A)
    store.join(B)
    assert store.take("a", ["cpu", "mem"]).keys() == {"cpu", "mem"}
    assert store.take("b", ["cpu", "disk"]).keys() == {"disk"}
    assert held(store) == {"cpu": "a", "mem": "a", "disk": "b"}
    store.release("a", "cpu")
    assert store.take("b", ["cpu", "mem"]).keys() == {"cpu"}
    assert held(store) == {"cpu": "b", "mem": "a", "disk": "b"}


def test_each_lease_has_a_greater_epoch_than_all_before_it_and_one_that_lasts_keeps_its_own(store: LeaseStore) -> None:
    store.join(A)
    store.join(B)
    first = store.take("a", ["cpu"])["cpu"]
    assert store.take("a", ["cpu"]) == {"cpu": first}
    other = store.take("b", ["mem"])["mem"]
    store.release("a", "cpu")
    second = store.take("b", ["cpu"])["cpu"]
    assert 0 < first < other < second


def test_who_did_not_hold_it_does_not_release_it(store: LeaseStore) -> None:
    store.join(A)
    store.join(B)
    store.take("a", ["cpu"])
    store.release("b", "cpu")
    assert held(store) == {"cpu": "a"}


def test_what_an_evicted_server_held_is_free_and_it_is_told_so_and_gets_nothing(store: LeaseStore) -> None:
    store.join(A)
    silent = next(each for each in store.join(B).servers if each.id == "a")
    first = store.take("a", ["cpu"])["cpu"]
    assert store.evict(silent)
    assert store.take("b", ["cpu"])["cpu"] > first
    assert (store.beat("a"), store.take("a", ["cpu", "mem"])) == (None, {})
    store.release("a", "cpu")
    assert held(store, B) == {"cpu": "b"}


def test_a_server_that_was_heard_meanwhile_is_not_evicted(store: LeaseStore) -> None:
    seen = store.join(A).servers[0]
    store.beat("a")
    assert not store.evict(seen)
    assert store.beat("a") is not None


def test_a_server_that_is_started_again_takes_the_place_of_its_earlier_life(store: LeaseStore) -> None:
    store.join(A)
    store.join(B)
    first = store.take("a", ["cpu"])["cpu"]
    standing = store.join(replace(A, id="a2", folder="f"))
    assert [(each.id, each.folder) for each in standing.servers] == [("a2", "f"), ("b", "")]
    assert standing.leases == ()
    assert store.beat("a") is None
    assert store.take("a2", ["cpu"])["cpu"] > first


def test_who_leaves_holds_nothing(store: LeaseStore) -> None:
    store.join(A)
    store.join(B)
    store.take("a", ["cpu"])
    store.leave("a")
    assert held(store, B) == {}
    assert store.beat("a") is None


def test_all_who_open_a_store_know_it_by_one_name_and_another_has_another(
    store: LeaseStore, state_url: str, tmp_path: Path
) -> None:
    with closing(open_leases(state_url)) as again, closing(open_leases(f"sqlite://{tmp_path}/other")) as other:
        assert store.name == again.name != other.name


def test_of_many_who_want_a_task_at_once_one_gets_it(state_url: str) -> None:
    """Each over a connection of its own, as servers have them."""
    names = [f"server{number}" for number in range(6)]
    tasks = [f"task{number}" for number in range(20)]
    with ThreadPoolExecutor(len(names)) as threads:
        stores = list(threads.map(open_leases, [state_url] * len(names)))
        for name, each in zip(names, stores, strict=True):
            each.join(Server(id=name, place=name, address=name))
        got = list(threads.map(lambda name, each: each.take(name, tasks), names, stores))
    for each in stores:
        each.close()
    assert sorted(task for each in got for task in each) == sorted(tasks)
