"""The loader's loop: look what waits, load when it is due, and wait with patience for what is away.

In:   the tables, a schedule, and what opens a broker and a database.
Out:  all that waits in the database; figures and health in the service, and on the topic `loads` how each type stands, also while
      the database is away.
A round that meets a queue or a database that is away closes its connections and tries again when the schedule says; nothing
is held meanwhile, and nothing is lost: the queue keeps it. A table that is held up waits alone: the others go on by the schedule. One
that cannot take its events stops the service (TableUnfit).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pipeline_queue.brokers import Broker
from pipeline_queue.clock import Clock
from pipeline_queue.errors import QueueError
from pipeline_queue.service import Service
from pipeline_queue.topics import DEAD_LETTERS, LOADS

from pipeline_output.errors import DatabaseUnavailable, TableHeldUp
from pipeline_output.loader.database import Database, Progress
from pipeline_output.loader.event_table import EventTable
from pipeline_output.loader.figures import Figures
from pipeline_output.loader.held_up import HeldUp
from pipeline_output.loader.schedule import Schedule
from pipeline_output.loader.status import Status, statuses
from pipeline_output.loader.telling import Telling, Untold
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
    telling: Telling | Untold = field(default_factory=Telling)

    def prepared(self, held_up: Callable[[EventTable, TableHeldUp], None]) -> Loading:
        """Connections after which topics and tables are there, but for those that are held up."""
        loading = self.opened()
        try:
            loading.broker.create([*(table.topic for table in self.tables), DEAD_LETTERS, LOADS])
            for table in self.tables:
                prepared(loading.database, table, held_up)
        except BaseException:
            loading.close()
            raise
        return loading


class Rounds:
    """Call `go_round` once a second or so."""

    def __init__(self, place: Place, schedule: Schedule, service: Service, stopped: Callable[[], bool]) -> None:
        self._place, self._schedule, self._service = place, schedule, service
        self._crew = Crew(
            size=place.workers, opened=place.opened, told=self._told, held_up=self._hold_up, stopped=stopped
        )
        self._held_up = HeldUp()
        self._figures, self._telling = Figures(service.registry), place.telling
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
        tried = self._tried_again(self._opened(), found, now_ns)
        free_events = sum(each.lag_events for each in found if not self._held_up.holds(each.type))
        is_due = self._schedule.is_due(now_ns, free_events)
        waiting = [each for each in behind(self._place.tables, found) if self._may_load(each, tried, is_due)]
        if waiting:
            self._service.doing = "loading"
            load_all(waiting, self._crew)
        if is_due:
            self._schedule.loaded(now_ns)
        if is_due or waiting:
            self._look()

    def _tried_again(self, looking: Loading, found: list[Status], now_ns: int) -> list[EventTable]:
        """Those that were held up, whose time has come, and whose tables are there; where nothing waits the trouble is over."""
        lags = {each.type: each.lag_events for each in found}
        due = self._held_up.to_try(self._place.tables, now_ns)
        tried = [table for table in due if prepared(looking.database, table, self._hold_up)]
        for table in tried:
            if not lags[table.name]:
                self._held_up.freed(table)
        return tried

    def _may_load(self, table: EventTable, tried: list[EventTable], is_due: bool) -> bool:
        return table in tried if self._held_up.holds(table.name) else is_due

    def _look(self) -> list[Status]:
        looking = self._opened()
        self._progress = looking.database.progress()
        return self._show(looking.broker, self._progress)

    def _opened(self) -> Loading:
        self._looking = self._looking or self._place.prepared(self._hold_up)
        return self._looking

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
        self._telling.tell(broker, found, lambda name: self._next_at_ns(name, now_ns), now_ns)
        return found

    def _next_at_ns(self, name: str, now_ns: int) -> int:
        held_ns = None if self._alone else self._held_up.next_at_ns(name)
        return self._schedule.next_at_ns(now_ns) if held_ns is None else held_ns

    def _told(self, table: EventTable, loaded: Loaded) -> None:
        self._held_up.freed(table)
        self._telling.put(table, loaded)
        self._service.beat()
        self._service.count_in(loaded.events.total() + loaded.dead.total())
        self._service.count_out(loaded.new)
        self._service.count_dead(loaded.dead.total())
        self._service.count_late(loaded.late)
        self._figures.show_lag(table.name, loaded.left_events)

    def _hold_up(self, table: EventTable, trouble: TableHeldUp) -> None:
        self._service.beat()
        self._held_up.failed(table, trouble, self._place.clock.now_ns())

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
        held = str(self._held_up)
        self._service.beat(f"waiting for the next load{'; ' * bool(held)}{held}"[:200])


def prepared(database: Database, table: EventTable, held_up: Callable[[EventTable, TableHeldUp], None]) -> bool:
    """Whether its table is there; if it is held up, that is told."""
    try:
        database.prepare([table])
    except TableHeldUp as trouble:
        held_up(table, trouble)
        return False
    return True


def _opened(broker: Callable[[], Broker]) -> Broker | None:
    try:
        return broker()
    except QueueError:
        return None


def behind(tables: Sequence[EventTable], found: Sequence[Status]) -> list[EventTable]:
    """The tables for which something waits, the longest wait first."""
    waiting = [(each.lag_s, table) for table, each in zip(tables, found, strict=True) if each.lag_events]
    return [table for _, table in sorted(waiting, key=lambda each: -each[0])]
