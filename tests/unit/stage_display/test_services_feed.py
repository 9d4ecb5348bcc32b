"""Heartbeats as a feed: who stopped minutes ago is still told to a page that is opened now."""

from __future__ import annotations

import json
import secrets
import time
from threading import Event

import pytest
from pipeline_display.feeds import services
from pipeline_display.feeds.feed import Feed, Status
from pipeline_display.feeds.places import PlacesReader
from pipeline_display.feeds.ring import Ring
from pipeline_display.feeds.services import FORGET_S, ServicesReader
from pipeline_display.wakeup import Bell
from pipeline_queue.brokers import Broker, open_broker
from pipeline_queue.codec import blocks
from pipeline_queue.events import event_id, event_type
from pipeline_queue.topics import HEARTBEATS, TOPICS

FIGURES = {"events_in": 1, "events_out": 1, "dead": 0, "late": 0, "lag": 0, "latency_s": 0.0}


def queue_of(name: str) -> Broker:
    broker = open_broker(name)
    broker.create(TOPICS.values())
    return broker


def beat(broker: Broker, service: str, seq: int, *, age_s: float = 0.0) -> None:
    heartbeat = event_type(HEARTBEATS)(
        event_id=event_id(service, seq),
        time_ns=time.time_ns() - round(age_s * 1e9),
        producer=service,
        seq=seq,
        service=service,
        stage="input",
        healthy=True,
        doing="",
        **FIGURES,
    )
    broker.publish(HEARTBEATS.name, blocks(HEARTBEATS, [heartbeat]))


def seen(reader: ServicesReader) -> list[tuple[str, int]]:
    return [(row["service"], row["seq"]) for body in reader.look().bodies for row in json.loads(body)["rows"]]


def test_each_second_the_newest_heartbeat_of_every_service_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "ALL_EVERY_S", 3600.0)  # a second passes when it is told to
    url = f"memory://{secrets.token_hex(4)}"
    broker, reader = queue_of(url), ServicesReader(url)
    beat(broker, "stopped", 7)
    first = seen(reader)
    beat(broker, "alive", 1)
    between = seen(reader)
    reader._all_due_s = 0.0
    beat(broker, "alive", 2)
    assert (first, between, seen(reader)) == ([("stopped", 7)], [("alive", 1)], [("stopped", 7), ("alive", 2)])


def test_a_service_that_is_long_gone_is_forgotten() -> None:
    url = f"memory://{secrets.token_hex(4)}"
    beat(queue_of(url), "gone", 1, age_s=FORGET_S + 1)
    assert seen(ServicesReader(url)) == []


def feed_that_is(away: str) -> Feed:
    feed = Feed(ServicesReader("memory://unused"), Ring(history_s=1, bytes_max=1), bell=Bell(), stopping=Event())
    feed.status = Status(away=away)
    return feed


def test_places_are_told_once_and_again_when_they_change() -> None:
    disk = feed_that_is("it sleeps")
    reader = PlacesReader(feed_that_is(""), {"demo5": disk}, {"demo5": "disk"}, sleep=lambda _: None)
    told = [reader.look().bodies for _ in range(2)]
    disk.status = Status()
    told.append(reader.look().bodies)
    store = {"name": "disk", "rate": 0.0, "unit": "rows/s"}
    places = {"queue": {"queue": {"name": "queue", "away": "", "rate": None, "unit": ""}}}
    assert [[json.loads(body) for body in bodies] for bodies in told] == [
        [places | {"output": {"demo5": store | {"away": "it sleeps"}}}],
        [],
        [places | {"output": {"demo5": store | {"away": ""}}}],
    ]
