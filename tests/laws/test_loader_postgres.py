"""What only PostgreSQL does: its own reasons, its own limits, its own locks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest
from loading import NOTE, Queue, ask, event, load, note, opened, rows, stored
from pipeline_output.errors import DatabaseUnavailable, TableUnfit
from pipeline_output.loader import open_database
from pipeline_output.loader.event_table import EventTable, event_table
from pipeline_output.loader.turn import Step, take_turn
from pipeline_queue import dead_letters
from pipeline_queue.service_events import EventType
from pipeline_queue.topics import Column
from postgres_cluster import Cluster
from running_loader import Running
from waiting import PATIENCE_S, until


@pytest.fixture
def url(postgres: Cluster) -> str:
    return postgres.new_database()


def reasons(feed: Queue) -> list[str]:
    return [letter.reason for letter in dead_letters.letters(feed.broker())]


def test_the_reason_is_the_databases_even_when_it_refuses_before_it_has_the_chunk(url: str) -> None:
    """Ten megabytes are on their way when the first row is refused."""
    feed = Queue()
    feed.publish([note(seq, order="\0" if seq == 0 else "x" * 1000) for seq in range(10_000)])
    load(feed, url)
    assert reasons(feed) == ['invalid byte sequence for encoding "UTF8": 0x00']
    assert len(rows(url)) == 9_999


def test_an_id_that_the_index_cannot_hold_is_a_dead_letter(url: str) -> None:
    feed, chars = Queue(), "".join(chr(0x10000 + n * 37) for n in range(1000))
    feed.publish([note(1), note(2, event_id=chars), note(3)])
    load(feed, url)
    assert rows(url) == [stored(note(1)), stored(note(3))]
    assert [reason for reason in reasons(feed) if "exceeds btree version 4 maximum" in reason] == reasons(feed) != []


def test_a_rule_of_the_owners_refuses_rows_as_the_databases_own_do(url: str) -> None:
    feed = Queue()
    opened(feed.broker(), url).close()
    ask(url, "alter table note add constraint small check (size < 5)")
    ask(url, "create unique index on note (timestamp)")
    feed.publish([note(1), note(7), note(2), note(3, timestamp=1)])
    load(feed, url)
    assert rows(url) == [stored(note(1)), stored(note(2))]
    small, twice = reasons(feed)
    assert "violates check constraint" in small
    assert "duplicate key value violates unique constraint" in twice


def test_a_table_that_another_loader_is_at_is_left_to_it_and_its_rows_come_when_it_is_gone(url: str) -> None:
    feed = Queue()
    feed.publish([note(1)])
    with closing(opened(feed.broker(), url)) as loading, closing(open_database(url)) as other:
        with other.turn(NOTE) as turn:
            assert (turn is None, take_turn(loading, NOTE)) == (False, None)
        assert take_turn(loading, NOTE) is not None
    assert rows(url) == [stored(note(1))]


def test_a_database_that_stands_still_in_a_load_is_waited_for(url: str) -> None:
    feed, waiting = Queue(), "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
    feed.publish([note(seq) for seq in range(1000)])
    opened(feed.broker(), url).close()
    with ThreadPoolExecutor(1) as threads:
        with psycopg.connect(url) as holder:
            holder.execute("lock table note in access exclusive mode")
            loaded = threads.submit(load, feed, url)
            assert until(lambda: ask(url, waiting) == [(1,)], within_s=PATIENCE_S)
        assert [turn.new for turn in loaded.result(timeout=PATIENCE_S)] == [1000]
    assert len(rows(url)) == 1000


def test_a_connection_that_is_cut_in_a_load_is_unavailable_and_the_next_has_each_event_once(url: str) -> None:
    feed = Queue()
    feed.publish([note(seq) for seq in range(1000)], events_max=100)

    def cut(name: Step) -> None:
        if name == "after copy":
            others = "datname = current_database() and pid <> pg_backend_pid()"
            ask(url, f"select pg_terminate_backend(pid) from pg_stat_activity where {others}")

    said = pytest.raises(DatabaseUnavailable, match=r"while loading `note`: .*terminating connection")
    with closing(opened(feed.broker(), url, chunk_rows=100, step=cut)) as loading, said:
        take_turn(loading, NOTE)
    load(feed, url)
    assert rows(url) == [stored(note(seq)) for seq in range(1000)]


def test_a_field_that_postgresql_keeps_for_itself_is_refused_by_name(url: str) -> None:
    taken = event_table(
        type("Taken", (EventType,), {"name": "t", "doc": "d", "fields": (Column(name="xmin", kind="int64", doc=""),)})
    )
    with (
        closing(open_database(url)) as database,
        pytest.raises(TableUnfit, match='"xmin" conflicts with a system column'),
    ):
        database.prepare([taken])


def test_a_database_of_few_characters_refuses_the_others(postgres: Cluster) -> None:
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("create database latin encoding 'LATIN1' locale 'C' template template0")
    url, feed = f"postgresql://pipeline@127.0.0.1:{postgres.port}/latin", Queue()
    feed.publish([note(1, order="é"), note(2, order="€")])
    load(feed, url)
    (reason,) = reasons(feed)
    assert (rows(url), "has no equivalent in encoding" in reason) == ([stored(note(1, order="é"))], True)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("forbidding", "allowing", "reason"),
    [
        ("revoke insert on note from clerk", "grant insert on note to clerk", "permission denied for table note"),
        ("drop table note", "grant create on schema public to clerk", "permission denied for schema public"),
        ("alter table note drop column size", "alter table note add column size bigint", "must be owner of table note"),
        (
            "create constraint trigger late after insert on note initially deferred for each row execute function deny()",
            "drop trigger late on note",
            "not today",
        ),
    ],
)
def test_a_right_that_one_table_lacks_holds_up_that_table_and_no_other(
    postgres: Cluster, workers: int, forbidding: str, allowing: str, reason: str
) -> None:
    running = Running(of_a_clerk(postgres, forbidding), [NOTE, OTHER], workers)
    running.queue.publish([note(1)])
    running.queue.publish([event(OTHER, 1)], table=OTHER)
    with closing(running.rounds):
        running.go_on(2)
        doing, seen = running.service.doing, [counted(running.url, table) for table in (NOTE, OTHER)]
        ask(of_the_owner(running.url), allowing)
        running.go_on(40)
    assert (reason in doing, seen) == (True, [0, 1])
    assert [counted(running.url, table) for table in (NOTE, OTHER)] == [1, 1]


def test_without_the_right_to_temporary_tables_what_repeats_nothing_is_loaded(postgres: Cluster) -> None:
    running = Running(of_a_clerk(postgres, "select 1"), [NOTE, OTHER], workers=1)
    running.queue.publish([note(1), note(1)])
    running.queue.publish([event(OTHER, 1)], table=OTHER)
    with closing(running.rounds):
        running.go_on(2)
    assert "permission denied to create temporary tables" in running.service.doing
    assert [counted(running.url, table) for table in (NOTE, OTHER)] == [0, 1]


OTHER = event_table(type("OtherNote", (EventType,), {"name": "other_note", "doc": "beside it"}))


def of_a_clerk(postgres: Cluster, forbidding: str) -> str:
    """The URL for one who may read and write the tables that are there, and make none."""
    url = postgres.new_database()
    opened(Queue().broker(), url, [NOTE, OTHER]).close()
    name = url.rpartition("/")[2]
    ask(url, "do $$ begin create role clerk login; exception when duplicate_object then null; end $$")
    ask(url, f"revoke all on schema public from public; revoke temporary on database {name} from public")
    ask(
        url,
        "grant usage on schema public to clerk; grant select, insert, update on all tables in schema public to clerk",
    )
    ask(
        url,
        "create function deny() returns trigger language plpgsql as $$ begin raise lock_not_available using message = 'not today'; end $$",
    )
    ask(url, "grant execute on function deny() to clerk")
    ask(url, forbidding)
    return url.replace("pipeline@", "clerk@")


def of_the_owner(url: str) -> str:
    return url.replace("clerk@", "pipeline@")


def counted(url: str, table: EventTable) -> int:
    owner = of_the_owner(url)
    if ask(owner, f"select to_regclass('{table.name}') is null") == [(True,)]:
        return 0
    return ask(owner, f"select count(*) from {table.name}")[0][0]


def test_no_staging_table_is_left_behind(url: str) -> None:
    feed = Queue()
    feed.publish([note(seq) for seq in range(10)] * 2)
    with closing(opened(feed.broker(), url)) as loading:
        take_turn(loading, NOTE)
        assert ask(url, "select count(*) from pg_class where relname = 'load_staging'") == [(0,)]
