"""`pipeline tasks`: the task API and the engine beneath it, in one process.

In:      the settings, and `open_engine`, which makes the engine and the door for points from them.
Out:     an RSGI application, and a server that runs it until SIGINT or SIGTERM; a process that dies is started again.
Refuses: (BadSetting) wrong settings; (OpenToAll) an API without a token on an address that others reach; (AddressTaken);
         (Misfit) a server that cannot share tasks with those that are there.
What a request asks for may block, so it is answered by a thread: points by some, all else by others, and the loop stays free.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import signal
import socket
import sys
import threading
import uuid
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline_queue.clock import SystemClock
from pipeline_queue.service import Service, ServiceOptions
from pipeline_queue.setting_places import names_of
from pipeline_queue.settings import filled

from pipeline_cli.errors import AddressTaken, OpenToAll
from pipeline_cli.tasks_sharing import check_shareable, shared

if TYPE_CHECKING:
    from pipeline_output.handlers.outcomes import Outcomes
    from pipeline_processing.tasks.api.app import App, Door
    from pipeline_processing.tasks.own_figures import Identity
    from pipeline_processing.tasks.recordings import Recordings
    from pipeline_processing.tasks.replays import Replays
    from pipeline_processing.tasks.settings import TasksSettings
    from pipeline_processing.tasks.task_master import TaskMaster

NAME = "tasks"
CONNECTIONS_MAX = 1024
STOP_WITHIN_S = 15
WRITERS, OTHERS = 4, 8
BEAT_S = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What the API leads to."""

    master: TaskMaster
    recordings: Recordings
    replays: Replays
    door: Door
    ingress: Callable[[], Mapping[Any, int]]
    """Points that came, by database, retention policy and measurement."""
    outcomes: Outcomes
    """Of the delivery of alerts."""


OpenEngine = Callable[["TasksSettings", Service, "Identity", asyncio.AbstractEventLoop], AbstractContextManager[Engine]]


class Worker:
    """The RSGI application of one process; it has its parts from `__rsgi_init__` on."""

    def __init__(self, open_engine: OpenEngine) -> None:
        self._open_engine = open_engine

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        from pipeline_processing.tasks.settings import TasksSettings

        from pipeline_cli.tasks_requests import Requests, Threads

        settings = filled(TasksSettings)
        self._opened = ExitStack()
        with _stoppable(), ExitStack() as opened:
            service = Service(_options(settings))
            app = opened.enter_context(opened_app(lambda *known: self._open_engine(*known, loop), settings, service))
            opened.enter_context(service)  # last: the door's own beats would call it healthy before anybody is answered
            threads = Threads(
                writers=opened.enter_context(ThreadPoolExecutor(WRITERS, "write")),
                forwarded=opened.enter_context(ThreadPoolExecutor(OTHERS, "forwarded")),
                others=opened.enter_context(ThreadPoolExecutor(OTHERS, "tasks")),
            )
            self._requests = Requests(app, settings, threads)
            self._opened = opened.pop_all()
        _beat(service, loop)

    def __rsgi__(self, scope: Any, protocol: Any) -> Coroutine[Any, Any, None]:
        return self._requests.answer(scope, protocol)

    def __rsgi_del__(self, _loop: asyncio.AbstractEventLoop) -> None:
        self._opened.close()


@contextmanager
def opened_app(
    open_engine: Callable[[TasksSettings, Service, Identity], AbstractContextManager[Engine]],
    settings: TasksSettings,
    service: Service,
) -> Iterator[App]:
    """With the tasks that are enabled running."""
    from pipeline_output.state import open_definitions
    from pipeline_processing.tasks.api.access import Access
    from pipeline_processing.tasks.api.app import App, Parts
    from pipeline_processing.tasks.api.elsewhere import Elsewhere
    from pipeline_processing.tasks.api.statistics import Statistics
    from pipeline_processing.tasks.following import Follower
    from pipeline_processing.tasks.own_figures import OwnFigures
    from pipeline_processing.tasks.own_points import OwnPoints
    from pipeline_processing.tasks.registry import TaskRegistry

    store, clock = open_definitions(settings.state_url.get_secret_value()), SystemClock()
    with ExitStack() as opened:
        opened.callback(store.close)
        membership, beats = opened.enter_context(shared(settings))
        identity = _identity(store.url, membership.me.place)
        engine = opened.enter_context(open_engine(settings, service, identity))
        registry = TaskRegistry(store, engine.master, clock, membership)
        opened.enter_context(Follower(beats, membership, registry, engine.replays, engine.recordings))
        figures = OwnFigures(registry, identity, engine.ingress, engine.outcomes.figures)
        if settings.stats_interval_s:
            own = OwnPoints(figures, engine.door, clock, interval_s=settings.stats_interval_s)
            own.start()
            opened.callback(own.stop)
        parts = Parts(
            registry=registry,
            recordings=engine.recordings,
            replays=engine.replays,
            statistics=Statistics(figures),
            outcomes=engine.outcomes,
            door=engine.door,
            clock=clock,
            elsewhere=Elsewhere(membership),
        )
        yield App(parts, Access(settings.token.get_secret_value() if settings.token else None))


@contextmanager
def _stoppable() -> Iterator[None]:
    """What begins here ends at SIGINT or SIGTERM: compiling may take long, and the loop that would hear them waits for it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: sys.exit()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def serve(worker: str, **given: Any) -> None:
    """Run `worker`, `module:name` of a Worker, until told to end; `given` overrides the environment's settings."""
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces, Loops
    from granian.http import HTTP1Settings
    from granian.log import LogLevels
    from pipeline_processing.tasks.settings import TasksSettings

    settings: TasksSettings = filled(TasksSettings, **given)
    _tell_worker({name: value for name, value in given.items() if value is not None})
    address = listening_address(settings)
    check_shareable(settings)
    if settings.token is None:
        log.warning("OPEN: everybody who reaches %s:%d may change tasks; TASKS_TOKEN would ask", address, settings.port)
    Granian(
        worker,
        address=address,
        port=settings.port,
        interface=Interfaces.RSGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=1000 * settings.request_within_s),
        backpressure=CONNECTIONS_MAX,
        websockets=False,
        loop=Loops.uvloop,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_WITHIN_S,
        log_level=LogLevels.warning,
    ).serve()


def listening_address(settings: TasksSettings) -> str:
    """Of the host; raises OpenToAll, AddressTaken."""
    try:
        address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0][4][0]
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        socket.create_server((address, settings.port), family=family).close()
    except OSError as cause:
        raise AddressTaken(settings.host, settings.port, cause, setting="TASKS_PORT") from cause
    is_open = settings.token is None and settings.open_to == "loopback"
    if is_open and not ipaddress.ip_address(address).is_loopback:
        raise OpenToAll(settings.host)
    return address


def _tell_worker(given: Mapping[str, Any]) -> None:
    """It is a process of its own, and reads the environment."""
    from pipeline_processing.tasks.settings import TasksSettings

    for field, value in given.items():
        names = names_of(TasksSettings.model_fields[field])
        for name in [each for each in os.environ if each.upper() in names]:
            del os.environ[name]
        os.environ[names[0]] = str(value)


def _beat(service: Service, loop: asyncio.AbstractEventLoop) -> None:
    service.beat("answering")
    loop.call_later(BEAT_S, _beat, service, loop)


def _identity(state_url: str, place: str) -> Identity:
    """The same for one place and one store, whenever they are asked; two servers of one machine are not one."""
    from pipeline_processing.tasks.own_figures import Identity

    return Identity(
        host=socket.gethostname(),
        server_id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{state_url} {place}")),
        cluster_id=str(uuid.uuid5(uuid.NAMESPACE_URL, state_url)),
    )


def _options(settings: TasksSettings) -> ServiceOptions:
    return ServiceOptions(
        name=NAME,
        stage="processing",
        queue_url=settings.queue_url,
        host=settings.health_host,
        port=settings.health_port,
    )
