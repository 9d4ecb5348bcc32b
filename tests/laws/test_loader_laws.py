"""What the loader promises, held over each database: SQLite, a PostgreSQL of the laws' own, and a folder of Parquet files.

The oracle is what was published: each row is compared with the event that it is of.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from hostile_texts import HOSTILE
from loading import NOTE, NOW_NS, Queue, ask, event, load, note, opened, rows, stored
from pipeline_output.errors import TableHeldUp, TableUnfit
from pipeline_output.loader import open_database
from pipeline_output.loader.database import Progress, Rows
from pipeline_output.loader.event_table import EventTable, event_table
from pipeline_output.loader.status import statuses
from pipeline_output.loader.turn import Loading, take_turn
from pipeline_output.loader.workers import Crew, load_all
from pipeline_queue import dead_letters
from pipeline_queue.codec import encode
from pipeline_queue.service_events import EventType
from pipeline_queue.topics import Column, Topic

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
SECOND_NS = 1_000_000_000


def event_of(*columns: Column) -> EventTable:
    """The type `Note` with these fields instead."""
    return event_table(type("Other", (EventType,), {"name": "note", "doc": "changed", "fields": columns}))


def letters(feed: Queue) -> list[tuple[str, bytes, str]]:
    return [(each.letter_id, each.raw, each.reason) for each in dead_letters.letters(feed.broker())]


def test_hostile_content_comes_out_as_it_went_in(database_url: str) -> None:
    feed, limits = Queue(), [INT64_MIN, -1, 0, INT64_MAX]
    events = [
        note(seq, order=text, client=text, event_id=f"{text}{seq}", size=limits[seq % 4], user_id=limits[-seq % 4])
        for seq, text in enumerate(HOSTILE)
    ]
    feed.publish(events)
    load(feed, database_url)
    assert rows(database_url) == sorted(map(stored, events), key=lambda row: row[:2])


def test_random_content_comes_out_as_it_went_in(database_url: str) -> None:
    chance, feed = random.Random(7), Queue()
    letters_of = "\\\n\r\tNn.,'\"a \u20ac\U0001f600"
    events = [note(seq, order="".join(chance.choices(letters_of, k=chance.randrange(9)))) for seq in range(3000)]
    feed.publish(events, events_max=700)
    load(feed, database_url, chunk_rows=1000)
    assert rows(database_url) == [stored(each) for each in events]


@pytest.mark.parametrize("ahead_s", [3600, 61, -11, -8 * 86_400], ids=lambda ahead_s: f"{ahead_s} s")
def test_an_event_is_in_the_table_whatever_the_collectors_clock_said(database_url: str, ahead_s: int) -> None:
    feed, events = Queue(), [note(seq, time_ns=NOW_NS + ahead_s * (seq == 1) * SECOND_NS) for seq in range(3)]
    feed.publish(events)
    load(feed, database_url)
    assert (rows(database_url), letters(feed)) == ([stored(each) for each in events], [])


def test_a_row_with_a_nul_is_a_dead_letter_with_the_databases_reason_and_the_rest_is_loaded(database_url: str) -> None:
    feed, events = Queue(), [note(seq, order="a\0b" if seq == 3 else "x") for seq in range(6)]
    feed.publish_lines(b"no JSON", *encode(events).splitlines(), b"")
    (turn,) = load(feed, database_url)
    ((unread_id, unread, _), (refused_id, refused, reason)) = letters(feed)
    partition = unread_id.split("/")[1]
    assert rows(database_url) == [stored(each) for each in events if each.seq != 3]
    assert (unread_id, unread) == (f"{NOTE.topic.name}/{partition}/0/0", b"no JSON")
    assert (refused_id, refused) == (f"{NOTE.topic.name}/{partition}/0/4", encode([events[3]]).strip())
    assert ("0x00" if database_url.startswith("postgresql") else "holds no NUL") in reason
    assert (turn.new, turn.events.total(), turn.dead.total()) == (5, 5, 2)


@pytest.mark.parametrize("bad", [0, 1, 4999, 9999])
def test_one_bad_row_among_ten_thousand_costs_a_logarithm_of_attempts(database_url: str, bad: int) -> None:
    feed, attempts = Queue(), []
    feed.publish([note(seq, order="\0" if seq == bad else "x" * 100) for seq in range(10_000)])
    with closing(opened(feed.broker(), database_url)) as loading:
        turn = take_turn(replace(loading, database=Counting(loading.database, attempts)), NOTE)
    assert turn is not None
    assert (turn.new, turn.dead.total(), len(letters(feed))) == (9_999, 1, 1)
    assert len(attempts) <= 1 + 2 * 14
    assert [row[1] for row in rows(database_url)] == [f"p-{seq:012d}" for seq in range(10_000) if seq != bad]


class Counting:
    """A database that notes each attempt to put rows."""

    def __init__(self, database: Any, attempts: list[Rows]) -> None:
        self._database, self._attempts = database, attempts

    def turn(self, table: EventTable) -> Any:
        return CountingTurn(self._database.turn(table), self._attempts)


class CountingTurn:
    def __init__(self, turn: Any, attempts: list[Rows]) -> None:
        self._entering, self._attempts = turn, attempts

    def __enter__(self) -> Any:
        self._turn = self._entering.__enter__()
        return self

    def __exit__(self, *error: Any) -> Any:
        return self._entering.__exit__(*error)

    def put(self, rows: Rows) -> int:
        self._attempts.append(rows)
        return self._turn.put(rows)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._turn, name)


def test_a_chunk_of_nothing_but_bad_rows_is_nothing_but_dead_letters(database_url: str) -> None:
    feed = Queue()
    feed.publish([note(seq, order="\0") for seq in range(50)])
    (turn,) = load(feed, database_url)
    assert (rows(database_url), turn.dead.total()) == ([], 50)
    assert [each[1] for each in letters(feed)] == [encode([note(seq, order="\0")]).strip() for seq in range(50)]


def test_bad_rows_and_repeated_ones_in_one_chunk_are_told_apart(database_url: str) -> None:
    feed = Queue()
    feed.publish([note(seq) for seq in range(0, 100, 2)])
    load(feed, database_url)
    feed.publish([note(seq, order="\0" if seq in {13, 14, 77} else "x") for seq in range(100)])
    load(feed, database_url)
    assert rows(database_url) == [stored(note(seq)) for seq in range(100) if seq not in {13, 77}]
    assert len(letters(feed)) == 3


def test_an_id_repeated_within_a_chunk_over_chunks_and_over_loaders_is_one_row(database_url: str) -> None:
    feed = Queue()
    feed.publish([*(note(seq) for seq in range(20)), *(note(seq, order="again") for seq in range(20))])
    load(feed, database_url)
    feed.publish([note(seq, order="and again") for seq in range(25)], events_max=4)
    load(feed, database_url, chunk_rows=4)
    assert rows(database_url) == [stored(note(seq, order="x" if seq < 20 else "and again")) for seq in range(25)]
    assert letters(feed) == []


def test_the_same_id_of_another_client_is_another_row(database_url: str) -> None:
    feed, events = Queue(), [note(1, client=client) for client in ("", "A", "a", "a ", "é", "e\u0301")]
    feed.publish(events)
    load(feed, database_url)
    assert rows(database_url) == sorted(map(stored, events), key=lambda row: row[:2])


def test_nothing_new_changes_nothing(database_url: str) -> None:
    feed = Queue()
    feed.publish([note(1)])
    load(feed, database_url)
    before = progress(database_url)
    (turn,) = load(feed, database_url)
    assert (turn.new, turn.events.total(), turn.has_more, progress(database_url)) == (0, 0, False, before)


def progress(url: str) -> list[Progress]:
    with closing(open_database(url)) as database:
        return database.progress()


def test_an_empty_queue_loads_nothing_and_keeps_no_progress(database_url: str) -> None:
    (turn,) = load(Queue(), database_url)
    assert (turn.events.total(), rows(database_url), progress(database_url)) == (0, [], [])


def test_progress_says_what_was_loaded_and_buried_since_ever_and_when(database_url: str) -> None:
    feed = Queue()
    feed.publish_lines(b"no JSON", encode([note(1)]), encode([note(2)]).strip())
    load(feed, database_url)
    feed.publish([note(3)])
    load(feed, database_url)
    (found,) = progress(database_url)
    assert found == Progress(
        topic=NOTE.topic.name,
        partition=found.partition,
        next_offset=2,
        loaded_at_ns=NOW_NS,
        events=3,
        dead=2,  # an empty line lies between the first two events
    )


def test_a_refusal_before_the_rest_was_read_loses_nothing_of_the_rest(database_url: str) -> None:
    feed = Queue()
    feed.publish([note(seq, order="\0" if seq == 3 else "x" * 500) for seq in range(9000)], events_max=900)
    load(feed, database_url)
    assert [row[5] for row in rows(database_url)] == [seq for seq in range(9000) if seq != 3]
    assert len(letters(feed)) == 1


def test_what_retention_took_is_counted_and_the_rest_is_loaded(database_url: str, caplog: Any) -> None:
    feed = Queue()
    feed.publish([note(seq) for seq in range(10)], events_max=1)
    load(feed, database_url)
    feed.publish([note(seq) for seq in range(10, 30)], events_max=1)
    (known,) = progress(database_url)
    feed.broker().trim(NOTE.topic.name, {known.partition: 17})
    (turn,) = load(feed, database_url)
    assert (turn.gone, [row[5] for row in rows(database_url)]) == (7, [*range(10), *range(17, 30)])
    assert "7 messages of `events-note`" in caplog.text
    assert [each.gone for each in progress(database_url)] == [7]


def test_a_queue_that_was_made_anew_is_read_from_its_begin(database_url: str) -> None:
    old, new = Queue(), Queue()
    old.publish([note(seq) for seq in range(10)], events_max=1)
    load(old, database_url)
    new.publish([note(seq, order="new") for seq in range(8, 13)], events_max=1)
    load(new, database_url)
    assert [row[-1] for row in rows(database_url)] == ["x"] * 10 + ["new"] * 3


def test_a_field_that_was_declared_since_is_added_and_one_that_is_gone_stays(database_url: str) -> None:
    feed = Queue()
    feed.publish([note(1)])
    load(feed, database_url)
    changed = event_of(
        Column(name="order", kind="string", doc="as before"), Column(name="new", kind="int64", doc="new")
    )
    with closing(open_database(database_url)) as database:
        database.prepare([changed])
    feed.publish([event(changed, 2, order="y", new=7)], table=changed)
    load(feed, database_url, changed)
    found = ask(database_url, 'select event_id, size, "order", new from note order by event_id')
    assert found == [("p-000000000001", 1, "x", None), ("p-000000000002", None, "y", 7)]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            'create table note (client text, event_id text, time_ns text, "order" text, primary key (client, event_id))',
            "`note` cannot take its events: `time_ns` is text, wanted is (bigint|integer)",
        ),
        (
            "create table note (client text, event_id text primary key)",
            r"`primary key` is \(event_id\), wanted is \(client, event_id\)",
        ),
        (
            "create table note (client text, event_id text, must text not null, primary key (client, event_id))",
            "`must` is not null without a default, wanted is nullable, or with a default",
        ),
    ],
)
def test_a_table_that_cannot_take_the_events_is_refused_with_what_was_found_and_wanted(
    database_url: str, statement: str, said: str
) -> None:
    if database_url.startswith("parquet"):
        pytest.skip("has no tables; its own test is in unit/stage_output/test_loader_parquet.py")
    ask(database_url, statement)
    with closing(open_database(database_url)) as database, pytest.raises(TableUnfit, match=said):
        database.prepare([NOTE])


def test_many_types_and_two_workers_load_each_event_once(database_url: str) -> None:
    tables = [
        event_table(type("Of", (EventType,), {"name": f"type_{n}", "doc": "one", "fields": ()})) for n in range(30)
    ]
    feed = Queue(tables)
    for count, table in enumerate(tables):
        feed.publish([event(table, seq) for seq in range(count)], table=table, events_max=3)
    told: Counter[str] = Counter()
    load_all(tables, crew(lambda: opened(feed.broker(), database_url, tables), told))
    assert [len(rows(database_url, table)) for table in tables] == list(range(30))
    assert told == Counter({f"type_{n}": n for n in range(30)})


def crew(open_loading: Any, told: Counter[str], size: int = 2) -> Crew:
    lock = threading.Lock()

    def note_new(table: EventTable, loaded: Any) -> None:
        with lock:
            told[table.name] += loaded.new

    return Crew(size=size, opened=open_loading, told=note_new, held_up=unexpected, stopped=lambda: False)


def unexpected(table: EventTable, trouble: TableHeldUp) -> None:
    raise AssertionError(table.name) from trouble


def test_loaders_side_by_side_load_each_event_once(database_url: str) -> None:
    """Three of two workers each, while a producer goes on and repeats some of what it sent."""
    feed, told = Queue(), Counter()
    feed.publish([note(seq) for seq in range(2000)], events_max=20)

    def go_on() -> None:
        for start in range(2000, 4000, 100):
            feed.publish([note(seq) for seq in range(start - 50, start + 100)], events_max=20)
            load_all([NOTE], crew(open_loading, told))

    def open_loading() -> Loading:
        return opened(feed.broker(), database_url, chunk_rows=100)

    def load_beside() -> None:
        load_all([NOTE] * 2, crew(open_loading, told))

    with ThreadPoolExecutor(4) as threads:
        for each in [threads.submit(task) for task in (go_on, load_beside, load_beside, load_beside)]:
            each.result()
    load_all([NOTE], crew(open_loading, told))
    assert rows(database_url) == [stored(note(seq)) for seq in range(4000)]
    assert told == {"note": 4000}


def test_the_status_says_what_waits_and_since_when(database_url: str) -> None:
    feed = Queue()
    feed.publish([note(seq) for seq in range(100)])
    load(feed, database_url)
    feed.clock.sleep(5)
    feed.publish([note(seq, time_ns=feed.clock.now_ns()) for seq in range(100, 130)], events_max=10)
    feed.clock.sleep(7)
    (found,) = statuses(feed.broker(), [NOTE], progress(database_url), feed.clock.now_ns())
    assert (found.type, found.lag_events, found.lag_s) == ("note", 30, 7.0)
    assert (found.loaded_at_ns, found.events, found.dead, found.gone) == (NOW_NS, 100, 0, 0)


def test_a_topic_that_is_not_there_has_nothing_that_waits(database_url: str) -> None:
    missing = replace(NOTE, topic=Topic(name="none", doc="not there", own_columns=(), key="producer"))
    (found,) = statuses(Queue().broker(), [missing], progress(database_url), NOW_NS)
    assert (found.lag_events, found.lag_s, found.loaded_at_ns) == (0, 0.0, 0)


def test_a_database_of_the_declaration_is_prepared_by_many_at_once(database_url: str) -> None:
    with ThreadPoolExecutor(6) as threads:
        for each in [threads.submit(lambda: opened(Queue().broker(), database_url).close()) for _ in range(6)]:
            each.result()
    assert rows(database_url) == []
