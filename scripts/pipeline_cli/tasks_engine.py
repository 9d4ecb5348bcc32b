"""What `pipeline tasks` is made of: the engine on the queue, the door for points, the delivery of alerts.

In:      the settings.
Out:     an Engine, whose threads end when its context is left.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pipeline_queue.alerts import Alert
from pipeline_queue.brokers import Broker, open_broker
from pipeline_queue.catalog import topics
from pipeline_queue.clock import SystemClock
from pipeline_queue.service import Service
from pipeline_queue.settings import filled

from pipeline_cli.tasks_service import Engine, Worker

if TYPE_CHECKING:
    from pipeline_input.points_door.answers import Answer
    from pipeline_input.points_door.door import PointsDoor
    from pipeline_output.handlers.settings import AlertSettings
    from pipeline_processing.engine.live import Live
    from pipeline_processing.engine.posting import Reach
    from pipeline_processing.tasks.own_figures import Identity
    from pipeline_processing.tasks.settings import TasksSettings
    from prometheus_client import CollectorRegistry

WRITTEN_WITHIN_S = 60.0
REPLAYS_WITHIN_S = 0.1
"""Each; nothing of them is kept."""
TASKS_WITHIN_S = 2.0
"""To end a step and write a snapshot at a stop; a step that compiles what it needs may take ten times as long."""
TAKEN_PAUSE_S = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Door:
    """The door for points, from threads that are not its loop's."""

    door: PointsDoor
    loop: asyncio.AbstractEventLoop

    def __call__(self, body: bytes, query: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        from pipeline_input.points_door.writing import Write

        write = Write(
            body=body,
            database=query.get("db", ""),
            retention_policy=query.get("rp", ""),
            precision=query.get("precision", ""),
            encoding=headers.get("content-encoding"),
        )
        return asyncio.run_coroutine_threadsafe(self.door.write(write), self.loop).result(WRITTEN_WITHIN_S)


@contextmanager
def opened(
    settings: TasksSettings, service: Service, identity: Identity, loop: asyncio.AbstractEventLoop
) -> Iterator[Engine]:
    """With nothing running yet."""
    from pipeline_input.points_door.door import PointsDoor
    from pipeline_output.handlers.outcomes import Outcomes
    from pipeline_output.handlers.settings import AlertSettings
    from pipeline_processing.alerts.event import Place
    from pipeline_processing.engine.task_master import TaskMaster
    from pipeline_processing.tasks.kept_recordings import KeptRecordings
    from pipeline_processing.tasks.kept_replays import KeptReplays

    alerts: AlertSettings = filled(AlertSettings, health_port=0)
    broker = partial(open_broker, settings.queue_url, durability=settings.durability)
    with closing(broker()) as first:
        first.create(topics().values())
    with ExitStack() as stack:
        stack.enter_context(_delivering(alerts, service.registry))
        live = _live(settings, _reach(settings, alerts), broker)
        stack.callback(live.close)
        server = Place(hostname=identity.host, cluster_id=identity.cluster_id, server_id=identity.server_id)
        master = TaskMaster(live, live.reader, server=server, deadman=settings.deadman)
        stack.callback(master.close, TASKS_WITHIN_S)
        recordings = KeptRecordings(settings.folder / "recordings", broker)
        stack.callback(recordings.close)
        replays = KeptReplays(recordings, master)
        stack.callback(replays.close, REPLAYS_WITHIN_S)
        door = PointsDoor(broker, service, loop, bytes_max=settings.body_bytes_max)
        stack.callback(door.stop)
        door.warm_up()
        yield Engine(
            master=master,
            recordings=recordings,
            replays=replays,
            door=Door(door, loop),
            ingress=live.ingress.counts,
            outcomes=Outcomes(alerts.state_dir),
        )


def _live(settings: TasksSettings, reach: Reach, broker: Callable[[], Broker]) -> Live:
    from pipeline_processing.engine.inhibitions import Inhibitions
    from pipeline_processing.engine.limits import Limits
    from pipeline_processing.engine.live import Live
    from pipeline_processing.engine.world import World
    from pipeline_processing.points.reading import Reader

    inhibitions = Inhibitions()
    return Live(
        open_broker=broker,
        folder=settings.folder / "running",
        reader=Reader(),
        open_outlets=lambda definition: World(definition, open_broker=broker, reach=reach, inhibitions=inhibitions),
        snapshot_interval_s=settings.snapshot_interval_s,
        limits=Limits(
            forget_after_s=settings.forget_groups_after_s or None,
            groups_max=settings.groups_max,
            state_bytes_max=settings.state_bytes_max,
        ),
        endpoints=frozenset(reach.endpoints),
    )


def _reach(settings: TasksSettings, alerts: AlertSettings) -> Reach:
    from pipeline_output.handlers.endpoints import endpoints_of
    from pipeline_processing.engine.posting import Reach

    return Reach(
        allowed=alerts.targets.allowed_url,
        influx_url=settings.influx_url,
        influx_authorization=influx_authorization(settings),
        endpoints=endpoints_of(alerts.endpoints_file),
    )


def influx_authorization(settings: TasksSettings) -> str:
    """The header, for an InfluxDB that asks; empty for one that does not."""
    from pipeline_processing.engine.over_http import basic

    if settings.influx_token:
        return f"Token {settings.influx_token.get_secret_value()}"
    if settings.influx_user and settings.influx_password:
        return basic(settings.influx_user, settings.influx_password.get_secret_value())
    return ""


@contextmanager
def _delivering(settings: AlertSettings, registry: CollectorRegistry) -> Iterator[None]:
    """Alerts are delivered by a thread of their own until this is left, unless another process does it, and then after that."""
    stopping = threading.Event()
    thread = threading.Thread(target=_deliver, args=(stopping, settings, registry), name="deliveries", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def _deliver(stopping: threading.Event, settings: AlertSettings, registry: CollectorRegistry) -> None:
    from pipeline_output.errors import DeliveriesTaken
    from pipeline_output.handlers.service import run_until

    is_told = False
    while not stopping.is_set():
        try:
            return run_until(stopping.is_set, settings, SystemClock(), _filled, registry)
        except DeliveriesTaken as taken:
            if not is_told:
                log.info("waiting to deliver alerts: %s", taken)
            is_told = True
            stopping.wait(TAKEN_PAUSE_S)


def _filled(url: str, alert: Alert | None) -> str:
    """Raises ValueError, as handlers expect it, who know of no templates."""
    from pipeline_processing.alerts.templates import TemplateFailed
    from pipeline_processing.alerts.urls import of_alert

    try:
        return of_alert(url, alert)
    except TemplateFailed as cause:
        raise ValueError(str(cause)) from cause


worker = Worker(opened)
