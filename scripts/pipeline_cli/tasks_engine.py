"""What `pipeline tasks` is made of: the engine on the queue, the door for points, the delivery of alerts.

In:      the settings.
Out:     an Engine, whose threads end when its context is left.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    from pipeline_processing.engine.world import World
    from pipeline_processing.tasks.settings import TasksSettings
    from pipeline_processing.tasks.task_master import TaskDefinition

WRITTEN_WITHIN_S = 60.0
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
def opened(settings: TasksSettings, service: Service, loop: asyncio.AbstractEventLoop) -> Iterator[Engine]:
    """With nothing running yet."""
    from pipeline_input.points_door.door import PointsDoor
    from pipeline_output.handlers.settings import AlertSettings
    from pipeline_processing.engine.live import Live
    from pipeline_processing.engine.task_master import TaskMaster
    from pipeline_processing.engine.world import World
    from pipeline_processing.points.reading import Reader
    from pipeline_processing.tasks.kept_recordings import KeptRecordings
    from pipeline_processing.tasks.kept_replays import KeptReplays

    alerts: AlertSettings = filled(AlertSettings, health_port=0)

    def broker() -> Broker:
        return open_broker(settings.queue_url, durability=settings.durability)

    def world(definition: TaskDefinition) -> World:
        return World(definition, open_broker=broker, allowed=alerts.targets.allowed_url, influx_url=settings.influx_url)

    first = broker()
    first.create(topics().values())
    first.close()
    with ExitStack() as stack:
        stack.enter_context(_delivering(alerts))
        reader = Reader()
        live = Live(
            open_broker=broker,
            folder=settings.folder / "running",
            reader=reader,
            open_outlets=world,
            snapshot_interval_s=settings.snapshot_interval_s,
        )
        stack.callback(live.close)
        master = TaskMaster(live, reader)
        stack.callback(master.close)
        recordings = KeptRecordings(settings.folder / "recordings", broker)
        stack.callback(recordings.close)
        replays = KeptReplays(recordings, master)
        stack.callback(replays.close)
        door = PointsDoor(broker, service, loop, bytes_max=settings.body_bytes_max)
        stack.callback(door.stop)
        door.warm_up()
        yield Engine(master=master, recordings=recordings, replays=replays, door=Door(door, loop), figures=lambda: ())


@contextmanager
def _delivering(settings: AlertSettings) -> Iterator[None]:
    """Alerts are delivered by a thread of their own until this is left, unless another process does it, and then after that."""
    stopping = threading.Event()
    thread = threading.Thread(target=_deliver, args=(stopping, settings), name="deliveries", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def _deliver(stopping: threading.Event, settings: AlertSettings) -> None:
    from pipeline_output.errors import DeliveriesTaken
    from pipeline_output.handlers.service import run_until

    is_told = False
    while not stopping.is_set():
        try:
            return run_until(stopping.is_set, settings, SystemClock())
        except DeliveriesTaken as taken:
            if not is_told:
                log.info("waiting to deliver alerts: %s", taken)
            is_told = True
            stopping.wait(TAKEN_PAUSE_S)


worker = Worker(opened)
