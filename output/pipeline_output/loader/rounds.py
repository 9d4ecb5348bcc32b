"""The loader's loop: look what waits, load when it is due, and wait with patience for what is away.

In:   the tables, a schedule, and what opens a broker and a database.
Out:  all that waits in the database; figures and health in the service, and on the topic `loads` how each type stands, also while
      the database is away.
A round that meets a queue or a database that is away closes its connections and tries again when the schedule says; nothing
is held meanwhile, and nothing is lost: the queue keeps it. A table that cannot take its events stops the service (TableUnfit).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline_queue.brokers import Broker
from pipeline_queue.clock import Clock
from pipeline_queue.errors import QueueError
from pipeline_queue.service import Service
from pipeline_queue.topics import DEAD_LETTERS, LOADS

from pipeline_output.errors import DatabaseUnavailable
from pipeline_output.loader.database import Progress
from pipeline_output.loader.event_table import EventTable
from pipeline_output.loader.figures import Figures
from pipeline_output.loader.schedule import Schedule
from pipeline_output.loader.status import Status, statuses
from pipeline_output.loader.telling import Telling
from pipeline_output.loader.turn import Loaded, Loading
from pipeline_output.loader.workers import Crew, load_all

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What is loaded, from where and into what; each call of `opened` gives new connections, of `broker` one to the queue alone."""

    tables: Sequence[EventTable]
    opened: Callable[[], Loading]
    broker: Callable[[], Broker]
    clock: Clock
    workers: int

    def prepared(self) -> Loading:
        """Connections after which topics and tables are there."""
        loading = self.opened()
        try:
            loading.broker.create([*(table.topic for table in self.tables), DEAD_LETTERS, LOADS])
            loading.database.prepare(self.tables)
        except BaseException:
            loading.close()
            raise
        return loading


class Rounds:
    """Call `go_round` once a second or so."""

    def __init__(self, place: Place, schedule: Schedule, service: Service, stopped: Callable[[], bool]) -> None:
        self._place, self._schedule, self._service = place, schedule, service
        self._crew = Crew(size=place.workers, opened=place.opened, told=self._told, stopped=stopped)
        self._figures, self._telling = Figures(service.registry), Telling()
        self._looking: Loading | None = None
        self._alone: Broker | None = None
        self._progress: list[Progress] | None = None
        self._trouble = ""

    def go_round(self) -> None:
        now_ns = self._place.clock.now_ns()
        if not self._schedule.may_try(now_ns):
            self._look_alone()
            return
        try:
            self._look_and_load(now_ns)
        except (QueueError, DatabaseUnavailable) as trouble:
            self.close()
            self._schedule.failed(self._place.clock.now_ns())
            self._note(trouble)
            if isinstance(trouble, DatabaseUnavailable):
                self._alone = _opened(self._place.broker)
            self._look_alone()
        else:
            self._recovered()

    def close(self) -> None:
        looking, self._looking = self._looking, None
        if looking is not None:
            looking.close()
        self._leave_alone()

    def _look_and_load(self, now_ns: int) -> None:
        found = self._look()
        if self._schedule.is_due(now_ns, sum(each.lag_events for each in found)):
            self._service.doing = "loading"
            load_all(behind(self._place.tables, found), self._crew)
            self._schedule.loaded(now_ns)
            self._look()

    def _look(self) -> list[Status]:
        looking = self._looking = self._looking or self._place.prepared()
        self._progress = looking.database.progress()
        return self._show(looking.broker, self._progress)

    def _look_alone(self) -> None:
        """What waits for a database that is away, since it said how far it is."""
        if self._alone is None or self._progress is None:
            return
        try:
            self._show(self._alone, self._progress)
        except QueueError:  # the round meets it too, when it tries again
            self.close()

    def _leave_alone(self) -> None:
        alone, self._alone = self._alone, None
        if alone is not None:
            alone.close()

    def _show(self, broker: Broker, progress: list[Progress]) -> list[Status]:
        now_ns = self._place.clock.now_ns()
        found = statuses(broker, self._place.tables, progress, now_ns)
        self._figures.show(found)
        self._service.set_lag(sum(each.lag_events for each in found))
        self._telling.tell(broker, found, lambda _: self._schedule.next_at_ns(now_ns), now_ns)
        return found

    def _told(self, table: EventTable, loaded: Loaded) -> None:
        self._telling.put(table, loaded)
        self._service.beat()
        self._service.count_in(loaded.events.total() + loaded.dead.total())
        self._service.count_out(loaded.new)
        self._service.count_dead(loaded.dead.total())
        self._service.count_late(loaded.late)
        self._figures.show_lag(table.name, loaded.left_events)

    def _note(self, trouble: Exception) -> None:
        if not self._trouble:
            log.warning("%s; it waits on the queue meanwhile", trouble)
        self._trouble = str(trouble)
        self._service.doing = f"waiting: {trouble}"[:200]

    def _recovered(self) -> None:
        self._leave_alone()
        if self._trouble:
            log.warning("it loads again")
        self._trouble = ""
        self._service.beat("waiting for the next load")


def _opened(broker: Callable[[], Broker]) -> Broker | None:
    try:
        return broker()
    except QueueError:
        return None


def behind(tables: Sequence[EventTable], found: Sequence[Status]) -> list[EventTable]:
    """The tables for which something waits, the longest wait first."""
    waiting = [(each.lag_s, table) for table, each in zip(tables, found, strict=True) if each.lag_events]
    return [table for _, table in sorted(waiting, key=lambda each: -each[0])]
