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
from dataclasses import dataclass, replace
from functools import partial

from pipeline_queue.brokers import Broker, open_broker
from pipeline_queue.clock import Clock, SystemClock
from pipeline_queue.service import Service, ServiceOptions, essential_thread
from pipeline_queue.service_events import event_types

from pipeline_output.errors import DatabaseUnavailable, TableHeldUp
from pipeline_output.loader import open_database
from pipeline_output.loader.event_table import EventTable, event_tables
from pipeline_output.loader.rehearsal import Rehearsed, rehearse
from pipeline_output.loader.rounds import Place, Rounds, behind
from pipeline_output.loader.schedule import Schedule
from pipeline_output.loader.settings import LoaderSettings
from pipeline_output.loader.status import Status, statuses
from pipeline_output.loader.telling import Untold
from pipeline_output.loader.turn import Loaded, Loading, leave_unburied
from pipeline_output.loader.workers import Crew, load_all

TICK_S = 1.0
STALE_S = 60.0
"""A turn of a slow database is no fault; the other services' ten seconds are too few for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """A place and how often it is loaded; `service` is how its heartbeat calls it, `suffix` what a type is called there."""

    service: str
    suffix: str
    place: Place
    schedule: Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Of a load that ended: by type what was loaded, which tables are held up, and what of the whole was away."""

    loaded: Mapping[str, Counter[str]]
    held_up: Sequence[TableHeldUp]
    away: DatabaseUnavailable | None


def load(settings: LoaderSettings) -> None:
    """Load until SIGINT or SIGTERM; a turn that is under way is finished."""
    run_until(_stopped_by_signals(), settings, SystemClock())


def run_until(stopped: Callable[[], bool], settings: LoaderSettings, clock: Clock) -> None:
    """Each aim in a thread of its own, so that one that stands still delays no other; should one fail, the process ends."""
    first, *others = aims(settings, clock)
    threads = [essential_thread(partial(_run, each, stopped, settings)) for each in others]
    for thread in threads:
        thread.start()
    _run(first, stopped, settings)
    for thread in threads:
        thread.join()


def load_once(settings: LoaderSettings) -> list[Outcome]:
    """Return when nothing is left that no other loader is at, or a signal came."""
    stopped = _stopped_by_signals()
    return [_load_once(each, stopped) for each in aims(settings, SystemClock())]


def rehearsed(settings: LoaderSettings) -> list[Rehearsed]:
    found = []
    for aim in aims(settings, SystemClock()):
        with closing(aim.place.opened()) as looking:
            progress = looking.database.progress()
            each_of = [rehearse(looking.broker, table, progress) for table in aim.place.tables]
        found += [replace(each, type=each.type + aim.suffix) for each in each_of]
    return found


def standing(settings: LoaderSettings) -> list[Status]:
    found = []
    for aim in aims(settings, SystemClock()):
        with closing(aim.place.opened()) as looking:
            found += [replace(each, type=each.type + aim.suffix) for each in _standing(aim.place, looking)]
    return found


def aims(settings: LoaderSettings, clock: Clock) -> list[Aim]:
    """The database, and the folder of Parquet files if there is one."""
    tables = event_tables(event_types().values())
    broker = partial(open_broker, settings.queue_url, durability=settings.durability)
    database = Place(
        tables=tables,
        opened=partial(_opened, settings.url, broker, _loading(settings, clock)),
        broker=broker,
        clock=clock,
        workers=settings.workers,
    )
    found = [Aim(service="loader", suffix="", place=database, schedule=_schedule(settings, settings.interval_s))]
    if settings.parquet_url is not None:
        unburied = partial(_loading(settings, clock), bury=leave_unburied)
        opened = partial(_opened, settings.parquet_url, broker, unburied)
        folder = replace(database, opened=opened, workers=1, telling=Untold())
        schedule = _schedule(settings, settings.parquet_interval_s)
        found.append(Aim(service="loader-parquet", suffix=" in Parquet", place=folder, schedule=schedule))
    return found


def _run(aim: Aim, stopped: Callable[[], bool], settings: LoaderSettings) -> None:
    options = ServiceOptions(
        name=aim.service,
        stage="output",
        queue_url=settings.queue_url,
        host=settings.health_host,
        port=settings.health_port if aim.service == "loader" else 0,
        stale_s=STALE_S,
    )
    with Service(options) as service, closing(Rounds(aim.place, aim.schedule, service, stopped)) as rounds:
        while not stopped():
            rounds.go_round()
            aim.place.clock.sleep(TICK_S)


def _load_once(aim: Aim, stopped: Callable[[], bool]) -> Outcome:
    found: dict[str, Counter[str]] = {}
    troubles: dict[str, TableHeldUp] = {}

    def told(table: EventTable, loaded: Loaded) -> None:
        counted = {"events": loaded.events.total(), "new": loaded.new, "dead": loaded.dead.total(), "gone": loaded.gone}
        found.setdefault(table.name + aim.suffix, Counter()).update(counted)

    def hold_up(table: EventTable, trouble: TableHeldUp) -> None:
        troubles[table.name] = trouble

    at, away = aim.place, None
    try:
        with closing(at.prepared(hold_up)) as looking:
            waiting = [each for each in behind(at.tables, _standing(at, looking)) if each.name not in troubles]
        load_all(waiting, Crew(size=at.workers, opened=at.opened, told=told, held_up=hold_up, stopped=stopped))
    except DatabaseUnavailable as trouble:
        away = trouble
    return Outcome(loaded=found, held_up=[*troubles.values()], away=away)


def _stopped_by_signals() -> Callable[[], bool]:
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    return stopping.is_set


def _schedule(settings: LoaderSettings, interval_s: float) -> Schedule:
    return Schedule(
        interval_s=interval_s, min_interval_s=settings.min_interval_s, backlog_events=settings.backlog_events
    )


def _standing(at: Place, looking: Loading) -> list[Status]:
    return statuses(looking.broker, at.tables, looking.database.progress(), at.clock.now_ns())


def _loading(settings: LoaderSettings, clock: Clock) -> Callable[..., Loading]:
    return partial(Loading, clock=clock, chunk_rows=settings.chunk_rows)


def _opened(url: str, broker: Callable[[], Broker], loading: Callable[..., Loading]) -> Loading:
    database = open_database(url)
    try:
        return loading(database=database, broker=broker())
    except BaseException:
        database.close()
        raise
