"""Group commit: who is answered when, and what the queue has then, while it works, fails or hangs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from collector_at_hand import SOUND, Collector, Protocol, collector, done
from pipeline_input.collector import group_commit

PURCHASE = {"event_name": "purchase", "user_id": 1, "timestamp": 2, "sku": "s"}


async def sent(here: Collector, count: int) -> list[asyncio.Task[Protocol]]:
    """So many requests at once, each as far as it gets by itself."""
    tasks = [asyncio.create_task(here.ask("/", SOUND | {"timestamp": i})) for i in range(count)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


@contextmanager
def impatient() -> Iterator[None]:
    """Only while it lasts: what has to get through before and after may take its time on a slow machine."""
    with patch.object(group_commit, "PATIENCE_S", 0.02):
        yield


def test_requests_that_come_while_one_is_on_its_way_share_the_next_publish() -> None:
    async def run() -> tuple[list[Any], int, list[int]]:
        with collector() as here:
            await here.ask("/", SOUND)
            here.broker.gate.clear()
            first = await sent(here, 1)
            while here.commit._untaken:
                await asyncio.sleep(0.001)
            rest = await sent(here, 50)
            here.broker.gate.set()
            told = [each.told for each in await asyncio.gather(*first, *rest)]
            return told, here.broker.publishes, [each["timestamp"] for each in here.events()]

    told, publishes, timestamps = done(run())
    assert (len(told), {each["status_code"] for each in told}, publishes) == (51, {0}, 3)
    assert timestamps == [1000, 0, *range(50)]


@pytest.mark.parametrize("took_effect", [False, True])
def test_an_unknown_outcome_is_tried_until_it_is_known(took_effect: bool) -> None:
    async def run() -> tuple[Protocol, list[tuple[Any, bool]]]:
        with collector() as here:
            here.broker.failures, here.broker.took_effect = 2, took_effect
            return await here.ask("/", SOUND), here.records()

    reply, records = done(run())
    assert reply.told["status_code"] == 0
    assert [is_repeated for _, is_repeated in records] == ([False, True, True] if took_effect else [True])
    assert len({event["event_id"] for event, _ in records}) == 1


def test_who_waits_behind_a_queue_that_hangs_is_told_that_nothing_was_accepted() -> None:
    async def run() -> tuple[list[Protocol], Protocol, list[int]]:
        with collector() as here:
            await here.ask("/", SOUND)
            here.broker.gate.clear()
            first = await sent(here, 1)
            while here.commit._untaken:
                await asyncio.sleep(0.001)
            with impatient():
                refused = await asyncio.gather(*await sent(here, 3))
            here.broker.gate.set()
            (taken,) = await asyncio.gather(*first)
            return refused, taken, [each["timestamp"] for each in here.events()]

    refused, taken, timestamps = done(run())
    assert {(each.status, each.told["status_code"], each.headers["retry-after"]) for each in refused} == {
        (503, 100, "1")
    }
    assert (taken.told["status_code"], timestamps) == (0, [1000, 0])


def test_while_the_queue_is_away_for_long_requests_are_refused_at_once() -> None:
    async def run() -> tuple[int, Protocol, int]:
        with collector() as here:
            await here.ask("/", SOUND)
            here.broker.failures = 10**9
            stuck = await sent(here, 1)
            while (reply := await here.ask("/readyz", method="GET")).status == 200:
                await asyncio.sleep(0.001)
            await asyncio.sleep(0.03)
            with impatient():
                refused = await here.ask("/", SOUND)
            here.broker.failures = 0
            await asyncio.gather(*stuck)
            again = await here.ask("/", SOUND)
            return reply.status, refused, again.told["status_code"]

    readiness, refused, again = done(run())
    assert (readiness, refused.status, "has not answered" in refused.told["status_message"], again) == (
        503,
        503,
        True,
        0,
    )


def test_more_than_can_wait_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "WAITING_EVENTS_MAX", 3)

    async def run() -> list[int]:
        with collector() as here:
            await here.ask("/", SOUND)
            here.broker.gate.clear()
            tasks = await sent(here, 5)
            here.broker.gate.set()
            return sorted(each.status for each in await asyncio.gather(*tasks))

    assert done(run()) == [200, 200, 200, 503, 503]


def test_a_request_of_several_types_is_done_when_each_topic_has_its_events() -> None:
    async def run() -> tuple[int, int, int]:
        with collector() as here:
            await here.ask("/", SOUND)
            here.broker.failures = 1
            reply = await here.ask("/events", [SOUND, PURCHASE, SOUND])
            return reply.told["accepted"], len(here.events()), len(here.events("purchase"))

    assert done(run()) == (3, 3, 1)


def test_a_client_that_leaves_does_not_stop_the_others() -> None:
    async def run() -> tuple[int, int]:
        with collector() as here:
            here.broker.gate.clear()
            left, stays = await sent(here, 2)
            left.cancel()
            await asyncio.sleep(0)
            here.broker.gate.set()
            return (await stays).status, len(here.events())

    assert done(run()) == (200, 2)


def test_what_has_come_is_on_the_queue_before_it_stops() -> None:
    async def run() -> int:
        with collector() as here:
            await here.ask("/", SOUND)
            here.broker.gate.clear()
            await sent(here, 20)
            here.broker.gate.set()
            here.commit.stop()
            return len(here.events())

    assert done(run()) == 21
