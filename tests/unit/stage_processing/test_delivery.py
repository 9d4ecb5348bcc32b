"""Rows on their way into stores that answer, refuse or say nothing, and what waits for them meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest
from pipeline_output.errors import StoreUnavailable
from pipeline_output.tables import RANDOM_NUMBERS_WINDOWS as TABLE
from pipeline_processing import delivery, forwarding
from pipeline_processing.delivery import Outlet, deliver, outlets
from pipeline_processing.forwarding import Forwarder, Waiting
from waiting import until

GOOD, BAD = "fake://good", "fake://bad"
WITHIN_S = 60.0


@dataclass
class Stores:
    """Stand-ins by URL: what each holds by version, and what it does first when it is written."""

    held: dict[str, dict[int, pa.Table]] = field(default_factory=dict)
    first: dict[str, Callable[[], object]] = field(default_factory=dict)

    def open(self, url: str, **_: object) -> Opened:
        return Opened(self, url)


@dataclass
class Opened:
    stores: Stores
    url: str

    def create(self, _tables: object) -> None:
        self.stores.first.get(self.url, lambda: None)()

    def write(self, _table: object, rows: pa.Table, version: int) -> None:
        self.stores.first.get(self.url, lambda: None)()
        self.stores.held.setdefault(self.url, {})[version] = rows

    def close(self) -> None:
        pass


@pytest.fixture
def stores(monkeypatch: pytest.MonkeyPatch) -> Stores:
    found = Stores()
    monkeypatch.setattr(delivery, "PATIENCE_S", WITHIN_S)
    for module in (delivery, forwarding):
        monkeypatch.setattr(module, "open_store", found.open)
    delivery._writer.cache_clear()
    return found


@pytest.fixture
def ways(tmp_path: Path) -> tuple[Outlet, ...]:
    return outlets([GOOD, BAD], "process", tmp_path / "waiting")


def rows(count: int) -> pa.Table:
    return pa.table({"window_start_ns": list(range(count)), "mean": [None, *([0.5] * (count - 1))]})


def refuse() -> None:
    raise StoreUnavailable(BAD, doing="writing", cause="gone")


def forwarder(ways: tuple[Outlet, ...], place: int) -> Forwarder:
    return Forwarder(ways[place].store_url, "process", [Waiting(job="j", table=TABLE, spool=ways[place].spool)])


def test_rows_reach_every_store_and_nothing_waits(stores: Stores, ways: tuple[Outlet, ...]) -> None:
    assert deliver(TABLE, rows(3), 5, ways) == 2
    assert stores.held == {GOOD: {5: rows(3)}, BAD: {5: rows(3)}}
    assert [(way.spool.in_use, way.spool.versions()) for way in ways] == [(False, [])] * 2


def test_what_a_store_refuses_waits_and_the_other_has_it(stores: Stores, ways: tuple[Outlet, ...]) -> None:
    stores.first[BAD] = refuse
    assert deliver(TABLE, rows(3), 5, ways) == 1
    assert (stores.held, ways[1].spool.versions(), ways[1].spool.rows(5)) == ({GOOD: {5: rows(3)}}, [5], rows(3))


def test_a_store_that_says_nothing_is_given_up_and_not_asked_again(
    stores: Stores, ways: tuple[Outlet, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    released, asked = threading.Event(), []
    stores.first[BAD] = lambda: (asked.append(1), released.wait(WITHIN_S))
    # The good store is awaited for as long as the machine takes; when the other's turn comes, time is over.
    looks_s = iter([0.0, 0.0, 2 * WITHIN_S, 0.0, 0.0])
    monkeypatch.setattr(delivery, "time", SimpleNamespace(monotonic=lambda: next(looks_s)))
    try:
        reached = [deliver(TABLE, rows(1), version, ways) for version in (5, 6)]
        assert until(lambda: bool(asked), WITHIN_S)
        asked_once = len(asked)
    finally:
        released.set()
    assert (reached, ways[1].spool.versions(), asked_once) == ([1, 1], [5, 6], 1)


def test_an_error_that_is_not_the_store_s_stops_the_batch(stores: Stores, ways: tuple[Outlet, ...]) -> None:
    stores.first[BAD] = lambda: 1 / 0
    with pytest.raises(ZeroDivisionError):
        deliver(TABLE, rows(1), 5, ways)


def test_what_waits_is_handed_on_oldest_first_when_the_store_is_back(stores: Stores, ways: tuple[Outlet, ...]) -> None:
    stores.first[BAD] = refuse
    for version in (10, 9):  # as after a repeat of an older batch; names sort otherwise
        deliver(TABLE, rows(2), version, ways)
    stores.first.clear()
    counted: list[int] = []
    forwarder(ways, 1).look(0.0, counted.append)
    assert (list(stores.held[BAD]), counted, ways[1].spool.versions(), ways[1].spool.in_use) == (
        [9, 10],
        [2, 2],
        [],
        False,
    )


def test_a_store_that_stays_away_is_tried_after_pauses_that_double_and_said_to_be_away(
    stores: Stores, ways: tuple[Outlet, ...]
) -> None:
    tried: list[float] = []
    stores.first[BAD] = lambda: (tried.append(now), refuse())
    now = -1.0
    deliver(TABLE, rows(1), 5, ways)
    tried.clear()
    hand = forwarder(ways, 1)
    for now in range(20):
        hand.look(float(now), lambda _: None)
    (said,) = hand.troubles()
    assert (tried, hand.troubles("other"), said.startswith("j into fake waits: ")) == ([0, 1, 3, 7, 15], [], True)
    stores.first.clear()
    hand.look(100.0, lambda _: None)
    assert (hand.troubles(), list(stores.held[BAD])) == ([], [5])


def test_a_store_that_was_only_slow_is_asked_again_after_the_next_look(
    stores: Stores, ways: tuple[Outlet, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "PATIENCE_S", -1.0)
    released = threading.Event()
    stores.first = {url: lambda: released.wait(WITHIN_S) for url in (GOOD, BAD)}
    assert deliver(TABLE, rows(1), 5, ways) == 0
    released.set()
    for place in range(2):
        forwarder(ways, place).look(0.0, lambda _: None)
    monkeypatch.setattr(delivery, "PATIENCE_S", WITHIN_S)
    assert deliver(TABLE, rows(1), 6, ways) == 2


def test_rows_that_come_while_the_spool_is_closed_are_handed_on_at_the_next_look(
    stores: Stores, ways: tuple[Outlet, ...]
) -> None:
    way = ways[1]
    way.spool.add(rows(1), 5)
    way.spool.close()
    forwarder(ways, 1).look(0.0, lambda _: None)
    assert (list(stores.held[BAD]), way.spool.versions()) == ([5], [])
