"""The loop around a source: make, note, publish, note. The one around a dataset is in completion.py.

In:   a source's batches.
Out:  their events on the queue, in order; in the ledger what was made, before the publish, and what was acknowledged,
      after it.
Nothing acknowledged is lost, nothing made is dropped while the process lives, and `seq` has no gap. While the queue
does not answer, events are kept in order, about KEPT_EVENTS_MAX; then the source is left waiting, and it decides what
that means (see its file): no event is made only to be thrown away. What a killed producer had made and not yet
published is in the ledger as made and not acknowledged.
An attempt that ended in QueueUnavailable may have reached the queue, so the next one may put its events there twice,
with the same event ids. Every message of a later attempt says so in a header (codec.REPEATED), and the ledger says
`repeated`: who reads the topic needs to look at the ids of those events only, all others are there once.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

from pipeline_queue.brokers import Broker, Message, open_broker
from pipeline_queue.clock import SystemClock
from pipeline_queue.codec import as_repeated, blocks
from pipeline_queue.errors import QueueUnavailable
from pipeline_queue.events import new_producer
from pipeline_queue.ledger import Entry, FileLedger, NoLedger
from pipeline_queue.service import Service, ServiceOptions
from pipeline_queue.settings import filled

from pipeline_input.completion import complete
from pipeline_input.errors import StoppedEarly
from pipeline_input.outlet import Outlet
from pipeline_input.pacing import BACKOFF_S, PATIENCE_S, SECOND_NS, Batch
from pipeline_input.source import Dataset, Source, SourceSettings
from pipeline_input.sources import source

KEPT_EVENTS_MAX = 20_000
"""Five hours of monitoring, or 200 s of random numbers at 100/s, in some 15 MB."""
MESSAGES_PER_PUBLISH_MAX = 1000

log = logging.getLogger(__name__)


def produce(name: str, **given: Any) -> None:
    """Run the source called `name` until SIGINT or SIGTERM, a dataset until the queue has it; `given` overrides the
    environment's settings."""
    found = source(name)
    settings = filled(found.settings, **given)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    run_until(stopping.is_set, found, settings)


def run_until(stopped: Callable[[], bool], found: Source | Dataset, settings: SourceSettings) -> None:
    """Run on the machine's clock as the service `input-NAME`, with the settings' queue and ledger."""
    options = ServiceOptions(
        name=f"input-{found.name}",
        stage="input",
        queue_url=settings.queue_url,
        host=settings.health_host,
        port=settings.health_port,
    )
    broker = open_broker(settings.queue_url, durability=settings.durability)
    with closing(broker), Service(options) as service:
        if isinstance(found, Dataset):
            complete_all(found, settings, broker, service, stopped)
        else:
            with _outlet(new_producer(found.name), settings, broker, service) as outlet:
                run(found, settings, outlet, stopped)


@contextmanager
def _outlet(producer: str, settings: SourceSettings, broker: Broker, service: Service) -> Iterator[Outlet]:
    ledger = FileLedger(settings.ledger_dir, producer) if settings.ledger_dir else NoLedger()
    with closing(ledger):
        yield Outlet(producer=producer, clock=SystemClock(), broker=broker, service=service, ledger=ledger)


def complete_all(
    found: Dataset, settings: SourceSettings, broker: Broker, service: Service, stopped: Callable[[], bool]
) -> None:
    """Return when the queue has all parts of the dataset; raises StoppedEarly when `stopped()` came before."""
    parts = found.parts()
    for part in parts:
        with _outlet(part.producer, settings, broker, service) as outlet:
            if not complete(part, outlet, stopped):
                raise StoppedEarly(found.name)
    service.finish(f"the queue has all {sum(len(part.rows) for part in parts):,} events")


def run(found: Source, settings: SourceSettings, outlet: Outlet, stopped: Callable[[], bool]) -> None:
    """Publish what the source makes until `stopped()`, then what is left, and return."""
    delivery = Delivery(found, settings.events_per_message, outlet)
    for batch in found.batches(settings, outlet.clock, outlet.producer):
        delivery.take(batch)
        delivery.attempt()
        while delivery.is_full and not stopped():
            outlet.clock.sleep(PATIENCE_S)
            delivery.attempt()
        if stopped():
            break
    delivery.finish()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """Consecutive events of the producer, encoded."""

    first_seq: int
    last_seq: int
    newest_ns: int
    messages: list[Message]

    @property
    def count(self) -> int:
        return self.last_seq - self.first_seq + 1


class Delivery:
    """Events on their way: made, noted, kept until the queue has them."""

    def __init__(self, found: Source, events_per_message: int, outlet: Outlet) -> None:
        self._found = found
        self._events_per_message = events_per_message
        self._outlet = outlet
        self._waiting: deque[Parcel] = deque()
        self._kept = 0
        self._trying: Parcel | None = None
        self._failures = 0
        self._try_again_ns = 0
        self._is_behind = False

    @property
    def is_full(self) -> bool:
        return self._kept >= KEPT_EVENTS_MAX

    def take(self, batch: Batch) -> None:
        """Note the events as made and keep them until they are acknowledged."""
        if not batch:
            return
        first, last = batch[0], batch[-1]
        parcel = Parcel(
            first_seq=first.seq,
            last_seq=last.seq,
            newest_ns=last.time_ns,
            messages=blocks(self._found.topic, batch, events_max=self._events_per_message),
        )
        self._note("made", parcel)
        self._outlet.service.count_in(parcel.count)
        self._waiting.append(parcel)
        self._kept += parcel.count

    def attempt(self) -> None:
        """Publish what is kept, unless the queue failed just now; beat if it has everything."""
        while (self._trying or self._waiting) and self._outlet.clock.now_ns() >= self._try_again_ns:
            self._publish(self._trying or self._joined())
        if not self._failures:
            self._outlet.service.beat("publishing on time" if not self._is_behind else "catching up")

    def finish(self) -> None:
        """One last attempt; says what stays behind."""
        self._try_again_ns = 0
        self.attempt()
        if self._kept:
            log.warning("stopped with %d events that the queue never acknowledged", self._kept)

    def _publish(self, parcel: Parcel) -> None:
        if parcel is self._trying and self._failures == 1:
            self._note("repeated", parcel)
            parcel = replace(parcel, messages=[as_repeated(message) for message in parcel.messages])
        self._trying = parcel
        try:
            self._outlet.broker.publish(self._found.topic.name, parcel.messages)
        except QueueUnavailable as error:
            self._failed(error)
        else:
            self._acknowledged(parcel)

    def _joined(self) -> Parcel:
        """The oldest parcels as one, up to MESSAGES_PER_PUBLISH_MAX messages: after an outage there are thousands."""
        parcels = [self._waiting.popleft()]
        size = len(parcels[0].messages)
        while self._waiting and size + len(self._waiting[0].messages) <= MESSAGES_PER_PUBLISH_MAX:
            parcels.append(self._waiting.popleft())
            size += len(parcels[-1].messages)
        return Parcel(
            first_seq=parcels[0].first_seq,
            last_seq=parcels[-1].last_seq,
            newest_ns=parcels[-1].newest_ns,
            messages=[message for parcel in parcels for message in parcel.messages],
        )

    def _acknowledged(self, parcel: Parcel) -> None:
        self._note("acknowledged", parcel)
        if self._failures:
            log.warning("the queue answers again; %d events are kept", self._kept)
        self._trying, self._failures = None, 0
        self._kept -= parcel.count
        service = self._outlet.service
        service.count_out(parcel.count)
        service.set_lag(self._kept)
        behind_s = (self._outlet.clock.now_ns() - parcel.newest_ns) / SECOND_NS
        service.latency(behind_s)
        self._look_behind(parcel, behind_s)

    def _look_behind(self, parcel: Parcel, behind_s: float) -> None:
        """Count what the queue took too late; say once when it begins."""
        was_behind, self._is_behind = self._is_behind, behind_s > self._found.topic.lateness_s
        if self._is_behind:
            self._outlet.service.count_late(parcel.count)
        if self._is_behind and not was_behind:
            log.warning("%.0f s behind: events are late, their count stays exact", behind_s)

    def _failed(self, error: QueueUnavailable) -> None:
        if not self._failures:
            log.warning("%s; events are kept meanwhile", error)
        wait_s = BACKOFF_S[min(self._failures, len(BACKOFF_S) - 1)]
        self._failures += 1
        self._try_again_ns = self._outlet.clock.now_ns() + round(wait_s * SECOND_NS)
        self._outlet.service.set_lag(self._kept)
        self._outlet.service.doing = "waiting for the queue"

    def _note(self, what: Literal["made", "acknowledged", "repeated"], parcel: Parcel) -> None:
        self._outlet.ledger.note(
            Entry(
                producer=self._outlet.producer,
                what=what,
                first_seq=parcel.first_seq,
                last_seq=parcel.last_seq,
                time_ns=self._outlet.clock.now_ns(),
            )
        )
