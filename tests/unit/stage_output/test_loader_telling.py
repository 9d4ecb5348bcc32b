"""What the loader says on `loads`: when, of what, and how much."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from loading import NOTE, NOW_NS, Queue, load, note
from pipeline_output.errors import DatabaseUnavailable
from pipeline_output.loader.status import statuses
from pipeline_output.loader.telling import SHOWN_LENGTH_MAX, Telling, fitting
from pipeline_output.loader.turn import Loaded
from pipeline_queue.brokers import Broker, Message
from pipeline_queue.errors import QueueUnavailable
from pipeline_queue.topics import NEWEST_LENGTH_MAX
from running_loader import NS_PER_S, Running


@pytest.fixture
def running(tmp_path: Path) -> Any:
    found = Running(f"sqlite://{tmp_path}/events.db")
    with closing(found.rounds):
        yield found


def at_s(told: dict[str, Any]) -> float:
    return (told["time_ns"] - NOW_NS) / NS_PER_S


def test_a_type_is_told_as_it_stands_before_and_after_a_load(running: Running) -> None:
    running.queue.publish([note(seq, order="\0" if seq == 2 else "x") for seq in range(3)], events_max=3)
    running.go_on(1)
    before, after = running.told()
    waiting = {name: before[name] for name in ("type", "lag_events", "loaded_at_ns", "events", "reached", "newest")}
    assert waiting == {"type": "note", "lag_events": 3, "loaded_at_ns": 0, "events": 0, "reached": "{}", "newest": "[]"}
    assert {name: after[name] for name in LOADS_FIGURES} == {
        "lag_events": 0,
        "lag_s": 0.0,
        "loaded_at_ns": NOW_NS,
        "next_at_ns": NOW_NS + 300 * NS_PER_S,
        "events": 2,
        "dead": 1,
        "gone": 0,
    }
    assert [*json.loads(after["reached"]).values()] == [1]
    assert [row["event_id"] for row in json.loads(after["newest"])] == ["p-000000000001", "p-000000000000"]
    assert json.loads(after["newest"])[1] == {
        "client": "a",
        "event_id": "p-000000000000",
        "time_ns": NOW_NS,
        "user_id": 1,
        "timestamp": 0,
        "size": 0,
        "order": "x",
    }
    assert [each["seq"] for each in (before, after)] == [0, 1]


LOADS_FIGURES = ("lag_events", "lag_s", "loaded_at_ns", "next_at_ns", "events", "dead", "gone")


def test_while_nothing_changes_it_is_told_every_ten_seconds_and_while_something_waits_each_second(
    running: Running,
) -> None:
    running.go_on(25)
    still = [at_s(each) for each in running.told()]
    running.queue.publish([note(1)])
    running.go_on(3)
    assert still == [0, 0, 10, 20]
    assert [(at_s(each), each["lag_s"]) for each in running.told()[4:]] == [(25, 0), (26, 1), (27, 2)]


def test_the_newest_rows_are_the_last_five_of_several_turns(tmp_path: Path) -> None:
    telling, feed, url = Telling(), Queue(), f"sqlite://{tmp_path}/events.db"
    for first, end in ((0, 3), (3, 6), (6, 6)):
        feed.publish([note(seq) for seq in range(first, end)])
        for turn in load(feed, url):
            telling.put(NOTE, turn)
    assert [row["size"] for row in newest(telling, feed)] == [5, 4, 3, 2, 1]


def newest(telling: Telling, feed: Queue) -> list[dict[str, Any]]:
    broker = Told()
    telling.tell(broker, statuses(feed.broker(), [NOTE], [], NOW_NS), lambda _: 0, NOW_NS)  # type: ignore[arg-type]
    return json.loads(json.loads(broker.messages[-1].value)["newest"])


class Told:
    """A broker that keeps what it is given, once it takes something."""

    def __init__(self, refusals: int = 0) -> None:
        self.messages: list[Message] = []
        self._refusals = refusals

    def publish(self, topic: str, messages: Sequence[Message]) -> None:
        if self._refusals:
            self._refusals -= 1
            raise QueueUnavailable("memory://told", doing=f"publishing on {topic}", cause="refused")
        self.messages += messages


def test_a_turn_that_was_rolled_back_leaves_no_row_to_show(running: Running) -> None:
    running.go_on(1)
    running.queue.publish([note(seq) for seq in range(1000)])
    running.commit_fails = True
    running.go_on(11)
    assert {each["newest"] for each in running.told()} == {"[]"}


def test_a_long_string_is_cut_and_rows_that_have_no_room_are_left_out() -> None:
    telling = Telling()
    telling.put(NOTE, Loaded(newest=[note(seq, order="é" * 60_000) for seq in range(5)]))
    rows = newest(telling, Queue())
    assert [row["order"] for row in rows] == ["é" * SHOWN_LENGTH_MAX + "…"] * 5
    wide = [{f"column {n}": "\0" * SHOWN_LENGTH_MAX for n in range(3)}] * 5
    assert (len(json.loads(fitting(wide))), len(fitting(wide)) <= NEWEST_LENGTH_MAX) == (2, True)


def test_what_the_queue_did_not_take_is_told_again_under_the_same_number() -> None:
    telling, broker, found = Telling(), Told(refusals=1), statuses(Queue().broker(), [NOTE], [], NOW_NS)
    with pytest.raises(QueueUnavailable):
        telling.tell(broker, found, lambda _: 0, NOW_NS)  # type: ignore[arg-type]
    telling.tell(broker, found, lambda _: 0, NOW_NS)  # type: ignore[arg-type]
    assert [json.loads(each.value)["seq"] for each in broker.messages] == [0]


def test_while_the_database_is_away_it_is_told_what_waits_and_when_the_next_try_comes(running: Running) -> None:
    def refuse() -> None:
        raise DatabaseUnavailable("here", doing="connecting", cause="refused")

    running.go_on(1)
    running.away = refuse
    running.rounds.close()
    running.queue.publish([note(1)])
    running.go_on(6)
    found = [(at_s(each), each["lag_s"], (each["next_at_ns"] - NOW_NS) / NS_PER_S) for each in running.told()[2:]]
    assert found == [(1, 0, 2), (2, 1, 4), (3, 2, 4), (4, 3, 9), (5, 4, 9), (6, 5, 9)]


def test_a_queue_that_is_away_with_the_database_is_told_nothing_and_ends_nothing(running: Running) -> None:
    def refuse() -> None:
        raise DatabaseUnavailable("here", doing="connecting", cause="refused")

    def refuse_to_read(*_: Any, **__: Any) -> Broker:
        raise QueueUnavailable("memory://rounds", doing="reading", cause="refused")

    running.go_on(1)
    running.away, running.alone = refuse, refuse_to_read
    running.rounds.close()
    running.go_on(6)
    assert len(running.told()) == 2
