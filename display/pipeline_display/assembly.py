"""The feeds that the pages follow, by name.

In:   settings.
Out:  a feed for each demo under the demo's name, and more for every page: `heartbeats`, the services' figures, `watch`,
      sample records and the dead letters, `places`, whether queue and stores answer, `audit`, the ledger against the
      stores, `events`, what collectors and loader tell, `sent`, what became of events sent from a page, `tasks`, `task` and
      `answers`, what the task API says of all tasks, of one, and to wishes, and `alerts`.
A demo whose store is not configured has no feed, and without a collector there is no `sent`.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from pipeline_output.tables import TABLES
from pipeline_queue.topics import TOPICS

from pipeline_display.demos import DEMOS, Demo
from pipeline_display.feeds.alerts import AlertsReader
from pipeline_display.feeds.audit import AuditReader
from pipeline_display.feeds.events import EventsReader
from pipeline_display.feeds.feed import Feed, Feeds, Figures, Reader
from pipeline_display.feeds.places import PlacesReader
from pipeline_display.feeds.ring import Ring
from pipeline_display.feeds.sent import SentReader
from pipeline_display.feeds.services import ServicesReader
from pipeline_display.feeds.settled import SettledReader
from pipeline_display.feeds.task_api import TaskApi
from pipeline_display.feeds.task_wishes import TaskWishesReader
from pipeline_display.feeds.tasks import LookedAtReader, one_task, task_list
from pipeline_display.feeds.topic import TopicReader
from pipeline_display.feeds.watch import WatchReader
from pipeline_display.feeds.windows import WindowReader
from pipeline_display.handed_in import HandedIn
from pipeline_display.path import store_of
from pipeline_display.settings import DisplaySettings
from pipeline_display.wakeup import Bell

RING_BYTES_MAX = 32 * 1024 * 1024
"""Ten minutes of 1,000 random numbers a second are 29 MB; a faster topic keeps less time."""
FIGURES_HISTORY_S = 15.0
"""Rates on a page come from the last heartbeats; a service is given up after 5 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every feed shares."""

    bell: Bell
    stopping: threading.Event
    figures: Figures
    handed_in: HandedIn


def feeds_of(settings: DisplaySettings, around: Surroundings) -> Feeds:
    """The feeds, not started."""
    of_demos = dict(_demo_feeds(settings, around))
    beats = ServicesReader(settings.queue_url)
    topics = sorted({demo.topic for demo in DEMOS.values() if demo.table})
    watch = _short(WatchReader(settings.queue_url, topics, sleep=around.stopping.wait), around)
    stores = {name: feed for name, feed in of_demos.items() if DEMOS[name].store}
    names = {name: urlsplit(store_of(DEMOS[name], settings.store_urls) or "").scheme for name in stores}
    places = PlacesReader(watch, stores, names, sleep=around.stopping.wait)
    audit = AuditReader(settings.ledger_dir, settings.store_urls, sleep=around.stopping.wait)
    shared: dict[str, Reader] = {
        "heartbeats": beats,
        "places": places,
        "audit": audit,
        "events": EventsReader(settings.queue_url),
    }
    if settings.collector_url:
        token = settings.events_token.get_secret_value() if settings.events_token else None
        shared["sent"] = SentReader(around.handed_in.outbox, settings.queue_url, settings.collector_url, token)
    shared |= _task_readers(settings, around.handed_in)
    alerts = _feed(AlertsReader(settings.queue_url), math.inf, around)
    return of_demos | {"watch": watch, "alerts": alerts} | {name: _short(each, around) for name, each in shared.items()}


def _task_readers(settings: DisplaySettings, handed_in: HandedIn) -> dict[str, Reader]:
    token = settings.tasks_token.get_secret_value() if settings.tasks_token else None
    api = TaskApi(settings.tasks_url, token)
    return {
        "tasks": LookedAtReader(handed_in.list_looks, task_list(api)),
        "task": LookedAtReader(handed_in.task_looks, one_task(api)),
        "answers": TaskWishesReader(handed_in.wishes, api),
    }


def _demo_feeds(settings: DisplaySettings, around: Surroundings) -> Iterator[tuple[str, Feed]]:
    for demo in DEMOS.values():
        if reader := _reader(demo, settings, around.stopping):
            history_s = math.inf if demo.is_settled else settings.history_s
            ring = Ring(history_s=history_s, bytes_max=RING_BYTES_MAX)
            yield demo.name, Feed(reader, ring, bell=around.bell, stopping=around.stopping, figures=around.figures)


def _short(reader: Reader, around: Surroundings) -> Feed:
    """A feed that remembers little."""
    return _feed(reader, FIGURES_HISTORY_S, around)


def _feed(reader: Reader, history_s: float, around: Surroundings) -> Feed:
    """One that is no part of the service's own figures."""
    ring = Ring(history_s=history_s, bytes_max=RING_BYTES_MAX)
    return Feed(reader, ring, bell=around.bell, stopping=around.stopping)


def _reader(demo: Demo, settings: DisplaySettings, stopping: threading.Event) -> Reader | None:
    if not demo.table:
        return TopicReader(settings.queue_url, TOPICS[demo.topic], history_s=settings.history_s)
    url = store_of(demo, settings.store_urls)
    if url is None:
        return None
    if demo.is_settled:
        return SettledReader(url, [TABLES[name] for name in demo.tables], sleep=stopping.wait)
    return WindowReader(url, TABLES[demo.table], history_s=settings.history_s, sleep=stopping.wait)
