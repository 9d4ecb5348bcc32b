"""Requests of one node: in order, again after a failure, and none is lost at the end."""

from __future__ import annotations

import threading

import pytest
from pipeline_processing.engine import sender
from pipeline_processing.engine.sender import Post, Refused, Sender
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


def test_a_target_that_fails_gets_all_in_order() -> None:
    target = Target(OSError("away"), OSError("away"))
    it = Sender(name="test", send=target)
    for key in ("a", "b"):
        it.put(post(key))
    assert it.drain(PATIENCE_S)
    it.close()
    assert (target.took, it.figures.repeated, it.pending()) == (["a", "b"], 2, [])


def test_what_is_refused_is_given_up_and_the_next_is_sent() -> None:
    target = Target(Refused("400"))
    it = Sender(name="test", send=target)
    for key in ("a", "b"):
        it.put(post(key))
    assert it.drain(PATIENCE_S)
    it.close()
    assert (target.took, it.figures.given_up) == (["b"], 1)


def test_a_request_with_so_many_attempts_gets_no_more() -> None:
    target = Target(*[OSError("away")] * 3)
    it = Sender(name="test", send=target)
    it.put(post("a", attempts_max=3))
    it.put(post("b"))
    assert it.drain(PATIENCE_S)
    it.close()
    assert (target.took, it.figures.given_up) == (["b"], 1)


def test_who_waits_for_room_goes_on_when_the_task_is_to_stop_and_nothing_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sender, "BYTES_MAX", 4)
    answered = threading.Event()
    it = Sender(name="test", send=lambda _: answered.wait(PATIENCE_S))
    it.put(post("a"))
    waiting = threading.Thread(target=it.put, args=(post("b"),))
    waiting.start()
    it.release()
    waiting.join(PATIENCE_S)
    assert [each.key for each in it.pending()] == ["a", "b"]
    answered.set()
    it.close()
