"""Who is there and who holds what, by the clocks of servers that never compare them: each is turned by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pipeline_output.state import LeaseStore, Server, open_leases
from pipeline_processing.tasks.errors import Misfit
from pipeline_processing.tasks.membership import Membership
from pipeline_queue.errors import TermOver, TermUnsure

LEASE_S = 10.0
TASKS = [f"task{number}" for number in range(300)]


@dataclass
class Host:
    """A server and its clock; it goes forward only when somebody says so."""

    store: LeaseStore
    name: str
    address: str = ""
    folder: str = "shared"
    now_s: float = 0.0
    member: Membership = field(init=False)
    neighbours: list[Host] = field(default_factory=list)
    """Who beats while this one waits."""

    def __post_init__(self) -> None:
        server = Server(id="", place=self.name, address=self.address or f"http://{self.name}", folder=self.folder)
        self.member = Membership(self.store, server, lease_s=LEASE_S, now_s=lambda: self.now_s, pause=self.wait)

    def wait(self, seconds: float) -> None:
        self.now_s += seconds
        for each in self.neighbours:
            each.beat(seconds)

    def beat(self, after_s: float = 2.0) -> None:
        self.now_s += after_s
        self.member.renew()

    def others(self) -> list[str]:
        return [each.place for each in self.member.others()]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LeaseStore]:
    with closing(open_leases(f"sqlite://{tmp_path}/state")) as opened:
        yield opened


def hosts(store: LeaseStore, *names: str) -> list[Host]:
    """All there, and each aware of all; their clocks are far apart."""
    found = [Host(store, name, now_s=1e6 * at) for at, name in enumerate(names)]
    for each in found:
        each.member.join()
    for each in found:
        each.beat()
    return found


def test_each_task_is_for_one_server_and_each_server_has_about_its_share(store: LeaseStore) -> None:
    three = hosts(store, "a", "b", "c")
    shares = Counter(each.name for each in three for task in TASKS if each.member.is_for_me(task))
    assert sum(shares.values()) == len(TASKS)
    assert min(shares.values()) > len(TASKS) // 5


def test_a_server_that_comes_takes_from_others_only_what_is_its_own_then(store: LeaseStore) -> None:
    one, _ = hosts(store, "a", "b")
    before = {task for task in TASKS if one.member.is_for_me(task)}
    new = Host(store, "c")
    new.member.join()
    one.beat()
    after = {task for task in TASKS if one.member.is_for_me(task)}
    assert after < before
    assert {task for task in before - after if not new.member.is_for_me(task)} == set()


def test_a_server_that_is_not_heard_for_a_lease_is_dead_and_what_it_held_is_free(store: LeaseStore) -> None:
    one, other = hosts(store, "a", "b")
    other.member.take(["cpu"])
    epoch = other.member.term("cpu").epoch
    for _ in range(4):
        one.beat()
    assert one.others() == ["b"]
    one.member.take(["cpu"])
    assert not one.member.holds("cpu")
    one.beat()
    one.beat()
    assert one.others() == []
    one.member.take(["cpu"])
    assert one.member.term("cpu").epoch > epoch
    other.beat()
    assert (other.member.is_lost, other.member.holds("cpu")) == (True, False)


def test_who_beats_now_and_then_stays_whatever_its_clock_says(store: LeaseStore) -> None:
    one, other = hosts(store, "a", "b")
    for _ in range(20):
        for _ in range(4):
            one.beat()
        other.beat(0.001)
    assert (one.others(), other.member.is_lost) == (["b"], False)


def test_a_server_that_slept_does_not_take_others_for_dead(store: LeaseStore) -> None:
    """As when the machine of both is suspended: this one wakes first."""
    one, other = hosts(store, "a", "b")
    one.beat(3600.0)
    assert one.others() == ["b"]
    other.beat(3600.0)
    assert not other.member.is_lost


def test_a_term_is_over_for_its_holder_before_another_can_begin_the_next(store: LeaseStore) -> None:
    one, other = hosts(store, "a", "b")
    other.member.take(["cpu"])
    term = other.member.term("cpu")
    other.now_s += 9.9
    term.look()
    other.now_s += 0.1
    with pytest.raises(TermUnsure, match="last renewed 10 s ago"):
        term.look()
    other.beat(0.0)
    term.look()
    for _ in range(6):
        one.beat()
    other.beat(12.0)
    with pytest.raises(TermOver):
        term.look()


def test_who_was_lost_joins_again_and_has_greater_epochs_than_before(store: LeaseStore) -> None:
    one, other = hosts(store, "a", "b")
    other.member.take(["cpu"])
    before = other.member.term("cpu").epoch
    for _ in range(7):
        one.beat()
    other.beat()
    other.member.join()
    other.member.take(["cpu"])
    one.beat()
    assert other.member.term("cpu").epoch > before
    assert one.member.owner("cpu").place == "b"


def test_requests_are_for_who_holds_a_task_and_else_for_who_should(store: LeaseStore) -> None:
    one, other = hosts(store, "a", "b")
    task = next(each for each in TASKS if one.member.is_for_me(each))
    assert {each.member.owner(task).place for each in (one, other)} == {"a"}
    other.member.take([task])
    one.beat()
    assert {each.member.owner(task).place for each in (one, other)} == {"b"}
    other.member.release(task)
    one.beat()
    other.beat()
    assert {each.member.owner(task).place for each in (one, other)} == {"a"}


@pytest.mark.parametrize(
    ("given", "said"),
    [({"folder": "own"}, "another TASKS_DIR"), ({"address": "http://a"}, "TASKS_ADVERTISED_URL")],
)
def test_a_server_that_cannot_share_with_one_that_is_there_is_refused(
    store: LeaseStore, given: dict[str, str], said: str
) -> None:
    (one,) = hosts(store, "a")
    misfit = Host(store, "b", neighbours=[one], **given)
    with pytest.raises(Misfit, match=said):
        misfit.member.join()
    one.beat()
    assert one.others() == []


def test_a_server_that_could_not_share_with_one_that_has_died_waits_until_it_counts_as_dead(store: LeaseStore) -> None:
    hosts(store, "a")
    other = Host(store, "b", folder="own")
    other.member.join()
    assert (other.others(), other.now_s >= LEASE_S) == ([], True)
