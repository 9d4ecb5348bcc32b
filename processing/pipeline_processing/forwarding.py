"""Stores that were away get what waited for them, from the driver.

In:   the spools of a store: one for each query that writes there.
Out:  their rows in the store, oldest first; an empty spool goes out of use. One sentence for people while it is away.
A store that is away is tried again after a pause that doubles from 1 s to 30 s. Each has a thread of its own, because a store
that is away makes its callers wait.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlsplit

from pipeline_output.errors import OutputError
from pipeline_output.stores import Durability, Store, open_store
from pipeline_output.tables import TABLES, Table
from pipeline_queue.service import essential_thread

from pipeline_processing.delivery import outlets
from pipeline_processing.pauses import pause_after
from pipeline_processing.queries import Kept
from pipeline_processing.spool import Spool

LOOK_EVERY_S = 0.5

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What a job has for a store."""

    job: str
    table: Table
    spool: Spool


class Forwarder:
    """Of one store. `troubles` may be called from any thread."""

    def __init__(self, store_url: str, durability: Durability, queues: Sequence[Waiting]) -> None:
        self._store_url, self._durability, self._queues = store_url, durability, queues
        self._failures = 0
        self._start_at = 0.0
        self._troubles: dict[str, str] = {}

    def start(self, stop: threading.Event, count_out: Callable[[int], object]) -> None:
        essential_thread(lambda: self._keep_looking(stop, count_out)).start()

    def troubles(self, job: str | None = None) -> list[str]:
        """One sentence for each job, or for that job, whose rows wait."""
        return [said for name, said in list(self._troubles.items()) if job in {None, name}]

    def look(self, now: float, count_out: Callable[[int], object]) -> None:
        """Hand on what waits, unless the pause after a failure is not over; `now` is monotonic, in seconds."""
        waiting = [each for each in self._queues if each.spool.in_use or each.spool.versions()]
        if now < self._start_at or not waiting:
            return
        try:
            with closing(open_store(self._store_url, durability=self._durability)) as store:
                for each in waiting:
                    _hand_on(each, store, count_out)
        except OutputError as error:
            self._note(waiting, error, now)
            return
        if self._failures:
            log.info("%s has what waited for it", self._name)
        self._failures, self._troubles = 0, {}

    def _keep_looking(self, stop: threading.Event, count_out: Callable[[int], object]) -> None:
        while not stop.wait(LOOK_EVERY_S):
            self.look(time.monotonic(), count_out)

    def _note(self, waiting: Iterable[Waiting], error: OutputError, now: float) -> None:
        self._failures += 1
        pause_s = pause_after(self._failures)
        self._start_at = now + pause_s
        self._troubles = {each.job: f"{each.job} into {self._name} waits: {error}" for each in waiting}
        log.warning("%s is away, rows wait for it; tried again in %.0f s: %s", self._name, pause_s, error)

    @property
    def _name(self) -> str:
        return urlsplit(self._store_url).scheme


def forwarders(kept: Iterable[Kept]) -> list[Forwarder]:
    """One for each store that the queries write into."""
    queues: dict[tuple[str, Durability], list[Waiting]] = {}
    for each in kept:
        context = each.context
        for outlet in outlets(context.store_urls, context.durability, context.waiting):
            waiting = Waiting(job=each.job.name, table=TABLES[each.job.table], spool=outlet.spool)
            queues.setdefault((outlet.store_url, outlet.durability), []).append(waiting)
    return [Forwarder(url, durability, of_store) for (url, durability), of_store in queues.items()]


def _hand_on(waiting: Waiting, store: Store, count_out: Callable[[int], object]) -> None:
    table, spool = waiting.table, waiting.spool
    store.create([table])
    while versions := spool.versions():
        for version in versions:
            rows = spool.rows(version)
            store.write(table, rows, version)
            spool.remove(version)
            count_out(len(rows))
    spool.close()
