"""Events as Parquet files: what the laws of all databases do not ask."""

from __future__ import annotations

import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from loading import NOTE, Queue, load, note, opened, rows, stored
from pipeline_output.errors import DatabaseUnavailable, TableUnfit
from pipeline_output.loader import open_database, parquet
from pipeline_output.loader.turn import take_turn


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"parquet://{tmp_path}/events"


def names(url: str) -> list[str]:
    return sorted(path.name for path in Path(url.removeprefix("parquet://"), "note").iterdir())


def test_a_turn_with_something_new_is_a_file_and_one_without_is_none(url: str) -> None:
    feed = Queue()
    for seqs in ((0, 1), (1, 2), (2,), ()):
        feed.publish([note(seq) for seq in seqs])
        load(feed, url)
    assert names(url) == ["000000000001.parquet", "000000000002.parquet"]
    assert rows(url) == [stored(note(seq)) for seq in range(3)]


@pytest.mark.parametrize("opens_anew", [True, False])
def test_a_crash_before_the_file_has_its_name_shows_its_rows_after_the_next_start_or_turn(
    url: str, monkeypatch: pytest.MonkeyPatch, opens_anew: bool
) -> None:
    feed = Queue()
    feed.publish([note(1)])
    with closing(opened(feed.broker(), url)) as loading:
        with monkeypatch.context() as crash:
            crash.setattr(parquet, "_name", refuse)
            with pytest.raises(DatabaseUnavailable):
                take_turn(loading, NOTE)
        before = names(url), rows(url)
        if opens_anew:
            opened(feed.broker(), url).close()
        else:
            take_turn(loading, NOTE)
    assert before == ([".000000000001.pending"], [])
    assert (names(url), rows(url)) == (["000000000001.parquet"], [stored(note(1))])


def refuse(*_: object) -> None:
    raise OSError("no space left")


def test_a_file_whose_turn_was_not_committed_is_removed_and_its_rows_come_again(url: str) -> None:
    feed = Queue()
    opened(feed.broker(), url).close()
    beside = Path(url.removeprefix("parquet://"), "note", ".000000000001.pending")
    beside.write_bytes(b"half a file")
    feed.publish([note(1)])
    load(feed, url)
    assert (names(url), rows(url)) == (["000000000001.parquet"], [stored(note(1))])


def test_a_disk_that_is_full_keeps_nothing_of_the_turn_and_gets_its_room_back(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = Queue()
    feed.publish([note(1)])
    with closing(opened(feed.broker(), url)) as loading, monkeypatch.context() as full:
        full.setattr(parquet.os, "fsync", refuse)
        with pytest.raises(DatabaseUnavailable, match="no space left"):
            take_turn(loading, NOTE)
    before = names(url)
    load(feed, url)
    assert (before, rows(url)) == ([], [stored(note(1))])


def test_files_without_their_index_are_refused_and_not_written_over(url: str) -> None:
    feed = Queue()
    feed.publish([note(1)])
    load(feed, url)
    for path in Path(url.removeprefix("parquet://")).glob(".loaded.db*"):
        path.unlink()
    with pytest.raises(TableUnfit, match="a file that the index does not know"):
        load(feed, url)


def test_a_file_of_somebody_elses_in_the_folder_is_left_alone(url: str) -> None:
    feed = Queue()
    opened(feed.broker(), url).close()
    theirs = Path(url.removeprefix("parquet://"), "note", "old ones.parquet")
    theirs.write_bytes(b"theirs")
    feed.publish([note(1)])
    load(feed, url)
    assert (names(url), theirs.read_bytes()) == (["000000000001.parquet", "old ones.parquet"], b"theirs")


def test_files_of_another_kind_of_column_are_refused(url: str) -> None:
    feed = Queue()
    feed.publish([note(1)])
    load(feed, url)
    differing = replace(NOTE, columns=(*NOTE.columns[:5], replace(NOTE.columns[5], kind="string")))
    with closing(open_database(url)) as database, pytest.raises(TableUnfit, match="`size` is int64, wanted is string"):
        database.prepare([differing])


def test_who_only_asks_how_far_it_is_makes_nothing(url: str, tmp_path: Path) -> None:
    with closing(open_database(url)) as database:
        assert database.progress() == []
    assert [*tmp_path.iterdir()] == []


def test_readers_find_whole_loads_at_any_instant(url: str) -> None:
    """A turn takes ten events, so each count is a number of tens, and none is less than the one before."""
    feed, done, counts = Queue(), threading.Event(), []
    folder = Path(url.removeprefix("parquet://"), "note")

    def read() -> None:
        with duckdb.connect() as connection:
            while not done.is_set():
                if [*folder.glob("*.parquet")]:
                    counts.extend(connection.execute(f"select count(*) from '{folder}/*.parquet'").fetchone())
                    counts.append(len(pd.read_parquet(folder)))

    reader = threading.Thread(target=read)
    feed.publish([note(0)] * 10)
    with closing(opened(feed.broker(), url)) as loading:
        reader.start()
        for start in range(0, 500, 10):
            feed.publish([note(seq) for seq in range(start, start + 10)])
            take_turn(loading, NOTE)
        done.set()
        reader.join()
    assert counts == sorted(counts)
    assert {count % 10 for count in counts} == {0}
    assert len(rows(url)) == 500
