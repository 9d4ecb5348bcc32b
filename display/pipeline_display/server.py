"""The display as a service: feeds in threads, pages and Socket.IO in the mode that the settings choose.

In:   settings. Out: pages until SIGTERM or SIGINT, then everything ends within two seconds.
The loop here is the only one that sends to pages: it waits for the bell, delivers one message at most to each page, and
beats as long as every feed reached its place lately.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from engineio.exceptions import SocketIsClosedError
from engineio.packet import MESSAGE
from engineio.packet import Packet as EnginePacket
from flask_socketio import SocketIO
from pipeline_queue.service import BROKEN, STALE_S, Service, ServiceOptions
from socketio.packet import EVENT

from pipeline_display.app import Parts, add_messages, create_app
from pipeline_display.assembly import Surroundings, feeds_of
from pipeline_display.delivery import Delivery
from pipeline_display.feeds.feed import Feeds, followed
from pipeline_display.handed_in import HandedIn
from pipeline_display.modes import Mode, mode_of
from pipeline_display.port import listen
from pipeline_display.settings import DisplaySettings
from pipeline_display.wakeup import Bell

ROUND_S = 1.0
"""The longest wait of the delivery loop; it beats after each."""
TICK_S = 1 / 60
"""A page gets messages no faster than a screen draws. The first after a pause is not held up."""
GAP_S = 0.004
"""Between two rounds, or as long as a round took: what feeds have in the same moment goes together, and rounds take half of a core at most."""
JOIN_S = 1.0

log = logging.getLogger(__name__)


def run(settings: DisplaySettings) -> None:
    """Serve until SIGTERM or SIGINT; says where as soon as the pages answer. Raises PortTaken."""
    listening = listen(settings.host, settings.port)
    address = f"http://{settings.host}:{listening.getsockname()[1]}/"
    stop, bell, stopping, mode = Bell(), Bell(), threading.Event(), mode_of(settings.async_mode)
    with Service(_options(settings)) as service, _Signals(stop):
        handed_in = HandedIn()
        feeds = feeds_of(settings, Surroundings(bell=bell, stopping=stopping, figures=service, handed_in=handed_in))
        app, socketio = create_app(Parts(settings=settings, service=service, bell=bell))
        delivery = Delivery(followed(feeds), _sender(socketio), tick_s=TICK_S)
        add_messages(socketio, delivery, bell, handed_in)
        for name, feed in feeds.items():
            feed.start(name)
        bell.ring()  # the first round comes at once: until then the service is not healthy
        mode.spawn(_Rounds(mode, bell, delivery, feeds, service).run)
        mode.serve(listening, app)
        log.info("the pages are at %s", address)
        while not mode.wait(stop, 3600.0):
            pass
        stopping.set()
        mode.stop()
        _join(feeds)


class _Rounds:
    """The delivery loop."""

    def __init__(self, mode: Mode, bell: Bell, delivery: Delivery, feeds: Feeds, service: Service) -> None:
        self._mode = mode
        self._bell = bell
        self._delivery = delivery
        self._feeds = feeds
        self._service = service
        self._pause = Bell()

    def run(self) -> None:
        """For ever; bad code ends the process, as in any essential thread, though this may be a green one."""
        try:
            self._go_round()
        except Exception:
            log.critical("the delivery loop failed, so this process ends", exc_info=True)
            os._exit(BROKEN)

    def _go_round(self) -> None:
        is_behind = False
        while True:
            self._mode.wait(self._bell, GAP_S if is_behind else ROUND_S)
            began = time.monotonic()
            is_behind = self._delivery.deliver()
            self._beat()
            self._mode.wait(self._pause, max(GAP_S, time.monotonic() - began))

    def _beat(self) -> None:
        """Beat unless a feed is cut off: then the health check says which one and why."""
        cut_off = {name: feed for name, feed in self._feeds.items() if feed.silent_s() > STALE_S / 2}
        self._service.set_lag(sum(feed.lag for feed in self._feeds.values()))
        if cut_off:
            name, feed = next(iter(cut_off.items()))
            self._service.doing = f"feed {name}: {feed.status.away or 'its thread has ended'}"
        else:
            self._service.beat(f"feeds: {len(self._feeds)}, open pages: {self._delivery.pages}")


class _Signals:
    """Rings on SIGTERM and SIGINT while inside; does nothing outside the main thread, where signals do not arrive."""

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> _Signals:
        if threading.current_thread() is threading.main_thread():
            for each in (signal.SIGTERM, signal.SIGINT):
                self._before[each] = signal.signal(each, lambda *_: self._bell.ring())
        return self

    def __exit__(self, *_: object) -> None:
        for each, before in self._before.items():
            signal.signal(each, before)


def _options(settings: DisplaySettings) -> ServiceOptions:
    return ServiceOptions(
        name="display",
        stage="display",
        queue_url=settings.queue_url,
        host=settings.health_host,
        port=settings.health_port,
    )


def _sender(socketio: SocketIO) -> Callable[[Mapping[str, Any], list[str]], None]:
    """Sends one message to many pages: it becomes a packet once, and each page's socket gets that packet."""
    server = socketio.server

    def send(message: Mapping[str, Any], pages: list[str]) -> None:
        event = server.packet_class(EVENT, data=["news", message], binary=False)
        packet = EnginePacket(MESSAGE, data=event.encode())
        for page in pages:
            # A page may leave in just this moment, in a thread of its own; the others must get theirs all the same.
            with contextlib.suppress(KeyError, SocketIsClosedError):
                server.eio.send_packet(server.manager.eio_sid_from_sid(page, "/"), packet)

    return send


def _join(feeds: Feeds) -> None:
    deadline_s = time.monotonic() + JOIN_S
    for feed in feeds.values():
        feed.join(max(0.0, deadline_s - time.monotonic()))
