"""One type's trouble with the database: it is told, tried again, and no other's trouble."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from loading import NOW_NS, ask, event, rows
from pipeline_output.errors import TableHeldUp
from pipeline_output.loader import open_database
from pipeline_output.loader.database import Database, Turn
from pipeline_output.loader.event_table import EventTable, event_table
from pipeline_queue.service_events import EventType
from running_loader import NS_PER_S, Running

CLOSED = event_table(type("Closed", (EventType,), {"name": "closed", "doc": "held up"}))
OPEN = event_table(type("Open", (EventType,), {"name": "open", "doc": "well"}))


class Closing:
    """A database that takes rows of `closed`, and refuses the commit while `troubled()` says so."""

    def __init__(self, database: Database, trouble: Any) -> None:
        self._database, self._trouble = database, trouble

    def prepare(self, tables: Iterable[EventTable]) -> None:
        self._database.prepare(tables)

    @contextmanager
    def turn(self, table: EventTable) -> Iterator[Turn | None]:
        with self._database.turn(table) as turn:
            yield turn
            if table == CLOSED and self._trouble.lasts:
                self._trouble.at_s.append((self._trouble.running.queue.clock.now_ns() - NOW_NS) / NS_PER_S)
                raise TableHeldUp(table.name, url="sqlite:///here", cause="a rule says no")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)


class Troubled(Running):
    """Of the two types, the one that waits longest is held up."""

    def __init__(self, url: str, workers: int) -> None:
        super().__init__(url, [CLOSED, OPEN], workers)
        self.lasts, self.at_s, self.running = True, [], self
        self.send(0)

    def database(self) -> Database:
        return Closing(open_database(self.url), self)  # type: ignore[return-value]

    def send(self, seq: int) -> None:
        for table in (CLOSED, OPEN):
            self.queue.publish([event(table, seq)], table=table)
            self.queue.clock.sleep(0.001)

    def loaded(self) -> list[int]:
        return [len(rows(self.url, table)) for table in (CLOSED, OPEN)]


@pytest.fixture(params=[1, 2])
def troubled(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Troubled]:
    found = Troubled(f"sqlite://{tmp_path}/events.db", request.param)
    with closing(found.rounds):
        yield found


def test_one_types_trouble_stops_no_other_and_is_over_when_the_database_takes_it(troubled: Troubled) -> None:
    troubled.go_on(1)
    seen = [troubled.loaded()]
    troubled.send(1)
    troubled.go_on(300)
    seen.append(troubled.loaded())
    troubled.lasts = False
    troubled.go_on(30)
    assert [*seen, troubled.loaded()] == [[0, 1], [0, 2], [2, 2]]


def test_the_type_is_tried_again_ever_less_often_whatever_the_interval_of_the_others(troubled: Troubled) -> None:
    troubled.go_on(60)
    assert [round(at_s) for at_s in troubled.at_s] == [0, 1, 3, 8, 18, 48]


def test_its_trouble_is_in_the_heartbeat_in_the_log_once_and_in_the_time_of_its_next_try(
    troubled: Troubled, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    troubled.go_on(5)
    doing = troubled.service.doing
    next_s = {each["type"]: round((each["next_at_ns"] - NOW_NS) / NS_PER_S) for each in troubled.told()}
    troubled.lasts = False
    troubled.go_on(10)
    trouble = "the database at `sqlite:///here` does not let `closed` be loaded: a rule says no"
    assert doing.startswith(f"waiting for the next load; {trouble}")
    assert next_s == {"closed": 8, "open": 300}
    assert [record.getMessage().split(";")[0] for record in caplog.records] == [trouble, "`closed` is loaded again"]
    assert (troubled.service.doing, troubled.loaded()) == ("waiting for the next load", [1, 1])


def test_a_backlog_of_a_type_that_is_held_up_hurries_no_load_of_the_others(troubled: Troubled) -> None:
    troubled.go_on(1)
    troubled.queue.publish([event(CLOSED, seq) for seq in range(2000)], table=CLOSED)
    troubled.queue.publish([event(OPEN, 1)], table=OPEN)
    troubled.go_on(60)
    assert troubled.loaded() == [0, 1]


def test_a_table_that_somebody_drops_is_made_again(tmp_path: Path) -> None:
    running = Running(f"sqlite://{tmp_path}/events.db", [CLOSED, OPEN])
    with closing(running.rounds):
        running.go_on(1)
        ask(running.url, "drop table closed")
        running.queue.publish([event(CLOSED, 1)], table=CLOSED)
        running.go_on(302)
    assert len(rows(running.url, CLOSED)) == 1


def test_a_rule_at_the_commit_holds_up_its_table_and_the_connection_goes_on(tmp_path: Path) -> None:
    running = Running(f"sqlite://{tmp_path}/events.db", [CLOSED, OPEN], workers=1)
    ask(
        running.url,
        "create table closed (client text, event_id text, time_ns integer, user_id integer references users "
        "deferrable initially deferred, timestamp integer, primary key (client, event_id)) strict",
    )
    ask(running.url, "create table users (id integer primary key)")
    with closing(open_database(running.url)) as database:
        database._file.execute("pragma foreign_keys = on")  # type: ignore[attr-defined]
        database.prepare([CLOSED, OPEN])
        with pytest.raises(TableHeldUp, match="FOREIGN KEY"):
            put_one(database, CLOSED)
        put_one(database, OPEN)
    assert [len(rows(running.url, table)) for table in (CLOSED, OPEN)] == [0, 1]


def put_one(database: Database, table: EventTable) -> None:
    with database.turn(table) as turn:
        assert turn is not None
        turn.put(OneRow())


class OneRow:
    def batches(self) -> Iterator[list[Any]]:
        yield [event(CLOSED, 1)]
