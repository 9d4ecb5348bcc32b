"""A process that delivers alerts and is killed at any request loses none, and what it repeats has the same key.

The receiver kills it in the middle of a request, before the answer; the next one goes on from the same folder.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from alert_receivers import Got, Receiver, http_receiver
from pipeline_output.handlers.pending import Pending
from pipeline_queue.alerts import Alert, HandlerCall, Origin, as_event
from pipeline_queue.brokers import open_broker
from pipeline_queue.clock import SystemClock
from pipeline_queue.codec import blocks
from pipeline_queue.topics import ALERTS, DEAD_LETTERS
from waiting import PATIENCE_S, until

ALERTS_PUBLISHED = 150
IDS = 5
CHILD = """
import sys
from pathlib import Path
from pipeline_output.handlers.deliveries import Backoff, Deliveries
from pipeline_output.handlers.settings import AlertSettings
from pipeline_queue.brokers import open_broker
from pipeline_queue.clock import SystemClock

broker = open_broker(sys.argv[1])
settings = AlertSettings(state_dir=Path(sys.argv[2]), allow_targets="127.0.0.1", timeout_s=100)
with Deliveries(settings, SystemClock(), backoff=Backoff(pause_s=0.01, pause_s_max=0.01)) as deliveries:
    while True:
        deliveries.read_on(broker, wait_s=0.1)
"""


class Killed:
    """Children one after the other; each of the first ones is killed at the request with the given number."""

    def __init__(self, queue_url: str, state: Path, at: list[int]) -> None:
        self._command = [sys.executable, "-c", CHILD, queue_url, str(state)]
        self._at = set(at)
        self._requests = 0
        self.process = self._started()

    def answer(self, _: Got) -> int:
        self._requests += 1
        if self._requests in self._at:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = self._started()
        return 200

    def end(self) -> None:
        self.process.kill()
        self.process.wait()

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command)


def publish(queue_url: str, receiver_url: str) -> list[str]:
    """In blocks of ten, each alert of one of few ids; the events' ids in order."""
    broker = open_broker(queue_url)
    broker.create([ALERTS, DEAD_LETTERS])
    events = [
        as_event(
            Alert(
                event_id=f"e{number}",
                task="t",
                node="alert2",
                alert_id=f"a{number % IDS}",
                level="CRITICAL",
                message="m",
                at_ns=0,
                handlers=(HandlerCall(kind="post", arguments=(receiver_url,)),),
            ),
            Origin(producer="p", seq=number, time_ns=SystemClock().now_ns()),
        )
        for number in range(ALERTS_PUBLISHED)
    ]
    for start in range(0, ALERTS_PUBLISHED, 10):
        broker.publish(ALERTS.name, blocks(ALERTS, events[start : start + 10]))
    broker.close()
    return [event.event_id for event in events]


def keys(receiver: Receiver) -> list[str]:
    return [each.headers["Idempotency-Key"] for each in receiver.got]


@pytest.mark.parametrize("kills", [[1, 2, 3], [7, 8, 60], [150, 151]])
def test_a_kill_loses_no_alert_and_repeats_only_what_was_under_way(tmp_path: Path, kills: list[int]) -> None:
    queue_url = f"sqlite://{tmp_path}/queue"
    children: list[Killed] = []

    def answer(got: Got) -> int:
        return children[0].answer(got)

    with http_receiver(answer) as receiver:
        published = publish(queue_url, f"http://127.0.0.1:{receiver.port}/")
        children.append(Killed(queue_url, tmp_path / "state", kills))
        try:
            assert until(lambda: set(keys(receiver)) == set(published), PATIENCE_S, pause_s=0.02)
            assert until(lambda: len(receiver.got) == len(published) + len(kills), PATIENCE_S, pause_s=0.02)
        finally:
            children[0].end()
    repeated = [key for key, times in Counter(keys(receiver)).items() if times > 1]
    firsts = list(dict.fromkeys(keys(receiver)))
    assert (firsts, len(repeated) <= len(kills)) == (published, True)


def test_what_waits_and_the_position_are_kept_together(tmp_path: Path) -> None:
    queue_url = f"sqlite://{tmp_path}/queue"
    with http_receiver(lambda _: 503) as receiver:
        publish(queue_url, f"http://127.0.0.1:{receiver.port}/")
        child = Killed(queue_url, tmp_path / "state", [])
        try:
            receiver.wait_for(20)
        finally:
            child.end()
    pending = Pending(tmp_path / "state")
    kept = (sum(pending.figures().pending.values()), pending.positions())
    pending.close()
    assert kept == (10 * kept[1][0], {0: kept[1][0]})
