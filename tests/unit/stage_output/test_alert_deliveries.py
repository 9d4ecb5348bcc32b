"""Alerts reach their handlers: once where nothing fails, in order, past those that are slow or gone; and what fails is counted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from alert_receivers import Got, closed_port, http_receiver
from pipeline_output.errors import DeliveriesTaken
from pipeline_output.handlers.deliveries import Backoff, Deliveries
from pipeline_output.handlers.lines import Lines
from pipeline_output.handlers.outcomes import NONE, GivenUp, Outcomes
from pipeline_output.handlers.pending import REMEMBERED_NS, Waiting
from pipeline_output.handlers.settings import AlertSettings
from pipeline_output.handlers.transport import Network, Post
from pipeline_queue.alerts import Alert, HandlerCall, Origin, as_event
from pipeline_queue.brokers.memory import MemoryBroker
from pipeline_queue.brokers.protocol import Message
from pipeline_queue.clock import ManualClock
from pipeline_queue.codec import blocks
from pipeline_queue.topics import ALERTS, DEAD_LETTERS
from waiting import PATIENCE_S, until

NOW_NS = 1_700_000_000_000_000_000
SHORT = Backoff(pause_s=0.001, pause_s_max=0.001)
NEVER = Backoff(pause_s=3600.0, pause_s_max=3600.0)


class Queue:
    """A topic of alerts in memory, whose clock stands."""

    def __init__(self) -> None:
        self.clock = ManualClock(NOW_NS)
        self.broker = MemoryBroker(clock=self.clock)
        self.broker.create([ALERTS, DEAD_LETTERS])

    def publish(self, event_id: str, *handlers: HandlerCall, alert_id: str = "a", **others: Any) -> None:
        alert = Alert(
            event_id=event_id,
            task="t",
            node="alert2",
            alert_id=alert_id,
            handlers=handlers,
            at_ns=0,
            **{"level": "CRITICAL", "message": event_id, **others},
        )
        event = as_event(alert, Origin(producer="p", seq=0, time_ns=self.clock.now_ns()))
        self.broker.publish(ALERTS.name, blocks(ALERTS, [event]))


@pytest.fixture
def topic() -> Queue:
    return Queue()


def filled(url: str, alert: Alert | None) -> str:
    if "<broken>" in url:
        raise ValueError("no such field")
    return url.replace("<message>", alert.message) if alert else url


@contextmanager
def delivering(topic: Queue, folder: Path, *, backoff: Backoff = SHORT, **settings: Any) -> Iterator[Deliveries]:
    """What is on the topic is read. Templates have a marker for the alert's message."""
    told = AlertSettings(state_dir=folder, allow_targets="127.0.0.1", **settings)
    with Deliveries(told, topic.clock, backoff=backoff, fill=filled) as deliveries:
        while deliveries.read_on(topic.broker):
            pass
        yield deliveries


def settled(deliveries: Deliveries, **waiting: int) -> bool:
    return until(lambda: deliveries.figures().pending == waiting, PATIENCE_S, pause_s=0.005)


def post(port: int, path: str = "/") -> HandlerCall:
    return HandlerCall(kind="post", arguments=(f"http://127.0.0.1:{port}{path}",))


def keys(got: list[Got]) -> list[str]:
    return [each.headers["Idempotency-Key"] for each in got]


def test_alerts_reach_each_of_their_handlers_in_their_order(topic: Queue, tmp_path: Path) -> None:
    with http_receiver() as one, http_receiver() as other:
        for number in range(50):
            topic.publish(f"e{number}", post(one.port), post(other.port), alert_id=f"a{number % 7}")
        with delivering(topic, tmp_path) as deliveries:
            assert settled(deliveries)
            assert deliveries.figures().delivered == {"post": 100}
    expected = [f"e{number}" for number in range(50)]
    assert (keys(one.got), keys(other.got)) == (expected, expected)


def test_two_handlers_of_an_alert_with_one_target_have_a_key_each(topic: Queue, tmp_path: Path) -> None:
    with http_receiver() as receiver:
        topic.publish("e", post(receiver.port), post(receiver.port))
        with delivering(topic, tmp_path) as deliveries:
            assert settled(deliveries)
    assert keys(receiver.got) == ["e", "e.2"]


def test_what_was_delivered_is_not_delivered_again_after_a_restart(topic: Queue, tmp_path: Path) -> None:
    with http_receiver() as receiver:
        for each in ("e1", "e2"):
            topic.publish(each, post(receiver.port))
            with delivering(topic, tmp_path) as deliveries:
                assert settled(deliveries)
                figures = deliveries.figures()
    assert (keys(receiver.got), figures.delivered) == (["e1", "e2"], {"post": 2})


def test_a_repeat_is_counted_and_not_delivered_again(topic: Queue, tmp_path: Path) -> None:
    with http_receiver() as receiver:
        topic.publish("e", post(receiver.port))
        with delivering(topic, tmp_path) as deliveries:
            assert settled(deliveries)
        topic.publish("e", post(receiver.port))
        topic.publish("f", post(receiver.port))
        with delivering(topic, tmp_path) as deliveries:
            assert settled(deliveries)
            figures = deliveries.figures()
    assert (keys(receiver.got), figures.delivered, figures.repeated) == (["e", "f"], {"post": 2}, {"post": 1})


def test_an_id_is_forgotten_only_when_the_topic_has_forgotten_its_event(topic: Queue, tmp_path: Path) -> None:
    with http_receiver() as receiver:
        for waited_ns in (0, REMEMBERED_NS, 1):
            topic.clock.time_ns += waited_ns
            topic.publish("e", post(receiver.port))
            with delivering(topic, tmp_path) as deliveries:
                assert settled(deliveries)
    assert keys(receiver.got) == ["e", "e"]


def test_a_target_that_is_away_is_tried_until_it_is_there(topic: Queue, tmp_path: Path) -> None:
    answers = iter([500, 503, 429])
    with http_receiver(lambda _: next(answers, 200)) as receiver:
        topic.publish("e", post(receiver.port))
        with delivering(topic, tmp_path) as deliveries:
            assert settled(deliveries)
            figures = deliveries.figures()
    assert (keys(receiver.got), figures.delivered, figures.retried) == (["e"] * 4, {"post": 1}, {"post": 3})


def test_alerts_of_one_id_never_overtake_each_other_while_those_of_another_pass(topic: Queue, tmp_path: Path) -> None:
    told = threading.Event()

    def answer(got: Got) -> int:
        """`e1` fails until `f` has come, which is behind it in the same line."""
        if got.headers["Idempotency-Key"] == "f":
            told.set()
        return 200 if told.is_set() else 503

    with http_receiver(answer) as receiver:
        for event_id, alert_id in (("e1", "a"), ("e2", "a"), ("f", "b")):
            topic.publish(event_id, post(receiver.port), alert_id=alert_id)
        with delivering(topic, tmp_path) as deliveries:
            assert settled(deliveries)
    last = list(dict.fromkeys(reversed(keys(receiver.got))))[::-1]
    assert (last.index("e1") < last.index("e2"), set(last)) == (True, {"e1", "e2", "f"})


def test_a_refusal_is_final_and_kept_with_its_reason(topic: Queue, tmp_path: Path) -> None:
    with http_receiver(lambda _: 404) as receiver:
        topic.publish("e", post(receiver.port, "/token"))
        with delivering(topic, tmp_path) as deliveries:
            assert settled(deliveries)
            assert Outcomes(tmp_path).given_up(100) == [
                GivenUp(
                    event_id="e",
                    kind="post",
                    alert_id="a",
                    attempts=1,
                    given_up_ns=NOW_NS,
                    reason=f"http://127.0.0.1:{receiver.port} answered 404",
                )
            ]
            figures = deliveries.figures()
    assert (len(receiver.got), figures.refused, figures.delivered) == (1, {"post": 1}, {})


def test_after_too_many_attempts_an_alert_is_given_up(topic: Queue, tmp_path: Path) -> None:
    topic.publish("e", post(closed_port()))
    with delivering(topic, tmp_path, attempts_max=3) as deliveries:
        assert settled(deliveries)
        (given_up,), figures = Outcomes(tmp_path).given_up(100), deliveries.figures()
    assert (given_up.attempts, given_up.reason.endswith("Connection refused; given up after 3 attempts")) == (3, True)
    assert (figures.retried, figures.refused) == ({"post": 2}, {"post": 1})


def test_a_handler_that_is_not_allowed_is_refused_and_the_others_are_told(topic: Queue, tmp_path: Path) -> None:
    with http_receiver() as receiver:
        evil = HandlerCall(kind="post", arguments=("http://evil.example/hunter2",))
        topic.publish("e", evil, HandlerCall(kind="slak"), post(receiver.port))
        with delivering(topic, tmp_path) as deliveries:
            assert settled(deliveries)
            figures, reasons = deliveries.figures(), [each.reason for each in Outcomes(tmp_path).given_up(100)]
    assert (figures.delivered, figures.refused) == ({"post": 1}, {"post": 1, "slak": 1})
    assert [("evil.example" in each, "hunter2" in each) for each in reasons] == [(False, False), (True, False)]


def test_a_slow_target_and_one_that_is_gone_hold_up_no_other(topic: Queue, tmp_path: Path) -> None:
    released = threading.Event()
    slow_answer: Callable[[Got], int] = lambda _: 200 if released.wait(PATIENCE_S) else 500  # noqa: E731
    with http_receiver(slow_answer) as slow, http_receiver() as quick:
        for number in range(20):
            topic.publish(f"e{number}", post(slow.port), post(closed_port()), post(quick.port), alert_id=f"a{number}")
        with delivering(topic, tmp_path, backoff=NEVER, timeout_s=100) as deliveries:
            assert len(quick.wait_for(20)) == 20
            assert slow.got == []
            released.set()
            assert settled(deliveries, post=20)  # those whose target is gone
    assert keys(slow.got) == [f"e{number}" for number in range(20)]


def test_what_waits_at_a_stop_is_delivered_after_the_next_start(topic: Queue, tmp_path: Path) -> None:
    statuses = {"now": 503}
    with http_receiver(lambda _: statuses["now"]) as receiver:
        topic.publish("e", post(receiver.port))
        with delivering(topic, tmp_path, backoff=NEVER):
            receiver.wait_for(1)
        statuses["now"] = 200
        with delivering(topic, tmp_path) as deliveries:
            assert settled(deliveries)
            figures = deliveries.figures()
    assert (keys(receiver.got), figures.delivered, figures.retried) == (["e", "e"], {"post": 1}, {"post": 1})


def test_the_operators_handlers_get_every_alert_from_their_level_on(topic: Queue, tmp_path: Path) -> None:
    with http_receiver() as receiver:
        path = tmp_path / "handlers.json"
        path.write_text(f'[{{"kind": "post", "arguments": ["http://localhost:{receiver.port}/"], "level": "WARNING"}}]')
        for level, before in (("INFO", "OK"), ("CRITICAL", "INFO"), ("OK", "CRITICAL")):
            topic.publish(level, level=level, previous_level=before)
        with delivering(topic, tmp_path / "state", handlers_file=path) as deliveries:
            assert settled(deliveries)
    assert keys(receiver.got) == ["CRITICAL", "OK"]


def test_what_is_no_alert_is_a_dead_letter_or_refused_and_holds_up_nothing(topic: Queue, tmp_path: Path) -> None:
    with http_receiver() as receiver:
        topic.broker.publish(ALERTS.name, [Message(key=b"t", value=b"no json\n")])
        topic.publish("odd", post(receiver.port), data="[1]")
        topic.publish("e", post(receiver.port))
        with delivering(topic, tmp_path) as deliveries:
            assert settled(deliveries)
            figures = deliveries.figures()
    assert (keys(receiver.got), figures.refused, topic.broker.end_offsets(DEAD_LETTERS.name)) == (
        ["e"],
        {"": 1},
        {0: 1},
    )


def test_what_retention_took_is_left_out(topic: Queue, tmp_path: Path) -> None:
    with http_receiver() as receiver:
        topic.publish("e0", post(receiver.port))
        with delivering(topic, tmp_path) as deliveries:
            assert settled(deliveries)
        for each in ("e1", "e2", "e3"):
            topic.publish(each, post(receiver.port))
        topic.broker.trim(ALERTS.name, {0: 3})
        with delivering(topic, tmp_path) as deliveries:
            deliveries.read_on(topic.broker)
            assert settled(deliveries)
    assert keys(receiver.got) == ["e0", "e3"]


def test_two_processes_do_not_deliver_from_one_folder(topic: Queue, tmp_path: Path) -> None:
    with delivering(topic, tmp_path), pytest.raises(DeliveriesTaken, match="another process delivers"):
        Deliveries(AlertSettings(state_dir=tmp_path), topic.clock)


class Broken(Network):
    def post(self, request: Post) -> None:
        raise KeyError(request.url)


def test_a_handler_with_a_bug_is_given_up_without_what_the_bug_says(
    topic: Queue, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    topic.publish("e", post(1, "/hunter2"))
    settings = AlertSettings(state_dir=tmp_path, allow_targets="127.0.0.1")
    with Deliveries(settings, topic.clock, transport=Broken()) as deliveries:
        deliveries.read_on(topic.broker)
        assert settled(deliveries)
        (given_up,) = Outcomes(tmp_path).given_up(100)
    assert (given_up.reason, "hunter2" in caplog.text, "KeyError" in caplog.text) == (
        *("the handler is broken: KeyError", False),
        True,
    )


def test_no_more_targets_than_there_are_workers_are_told_at_a_time() -> None:
    at_once, most, lock, both = [0], [0], threading.Lock(), threading.Barrier(2)

    def attempt(_: int) -> None:
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        both.wait(PATIENCE_S)
        with lock:
            at_once[0] -= 1

    lines = Lines(attempt, workers=2)
    lines.add(Waiting(delivery_id=number, target=f"t{number}", alert_id="a") for number in range(10))
    assert until(lambda: not lines.waits, PATIENCE_S, pause_s=0.005)
    lines.close()
    assert most == [2]


def test_the_pauses_double_up_to_a_bound() -> None:
    pauses = [Backoff(pause_s=1.0, pause_s_max=300.0).after(attempts) for attempts in (0, 1, 2, 8, 9, 99)]
    least = [1, 2, 4, 256, 300, 300]
    assert [low <= pause <= 1.25 * low for low, pause in zip(least, pauses, strict=True)] == [True] * 6


def test_a_url_is_filled_in_with_the_alert_before_it_is_looked_up_in_the_list(topic: Queue, tmp_path: Path) -> None:
    with http_receiver() as receiver:
        for event_id in ("127.0.0.1", "other.example"):
            call = HandlerCall(kind="post", arguments=(f"http://<message>:{receiver.port}/<message>",))
            topic.publish(event_id, call, HandlerCall(kind="post", arguments=("http://127.0.0.1/<broken>",)))
        with delivering(topic, tmp_path) as deliveries:
            assert settled(deliveries)
            reasons = [each.reason for each in Outcomes(tmp_path).given_up(100) if "filled in" not in each.reason]
            assert (deliveries.figures().delivered, deliveries.figures().refused) == ({"post": 1}, {"post": 3})
    assert [each.path for each in receiver.got] == ["/127.0.0.1"]
    assert ["may not send to http://other.example" in each for each in reasons] == [True]


def test_the_url_of_an_endpoint_is_filled_in_too(topic: Queue, tmp_path: Path) -> None:
    with http_receiver() as receiver:
        file = tmp_path / "endpoints.json"
        file.write_text(f'{{"here": {{"url": "http://127.0.0.1:{receiver.port}/<message>"}}}}')
        topic.publish("e", HandlerCall(kind="post", properties={"endpoint": (("here",),)}))
        with delivering(topic, tmp_path / "state", endpoints_file=file) as deliveries:
            assert settled(deliveries)
    assert [each.path for each in receiver.got] == ["/e"]


def test_what_became_of_deliveries_can_be_read_while_they_are_made_and_after(topic: Queue, tmp_path: Path) -> None:
    assert (Outcomes(tmp_path).figures(), Outcomes(tmp_path).given_up(1)) == (NONE, [])
    with http_receiver() as receiver:
        topic.publish("e", post(receiver.port), HandlerCall(kind="nothing"))
        topic.publish("f", HandlerCall(kind="nothing"))
        with delivering(topic, tmp_path) as deliveries:
            assert settled(deliveries)
            assert Outcomes(tmp_path).figures() == deliveries.figures()
    none = {"retried": 0, "repeated": 0, "pending": 0}
    assert Outcomes(tmp_path).figures().by_handler() == {
        "nothing": {"delivered": 0, "refused": 2} | none,
        "post": {"delivered": 1, "refused": 0} | none,
    }
    assert [each.event_id for each in Outcomes(tmp_path).given_up(1)] == ["f"]
