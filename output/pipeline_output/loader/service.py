"""The service `loader`, and what the command line asks of it.

In:   settings.
Out:  `load` runs until SIGINT or SIGTERM, `load_once` until nothing is left; `rehearsed` and `standing` only look.
"""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from pipeline_queue.brokers import open_broker
from pipeline_queue.clock import Clock, SystemClock
from pipeline_queue.service import Service, ServiceOptions
from pipeline_queue.service_events import event_types

from pipeline_output.errors import TableHeldUp
from pipeline_output.loader import open_database
from pipeline_output.loader.event_table import EventTable, event_tables
from pipeline_output.loader.rehearsal import Rehearsed, rehearse
from pipeline_output.loader.rounds import Place, Rounds, behind
from pipeline_output.loader.schedule import Schedule
from pipeline_output.loader.settings import LoaderSettings
from pipeline_output.loader.status import Status, statuses
from pipeline_output.loader.turn import Loaded, Loading
from pipeline_output.loader.workers import Crew, load_all

TICK_S = 1.0
STALE_S = 60.0
"""A turn of a slow database is no fault; the other services' ten seconds are too few for it."""


def load(settings: LoaderSettings) -> None:
    """Load until SIGINT or SIGTERM; a turn that is under way is finished."""
    run_until(_stopped_by_signals(), settings, SystemClock())


def run_until(stopped: Callable[[], bool], settings: LoaderSettings, clock: Clock) -> None:
    options = ServiceOptions(
        name="loader",
        stage="output",
        queue_url=settings.queue_url,
        host=settings.health_host,
        port=settings.health_port,
        stale_s=STALE_S,
    )
    schedule = Schedule(
        interval_s=settings.interval_s,
        min_interval_s=settings.min_interval_s,
        backlog_events=settings.backlog_events,
    )
    with Service(options) as service, closing(Rounds(place(settings, clock), schedule, service, stopped)) as rounds:
        while not stopped():
            rounds.go_round()
            clock.sleep(TICK_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Of a load that ended: by type what was loaded, and which tables are held up."""

    loaded: Mapping[str, Counter[str]]
    held_up: Sequence[TableHeldUp]


def load_once(settings: LoaderSettings) -> Outcome:
    """Return when nothing is left that no other loader is at, or a signal came."""
    at = place(settings, SystemClock())
    found: dict[str, Counter[str]] = {}
    troubles: dict[str, TableHeldUp] = {}

    def told(table: EventTable, loaded: Loaded) -> None:
        counted = {"events": loaded.events.total(), "new": loaded.new, "dead": loaded.dead.total(), "gone": loaded.gone}
        found.setdefault(table.name, Counter()).update(counted)

    def hold_up(table: EventTable, trouble: TableHeldUp) -> None:
        troubles[table.name] = trouble

    with closing(at.prepared(hold_up)) as looking:
        waiting = [each for each in behind(at.tables, _standing(at, looking)) if each.name not in troubles]
    crew = Crew(size=at.workers, opened=at.opened, told=told, held_up=hold_up, stopped=_stopped_by_signals())
    load_all(waiting, crew)
    return Outcome(loaded=found, held_up=[*troubles.values()])


def rehearsed(settings: LoaderSettings) -> list[Rehearsed]:
    at = place(settings, SystemClock())
    with closing(at.opened()) as looking:
        progress = looking.database.progress()
        return [rehearse(looking.broker, table, progress) for table in at.tables]


def standing(settings: LoaderSettings) -> list[Status]:
    at = place(settings, SystemClock())
    with closing(at.opened()) as looking:
        return _standing(at, looking)


def place(settings: LoaderSettings, clock: Clock) -> Place:
    return Place(
        tables=event_tables(event_types().values()),
        opened=partial(_opened, settings, clock),
        broker=partial(open_broker, settings.queue_url, durability=settings.durability),
        clock=clock,
        workers=settings.workers,
    )


def _stopped_by_signals() -> Callable[[], bool]:
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    return stopping.is_set


def _standing(at: Place, looking: Loading) -> list[Status]:
    return statuses(looking.broker, at.tables, looking.database.progress(), at.clock.now_ns())


def _opened(settings: LoaderSettings, clock: Clock) -> Loading:
    database = open_database(settings.url)
    try:
        broker = open_broker(settings.queue_url, durability=settings.durability)
    except BaseException:
        database.close()
        raise
    return Loading(broker=broker, database=database, clock=clock, chunk_rows=settings.chunk_rows)
