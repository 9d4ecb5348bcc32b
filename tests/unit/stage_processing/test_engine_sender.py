"""Requests of one node: in order, again after a failure, and none is lost at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from pipeline_processing.engine import courier, sender
from pipeline_processing.engine.courier import Counted, Post
from pipeline_processing.engine.over_http import Refused
from pipeline_processing.engine.sender import Sender
from waiting import PATIENCE_S


class Target:
    """Fails as often as it is told, then takes."""

    def __init__(self, *failures: Exception) -> None:
        self.failures, self.took = list(failures), []

    def __call__(self, post: Post) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.took.append(post.key)


def post(key: str, **others) -> Post:
    return Post(url="http://127.0.0.1:1/", body=b"1234", key=key, **others)


@pytest.fixture(autouse=True)
def _soon_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "PAUSE_S_MIN", 0.0)


def begun(target: Callable[[Post], object], *posts: Post) -> Sender:
    it = Sender(name="test", send=target)
    it.begin()
    for each in posts:
        it.put(each)
    return it


def test_a_target_that_fails_gets_all_in_order() -> None:
    target = Target(OSError("away"), OSError("away"))
    it = begun(target, post("a", points=5), post("b"))
    assert it.drain(PATIENCE_S)
    it.close()
    assert (target.took, it.counted(), it.pending()) == (["a", "b"], Counted(sent=6, failed=2), [])


def test_what_is_refused_is_given_up_and_the_next_is_sent() -> None:
    target = Target(Refused("400"))
    it = begun(target, post("a", points=5), post("b"))
    assert it.drain(PATIENCE_S)
    it.close()
    assert (target.took, it.counted()) == (["b"], Counted(sent=1, failed=1, given_up=5))


def test_a_request_with_so_many_attempts_gets_no_more() -> None:
    target = Target(*[OSError("away")] * 3)
    it = begun(target, post("a", attempts_max=3), post("b"))
    assert it.drain(PATIENCE_S)
    it.close()
    assert (target.took, it.counted()) == (["b"], Counted(sent=1, failed=3, given_up=1))


def test_what_a_post_is_sent_with_is_not_kept() -> None:
    asked = threading.Event()
    it = Sender(
        name="test",
        send=lambda given: asked.set() or later.wait(PATIENCE_S) if given.headers else None,
        addressed=lambda given: replace(given, headers=(("Authorization", "secret"),)),
    )
    later = threading.Event()
    it.put(post("a"))
    it.begin()
    assert asked.wait(PATIENCE_S)
    assert [each.headers for each in it.pending()] == [()]
    later.set()
    it.close()


def test_the_end_waits_for_no_answer_and_what_was_under_way_is_still_pending() -> None:
    asked, answered = threading.Event(), threading.Event()
    it = begun(lambda _: asked.set() or answered.wait(PATIENCE_S), post("a", points=3))
    assert asked.wait(PATIENCE_S)
    it.close()
    assert ([each.key for each in it.pending()], it.counted().waiting) == (["a"], 3)
    answered.set()


def test_who_waits_for_room_goes_on_when_the_task_is_to_stop_and_nothing_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(courier, "BYTES_MAX", 4)
    answered = threading.Event()
    it = begun(lambda _: answered.wait(PATIENCE_S), post("a"))
    waiting = threading.Thread(target=it.put, args=(post("b"),))
    waiting.start()
    it.release()
    waiting.join(PATIENCE_S)
    assert [each.key for each in it.pending()] == ["a", "b"]
    answered.set()
    it.close()
