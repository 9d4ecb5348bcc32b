"""A loader's rounds on a clock that is turned by hand, over a queue in memory and a database in a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from loading import NOTE, NOW_NS, Queue, rows
from pipeline_output.errors import DatabaseUnavailable
from pipeline_output.loader import open_database
from pipeline_output.loader.database import Database
from pipeline_output.loader.event_table import EventTable
from pipeline_output.loader.rounds import Place, Rounds
from pipeline_output.loader.schedule import Schedule
from pipeline_output.loader.turn import Loading, Step
from pipeline_queue.brokers import Broker
from pipeline_queue.codec import decode_all
from pipeline_queue.events import as_row
from pipeline_queue.service import Service, ServiceOptions
from pipeline_queue.topics import LOADS

NS_PER_S = 1_000_000_000


class Running:
    """A loader's rounds, and when they opened what they work with."""

    def __init__(self, url: str, tables: Sequence[EventTable] = (NOTE,), workers: int = 2) -> None:
        self.queue, self.url = Queue(tables), url
        self.service = Service(ServiceOptions(name="loader", stage="output", queue_url="memory://rounds"))
        self.opened_at_s: list[float] = []
        self.away: Callable[[], None] = lambda: None
        self.alone: Callable[[], Broker] = self.queue.broker
        self.commit_fails = False
        place = Place(tables=tables, opened=self.open, broker=self._open_alone, clock=self.queue.clock, workers=workers)
        schedule = Schedule(interval_s=300, min_interval_s=10, backlog_events=1000)
        self.rounds = Rounds(place, schedule, self.service, lambda: False)

    def open(self) -> Loading:
        self.opened_at_s.append((self.queue.clock.now_ns() - NOW_NS) / NS_PER_S)
        self.away()
        return Loading(
            broker=self.queue.broker(),
            database=self.database(),
            clock=self.queue.clock,
            chunk_rows=100,
            step=self._step,
        )

    def database(self) -> Database:
        return open_database(self.url)

    def _open_alone(self) -> Broker:
        return self.alone()

    def _step(self, name: Step) -> None:
        if name == "before commit" and self.commit_fails:
            raise DatabaseUnavailable(self.url, doing="loading", cause="gone")

    def go_on(self, seconds: int) -> None:
        """A round a second."""
        for _ in range(seconds):
            self.rounds.go_round()
            self.queue.clock.sleep(1)

    def stored(self) -> int:
        return len(rows(self.url))

    def figure(self, name: str) -> float:
        (found,) = [
            line for line in self.service.metrics().decode().splitlines() if line.startswith(f"pipeline_load_{name}{{")
        ]
        return float(found.split()[-1])

    def told(self) -> list[dict[str, Any]]:
        """What is on `loads`, in the order of sending."""
        broker = self.queue.broker()
        records = broker.read(LOADS.name, broker.begin_offsets(LOADS.name), limit=100_000)
        return [dict(as_row(each)) for each in decode_all(LOADS, records).events]
