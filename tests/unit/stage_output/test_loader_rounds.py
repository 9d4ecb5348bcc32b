"""The loader's loop on a clock that is turned by hand, over a queue in memory and a database in a file."""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from loading import NOTE, NOW_NS, note, rows, stored
from pipeline_output.errors import DatabaseUnavailable, TableUnfit
from pipeline_output.loader import open_database
from pipeline_queue.errors import QueueUnavailable
from running_loader import NS_PER_S, Running


@pytest.fixture
def running(tmp_path: Path) -> Any:
    found = Running(f"sqlite://{tmp_path}/events.db")
    with closing(found.rounds):
        yield found


def test_what_waits_at_the_start_is_loaded_at_once_and_what_comes_later_by_the_interval(running: Running) -> None:
    running.queue.publish([note(1)])
    running.go_on(1)
    running.queue.publish([note(2)])
    seen = [running.stored()]
    running.go_on(299)
    seen.append(running.stored())
    running.go_on(1)
    assert [*seen, running.stored()] == [1, 1, 2]


def test_a_backlog_is_loaded_after_the_least_interval(running: Running) -> None:
    running.go_on(1)
    running.queue.publish([note(seq) for seq in range(1000)])
    running.go_on(9)
    before = running.stored()
    running.go_on(1)
    assert (before, running.stored()) == (0, 1000)


@pytest.mark.parametrize(
    "trouble",
    [
        DatabaseUnavailable("postgresql://here", doing="connecting", cause="refused"),
        QueueUnavailable("kafka://here", doing="reading", cause="refused"),
    ],
)
def test_what_is_away_is_asked_ever_less_often_and_loaded_when_it_is_back(
    running: Running, trouble: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse() -> None:
        raise trouble

    running.queue.publish([note(1)])
    running.away = refuse
    running.go_on(60)
    asked_at_s, doing = list(running.opened_at_s), running.service.doing
    running.away = lambda: None
    running.go_on(30)
    assert asked_at_s == [0, 1, 3, 8, 18, 48]
    assert doing.startswith(f"waiting: the {'database' if isinstance(trouble, DatabaseUnavailable) else 'queue'} at")
    assert rows(running.url) == [stored(note(1))]
    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.WARNING]


def test_a_database_that_goes_away_in_a_load_is_asked_again_and_has_each_event_once(running: Running) -> None:
    running.go_on(1)
    running.queue.publish([note(seq) for seq in range(1000)])
    refusals = iter([DatabaseUnavailable("here", doing="loading", cause="gone")] * 2)

    def refuse_twice() -> None:
        for refusal in refusals:
            raise refusal

    running.away = refuse_twice
    running.go_on(30)
    assert rows(running.url) == [stored(note(seq)) for seq in range(1000)]


def test_between_loads_a_loader_that_waits_beats_and_one_that_is_cut_off_does_not(running: Running) -> None:
    beats: list[str | None] = []
    running.service.beat = beats.append  # type: ignore[method-assign]
    running.go_on(1)
    while_well = len(beats)

    def refuse() -> None:
        raise DatabaseUnavailable("here", doing="connecting", cause="refused")

    running.rounds.close()
    running.away = refuse
    running.go_on(20)
    assert (while_well, len(beats)) == (1, 1)


def test_a_table_that_cannot_take_its_events_ends_the_service(running: Running) -> None:
    differing = replace(NOTE, columns=(*NOTE.columns[:5], replace(NOTE.columns[5], kind="string")))
    with closing(open_database(running.url)) as database:
        database.prepare([differing])
    with pytest.raises(TableUnfit, match="`size` is text, wanted is integer"):
        running.go_on(1)


def test_the_metrics_say_what_waits_and_what_was_loaded_by_type(running: Running) -> None:
    running.queue.publish([note(seq, order="\0" if seq == 5 else "x") for seq in range(10)])
    running.go_on(1)
    running.queue.publish([note(seq) for seq in range(10, 17)])
    running.go_on(5)
    names = ("events", "dead", "gone", "lag_events", "lag_seconds", "last_timestamp_seconds")
    assert [running.figure(name) for name in names] == [9, 1, 0, 7, 4, NOW_NS / NS_PER_S]
