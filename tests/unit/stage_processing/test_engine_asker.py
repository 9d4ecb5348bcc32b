"""Requests whose answers go on into the task: in order, each once, and none is lost at a crash."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline_processing.engine.asker import Asker
from pipeline_processing.engine.courier import BYTES_MAX, Counted, Post
from waiting import PATIENCE_S, until


def post(key: str, size: int = 4) -> Post:
    return Post(url="http://127.0.0.1:1/", body=b"x" * size, key=key)


class Target:
    """Answers with the number of the key, when it may."""

    def __init__(self) -> None:
        self.may, self.asked = threading.Semaphore(0), []

    def __call__(self, asked: Post) -> int:
        assert self.may.acquire(timeout=PATIENCE_S)
        self.asked.append(asked.key)
        return int(asked.key)


@contextmanager
def asker(target: Target, *keys: str) -> Iterator[Asker]:
    it = Asker(name="test", ask=target)
    for key in keys:
        it.put(post(key))
    yield it
    target.may.release(100)
    it.close()


def came(it: Asker, *answers: int) -> bool:
    return until(lambda: it.answers() == answers, PATIENCE_S, pause_s=0.001)


def test_answers_come_in_the_order_of_the_requests_and_stay_until_they_are_settled() -> None:
    target = Target()
    with asker(target, "200", "500", "201") as it:
        it.begin()
        target.may.release(2)
        assert came(it, 200, 500)
        assert [each.key for each in it.pending()] == ["200", "500", "201"]
        it.settle(2)
        assert (it.answers(), [each.key for each in it.pending()]) == ((), ["201"])
        target.may.release()
        assert came(it, 201)


def test_what_the_journal_has_is_not_asked_again() -> None:
    target = Target()
    with asker(target, "200", "500") as it:
        it.settle(1)
        target.may.release(2)
        it.begin()
        assert came(it, 500)
    assert target.asked == ["500"]


def test_who_repeats_steps_is_not_held_up_by_what_nobody_asks_yet() -> None:
    target = Target()
    with asker(target) as it:
        for key in ("1", "2", "3"):
            it.put(post(key, size=BYTES_MAX))
        assert len(it.pending()) == 3


def test_a_task_that_is_too_fast_waits_until_its_target_has_answered() -> None:
    target = Target()
    with asker(target) as it:
        it.begin()
        it.put(post("1", size=BYTES_MAX))
        putting = threading.Thread(target=it.put, args=(post("2"),))
        putting.start()
        putting.join(0.05)
        assert putting.is_alive()
        target.may.release()
        putting.join(PATIENCE_S)
        assert [each.key for each in it.pending()] == ["1", "2"]


def test_an_answer_that_says_no_is_counted_as_given_up_and_what_is_answered_waits_no_more() -> None:
    target = Target()
    with asker(target, "204", "302", "0", "200") as it:
        it.begin()
        target.may.release(3)
        assert came(it, 204, 302, 0)
        assert it.counted() == Counted(sent=1, failed=2, given_up=2, waiting=1)
