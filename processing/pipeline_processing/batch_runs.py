"""The batch jobs of one application: run when someone asks, and by themselves when there is something new.

In:   a batch job, the stores, and requests for it.
Out:  its rows in every store, with the time of the run as version; an answer to each request; health for people.
A run begins by itself when the job's topics have grown since its last one into a store, and have stood still for SETTLED_S.
Where each store is lies beside the checkpoints. A store that is away stops no other: the rest is written, the store's
reason is told, and it is tried again after the same pauses as a streaming query.
Runs have a thread and a pool of Spark's scheduler of their own, so they hold up no query and no beat; the first waits until
the streams go round, because a start is when there is most to do.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from pipeline_output.errors import OutputError
from pipeline_output.stores import Store, open_store
from pipeline_output.tables import TABLES
from pipeline_queue.brokers import Broker, open_broker
from pipeline_queue.clock import Clock
from pipeline_queue.errors import QueueError
from pipeline_queue.service import Service, essential_thread

from pipeline_processing.files import write_whole
from pipeline_processing.jobs.job import BatchJob, Computed, Job, Snapshot
from pipeline_processing.pauses import pause_after
from pipeline_processing.queries import reason_of
from pipeline_processing.settings import ProcessingSettings
from pipeline_processing.spool import store_name

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SETTLED_S = 2.0
"""A producer publishes the census in well under a second; in its pauses nobody should compute half of it."""
LOOK_EVERY_S = 1.0
STREAMS_WITHIN_S = 30.0
"""When no stream goes round by then, because no store answers for one, runs begin all the same."""

REACHED = "reached.json"

Ends: TypeAlias = dict[str, dict[int, int]]
"""By topic and partition."""
Stores: TypeAlias = dict[str, Store]
"""By URL."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of a request."""

    request_id: str
    state: str
    message: str


@dataclass(slots=True, kw_only=True)
class Target:
    """A store, and how far the last run into it was; `start_at` is monotonic, in seconds."""

    url: str
    path: Path
    reached: Ends
    failures: int = 0
    start_at: float = 0.0
    trouble: str | None = None

    @property
    def name(self) -> str:
        return urlsplit(self.url).scheme


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Of one run: what was computed, if anything was, which stores have it, and why the others have not."""

    computed: Computed | None
    written: Sequence[str]
    reasons: Sequence[tuple[str, str]]
    seconds: float

    @property
    def rows(self) -> int:
        """That each store got."""
        return sum(map(len, self.computed.rows.values())) if self.computed is not None else 0

    @property
    def state(self) -> str:
        return "failed" if self.reasons else "finished"

    @property
    def message(self) -> str:
        failed = [f"not into {name}: {reason}" for name, reason in self.reasons]
        if self.computed is None or not self.written:
            return "; ".join(failed)
        events = " + ".join(f"{count:,}" for count in self.computed.events)
        done = f"{events} events, {self.rows:,} rows into {', '.join(self.written)} in {self.seconds:.1f} s"
        return "; ".join([done, *failed])


class BatchRuns:
    """Of one batch job. `start` begins its thread; `ask`, `answers`, `troubles` and `streams_run` may be called from any other."""

    def __init__(self, spark: SparkSession, job: BatchJob, settings: ProcessingSettings, clock: Clock) -> None:
        self.job = job
        self._spark, self._settings, self._clock = spark, settings, clock
        self._targets = [_target(job, settings, url) for url in settings.store_urls]
        self._broker: Broker | None = None
        self._seen: Ends = {}
        self._still_since = 0.0
        self._asked: deque[str] = deque()
        self._answers: deque[Answer] = deque()
        self._wake, self._may_run = threading.Event(), threading.Event()

    def start(self, service: Service, stop: threading.Event) -> None:
        essential_thread(lambda: self._keep_looking(service, stop)).start()

    def ask(self, request_id: str) -> None:
        """Run the job into every store; an Answer follows."""
        self._asked.append(request_id)
        self._wake.set()

    def answers(self) -> list[Answer]:
        """Those since the last call."""
        return [self._answers.popleft() for _ in range(len(self._answers))]

    def streams_run(self) -> None:
        """The start is over."""
        self._may_run.set()

    def troubles(self) -> list[str]:
        """One sentence for each store that a run has not reached."""
        return [f"{self.job.name} into {each.name} waits: {each.trouble}" for each in self._targets if each.trouble]

    def look(self, now: float) -> Outcome | None:
        """Run what is asked for, or due; `now` is monotonic, in seconds. Raises QueueError when the queue is away."""
        ends = self._ends()
        if ends != self._seen:
            self._seen, self._still_since = ends, now
        requests = [self._asked.popleft() for _ in range(len(self._asked))]
        targets = self._targets if requests else self._due(now)
        if not targets:
            return None
        outcome = self._run(targets, now)
        self._answers.extend(Answer(request_id=each, state=outcome.state, message=outcome.message) for each in requests)
        return outcome

    def _keep_looking(self, service: Service, stop: threading.Event) -> None:
        self._may_run.wait(STREAMS_WITHIN_S)
        self._spark.sparkContext.setLocalProperty("spark.scheduler.pool", self.job.name)
        while not stop.is_set():
            try:
                outcome = self.look(time.monotonic())
            except QueueError as error:
                log.debug("%s", error)  # the driver's loop says it, too, once
                self._let_go()
            else:
                if outcome is not None and not stop.is_set():
                    _tell(self.job, outcome, service)
            self._wake.wait(LOOK_EVERY_S)
            self._wake.clear()
        self._let_go()

    def _ends(self) -> Ends:
        self._broker = self._broker or open_broker(self._settings.queue_url)
        return {topic: self._broker.end_offsets(topic) for topic in self.job.topics}

    def _let_go(self) -> None:
        broker, self._broker = self._broker, None
        if broker is not None:
            broker.close()

    def _due(self, now: float) -> list[Target]:
        has_any = any(offset for of_topic in self._seen.values() for offset in of_topic.values())
        if not has_any or now - self._still_since < SETTLED_S:
            return []
        return [each for each in self._targets if each.reached != self._seen and now >= each.start_at]

    def _run(self, targets: Sequence[Target], now: float) -> Outcome:
        began_ns, ends = self._clock.now_ns(), self._seen
        computed, failed = None, dict[str, str]()
        with ExitStack() as held:
            stores = self._opened(targets, held, failed)
            if stores:
                computed = self._computed(began_ns, stores, failed)
            if computed is not None:
                _write(computed, stores, began_ns // 1000, failed)
        for target in targets:
            _note(target, failed.get(target.url), ends, now)
        return Outcome(
            computed=computed,
            written=[target.name for target in targets if target.url not in failed],
            reasons=[(target.name, failed[target.url]) for target in targets if target.url in failed],
            seconds=(self._clock.now_ns() - began_ns) / 1e9,
        )

    def _opened(self, targets: Sequence[Target], held: ExitStack, failed: dict[str, str]) -> Stores:
        """The stores that answer, before anything is computed for them; why the others do not is put into `failed`."""
        tables, stores = [TABLES[name] for name in self.job.tables], dict[str, Store]()
        for target in targets:
            try:
                store = held.enter_context(closing(open_store(target.url, durability=self._settings.durability)))
                store.create(tables)
            except OutputError as error:
                failed[target.url] = str(error)
            else:
                stores[target.url] = store
        return stores

    def _computed(self, now_ns: int, stores: Stores, failed: dict[str, str]) -> Computed | None:
        settings = self._settings
        snapshot = Snapshot(queue_url=settings.queue_url, now_ns=now_ns, tasks=settings.parallelism)
        try:
            return self.job.compute(self._spark, snapshot)
        except Exception as error:  # Spark raises many kinds; each means that nothing was computed
            failed.update(dict.fromkeys(stores, reason_of(error)))
            return None


def batch_runs(
    spark: SparkSession, jobs: Iterable[Job | BatchJob], settings: ProcessingSettings, clock: Clock
) -> list[BatchRuns]:
    """Those of each batch job."""
    return [BatchRuns(spark, job, settings, clock) for job in jobs if isinstance(job, BatchJob)]


def _target(job: BatchJob, settings: ProcessingSettings, url: str) -> Target:
    path = settings.checkpoint_dir / f"{job.name}-{store_name(url)}" / REACHED
    found = json.loads(path.read_text()) if path.exists() else {}
    reached = {topic: {int(partition): offset for partition, offset in ends.items()} for topic, ends in found.items()}
    return Target(url=url, path=path, reached=reached)


def _write(computed: Computed, stores: Stores, version: int, failed: dict[str, str]) -> None:
    for url, store in stores.items():
        try:
            for name, rows in computed.rows.items():
                store.write(TABLES[name], rows, version)
        except OutputError as error:
            failed[url] = str(error)


def _note(target: Target, reason: str | None, ends: Ends, now: float) -> None:
    target.trouble = reason
    if reason is None:
        target.reached, target.failures = ends, 0
        write_whole(target.path, json.dumps(ends).encode())
    else:
        target.failures += 1
        target.start_at = now + pause_after(target.failures)


def _tell(job: BatchJob, outcome: Outcome, service: Service) -> None:
    level = logging.WARNING if outcome.reasons else logging.INFO
    log.log(level, "%s %s: %s", job.name, outcome.state, outcome.message)
    if outcome.computed is not None:
        service.count_in(sum(outcome.computed.events))
        service.count_dead(outcome.computed.dead)
        service.count_out(len(outcome.written) * outcome.rows)
