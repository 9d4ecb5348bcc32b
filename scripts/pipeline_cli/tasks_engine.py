"""What `pipeline tasks` is made of: the engine on the queue, the door for points, the delivery of alerts.

Nothing here is pure: threads begin and end with `opened`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

from pipeline_input.points_door import PointsDoor
from pipeline_output.handlers.deliveries import Deliveries
from pipeline_output.handlers.settings import AlertSettings
from pipeline_processing.engine.live import Live
from pipeline_processing.engine.task_master import TaskMaster
from pipeline_processing.engine.world import World
from pipeline_processing.points.reading import Registry
from pipeline_processing.tasks.api.statistics import Figure
from pipeline_processing.tasks.kept_recordings import KeptRecordings
from pipeline_processing.tasks.kept_replays import KeptReplays
from pipeline_processing.tasks.settings import TasksSettings
from pipeline_processing.tasks.task_master import TaskDefinition
from pipeline_queue.brokers import Broker, open_broker
from pipeline_queue.catalog import topics
from pipeline_queue.clock import SystemClock
from pipeline_queue.errors import QueueError
from pipeline_queue.service import Service
from pipeline_queue.settings import filled

from pipeline_cli.tasks_service import Engine, Worker

LOG = logging.getLogger(__name__)
WAIT_S = 0.5
AWAY_S = 1.0


@contextmanager
def opened(settings: TasksSettings, service: Service) -> Iterator[Engine]:
    """The engine, with nothing running yet; all of it ends on leaving."""
    alert_settings: AlertSettings = filled(AlertSettings)

    def broker() -> Broker:
        return open_broker(settings.queue_url, durability=settings.durability)

    with ExitStack() as stack:
        first = broker()
        first.create(topics().values())
        first.close()
        stack.enter_context(_delivering(alert_settings, broker))
        registry = Registry()

        def world(definition: TaskDefinition) -> World:
            return World(
                definition,
                broker=broker(),
                allowed=alert_settings.targets.allowed_url,
                influx_url=settings.influx_url,
            )

        live = Live(open_broker=broker, folder=settings.folder / "running", registry=registry, open_outlets=world)
        stack.callback(live.close)
        master = TaskMaster(live, registry)
        stack.callback(master.close)
        door = stack.enter_context(PointsDoor(broker, settings))
        recordings = KeptRecordings(settings.folder / "recordings", broker)
        stack.callback(recordings.close)
        replays = KeptReplays(recordings, master)
        stack.callback(replays.close)
        yield Engine(
            master=master, recordings=recordings, replays=replays, door=door.write, figures=lambda: _figures(door)
        )


@contextmanager
def _delivering(settings: AlertSettings, open_: object) -> Iterator[None]:
    """Alerts are delivered by a thread of their own until this is left."""
    stopping = threading.Event()

    def deliver() -> None:
        broker = open_()
        with Deliveries(settings, SystemClock()) as deliveries:
            while not stopping.is_set():
                try:
                    deliveries.read_on(broker, wait_s=WAIT_S)
                except QueueError as error:
                    LOG.warning("delivering alerts: %s", error)
                    stopping.wait(AWAY_S)
        broker.close()

    thread = threading.Thread(target=deliver, name="deliveries", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def _figures(door: PointsDoor) -> Iterable[Figure]:
    for (database, policy, measurement), points in door.received().items():
        tags = {"database": database, "retention_policy": policy, "measurement": measurement}
        yield Figure(name="ingress", tags=tags, values={"points_received": points})


worker = Worker(opened)
