"""What is counted: each event once, with the outcome that its sender was told, and the counts on the queue."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any
from unittest.mock import patch

import pytest
from collector_at_hand import SOUND, Collector, FaultyBroker, Protocol, Scope, collector, done
from granian.rsgi import ProtocolClosed
from pipeline_input.collector import counts, room
from pipeline_input.collector.clients import Clients, Limits
from pipeline_input.collector.counts import Counts, Key, Report, Telling
from pipeline_input.collector.reading import Code
from pipeline_queue.brokers.memory import MemoryLog
from pipeline_queue.codec import is_repeated
from pipeline_queue.topics import EVENT_COUNTS
from prometheus_client import CollectorRegistry, generate_latest
from waiting import until

PURCHASE = {"event_name": "purchase", "user_id": 1, "timestamp": 2, "sku": "s"}
CLIENTS = Clients({"shop": Limits(token_sha256=hashlib.sha256(b"s3cret").hexdigest(), events_per_s=3)})
SHOP = {"authorization": "Bearer s3cret"}


def counted(*requests: tuple[str, Any], clients: Clients | None = None, **headers: str) -> Mapping[Key, int]:
    async def run() -> Mapping[Key, int]:
        with collector(clients, EVENTS_BODY_BYTES_MAX=4096) as here:
            for path, body in requests:
                await here.ask(path, body, **headers)
            return here.counts.now()

    return done(run())


def test_each_event_is_counted_by_its_type_and_what_became_of_it() -> None:
    many = [SOUND, {"event_name": "x"}, PURCHASE, SOUND | {"message": 5}, SOUND, SOUND | {"id": ""}, 1, {"user_id": 1}]
    found = counted(("/events", many), ("/", SOUND), ("/", PURCHASE | {"sku": "\0"}), ("/", b""), ("/", b"x" * 9_000))
    assert found == {
        ("", "crash_report", "accepted"): 3,
        ("", "purchase", "accepted"): 1,
        ("", "", "unsupported event"): 1,
        ("", "crash_report", "invalid value type"): 1,
        ("", "crash_report", "unidentified event error"): 1,
        ("", "purchase", "unidentified event error"): 1,
        ("", "", "bad json structure"): 1,
        ("", "", "mandatory key missing"): 1,
        ("", "", "input too long or too short"): 2,
    }


def test_a_key_that_is_missing_is_counted_with_its_type() -> None:
    assert counted(("/", {"event_name": "purchase"})) == {("", "purchase", "mandatory key missing"): 1}


@pytest.mark.parametrize(
    ("request_", "headers", "expected"),
    [
        (("/", SOUND), {}, {("", "", "unknown client"): 1}),
        (("/events", [SOUND] * 9), SHOP, {("shop", "crash_report", "accepted"): 9}),
        (("/events", b" " * 5_000), SHOP, {("shop", "", "too large"): 1}),
        (("/events", b"no gzip"), SHOP | {"content_encoding": "gzip"}, {("shop", "", "bad encoding"): 1}),
        (("/events", b"[1"), SHOP, {("shop", "", "bad json structure"): 1}),
        (("/events", [SOUND, 1]), SHOP | {"idempotency_key": ""}, {("shop", "", "unidentified event error"): 2}),
    ],
)
def test_a_request_is_counted_under_the_client_and_unread_as_one(
    request_: tuple[str, Any], headers: dict[str, str], expected: Mapping[Key, int]
) -> None:
    clients = Clients({"shop": Limits(token_sha256=hashlib.sha256(b"s3cret").hexdigest())})
    assert counted(request_, clients=clients, **headers) == expected


def test_what_comes_too_fast_is_counted_as_the_events_that_it_held() -> None:
    found = counted(("/events", [SOUND] * 9), ("/events", [SOUND] * 7), clients=CLIENTS, **SHOP)
    assert found == {("shop", "crash_report", "accepted"): 9, ("shop", "", "too fast"): 7}


def test_a_page_of_a_browser_is_counted() -> None:
    assert counted(("/", SOUND), origin="http://evil.example") == {("", "", "foreign page"): 1}


@pytest.mark.parametrize(
    ("fault", "status", "outcome"), [(TimeoutError(), 408, "too slow"), (ProtocolClosed(), 400, "cut off")]
)
def test_a_body_that_does_not_come_is_counted(fault: Exception, status: int, outcome: str) -> None:
    class Faulty(Protocol):
        async def __call__(self) -> bytes:
            raise fault

    async def run() -> tuple[int, Mapping[Key, int]]:
        with collector() as here:
            reply = Faulty([])
            await here.doors.answer(Scope("POST", "/", {"content-length": "9"}), reply)
            return reply.status, here.counts.now()

    assert done(run()) == (status, {("", "", outcome): 1})


def test_a_large_body_without_room_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "ROOM_BYTES", 150_000)

    async def run() -> Mapping[Key, int]:
        with collector() as here:
            await here.ask("/", SOUND)
            here.broker.gate.clear()
            tasks = [asyncio.create_task(here.ask("/events", [SOUND] * 1_000)) for _ in range(2)]
            while not tasks[1].done():
                await asyncio.sleep(0.001)
            here.broker.gate.set()
            await asyncio.gather(*tasks)
            return here.counts.now()

    assert done(run()) == {("", "crash_report", "accepted"): 1_001, ("", "", "no room"): 1}


def test_what_the_queue_does_not_have_is_never_counted_as_accepted() -> None:
    async def run() -> tuple[list[int], Mapping[Key, int], Mapping[Key, int]]:
        with collector(patience_s=0.02) as here:
            here.broker.failures = 10**9
            stuck = asyncio.create_task(here.ask("/", SOUND))
            while here.commit.is_ready or (await here.ask("/events", [PURCHASE, SOUND, 1])).status != 503:
                await asyncio.sleep(0.001)
            statuses = [(await here.ask("/events", [PURCHASE, SOUND, 1])).status]
            away = here.counts.now()
            here.broker.failures = 0
            statuses.append((await stuck).status)
            return statuses, away, here.counts.now()

    statuses, away, back = done(run())
    refusals = away[("", "", "queue unavailable")]
    assert (statuses, refusals >= 2) == ([503, 200], True)
    assert away == {("", each, "queue unavailable"): refusals for each in ("purchase", "crash_report", "")}
    assert back == {**away, ("", "crash_report", "accepted"): 1}


def test_accepted_are_as_many_as_were_answered_0_and_all_as_many_as_were_sent() -> None:
    draw = random.Random(3)
    kinds = [SOUND, PURCHASE, SOUND | {"user_id": None}, {"event_name": "x"}, PURCHASE | {"id": ""}, 5, {}]

    async def run() -> tuple[Collector, int, Counter[int]]:
        told: Counter[int] = Counter()
        sent = 0
        with collector() as here:
            for _ in range(200):
                events = draw.choices(kinds, k=draw.randint(1, 20))
                if len(events) == 1:
                    told[(await here.ask("/", events[0])).told["status_code"]] += 1
                else:
                    told.update(each["status_code"] for each in (await here.ask("/events", events)).told["results"])
                sent += len(events)
        return here, sent, told

    here, sent, told = done(run())
    by_outcome: Counter[str] = Counter()
    for (_, _, outcome), events in here.counts.now().items():
        by_outcome[outcome] += events
    assert by_outcome == {"accepted" if not code else Code(code).message: n for code, n in told.items()}
    assert (by_outcome["accepted"], by_outcome.total()) == (len(here.events()) + len(here.events("purchase")), sent)


def test_nothing_that_is_sent_adds_a_name() -> None:
    odd = [{"event_name": f"odd-{i}", f"key-{i}": i} for i in range(50)]
    assert counted(("/events", odd), ("/", odd[0])) == {("", "", "unsupported event"): 51}


def test_a_thousand_events_are_counted_at_once() -> None:
    with patch.object(Counts, "add", autospec=True) as add:
        counted(("/events", b'{"event_name":1}\n' * 200 + json.dumps(SOUND).encode()))
    assert [list(call.args[2:]) for call in add.call_args_list] == [
        ["accepted", {"crash_report": 1}],
        ["invalid value type", {"": 200}],
    ]


def test_prometheus_reads_the_same_counts() -> None:
    registry = CollectorRegistry()
    Counts(registry).add('a"b', "accepted", {"purchase": 3})
    line = b'pipeline_collected_events_total{client="a\\"b",outcome="accepted",type="purchase"} 3.0'
    assert line in generate_latest(registry).splitlines()


def told(report: Report, *, whole: bool = False) -> list[tuple[int, str, int]]:
    return [(each.seq, each.type, each.events) for each in report.next(0, whole=whole)]


def test_a_report_tells_what_has_changed_or_all_and_numbers_it_without_a_gap() -> None:
    here = Counts(CollectorRegistry())
    report = Report(here, "p")
    here.add("", "accepted", {"a": 1, "b": 2})
    first, same = told(report), told(report)
    here.add("", "accepted", {"b": 3})
    assert (first, same, told(report), told(report, whole=True)) == (
        [(0, "a", 1), (1, "b", 2)],
        [],
        [(2, "b", 5)],
        [(3, "a", 1), (4, "b", 5)],
    )


def telling(broker: FaultyBroker, act: Callable[[Counts], None]) -> list[tuple[int, int, bool]]:
    """Sequence number, count and whether it was sent again, of all that is on the queue after `act`."""
    here = Counts(CollectorRegistry())
    with patch.multiple(counts, TELL_S=0.001, WHOLE_EACH=10**9, STOP_WITHIN_S=20):
        teller = Telling(Report(here, "p"), lambda: broker)
        act(here)
        teller.stop()
    records = broker.read(EVENT_COUNTS.name, broker.begin_offsets(EVENT_COUNTS.name))
    lines = [(json.loads(line), is_repeated(each)) for each in records for line in each.value.splitlines()]
    return [(line["seq"], line["events"], again) for line, again in lines]


def test_the_last_counts_are_on_the_queue_when_it_stops() -> None:
    assert telling(FaultyBroker(MemoryLog()), lambda here: here.add("", "accepted", {"a": 7}))[-1][1:] == (7, False)


@pytest.mark.parametrize("took_effect", [False, True])
def test_a_queue_that_is_away_for_a_while_has_all_counts_in_the_end(took_effect: bool) -> None:
    broker = FaultyBroker(MemoryLog())
    broker.failures, broker.took_effect = 3, took_effect

    def act(here: Counts) -> None:
        for _ in range(5):
            here.add("", "accepted", {"a": 1})
        assert until(lambda: not broker.failures, 10, pause_s=0.001)
        here.add("", "accepted", {"a": 1})

    found = telling(broker, act)
    assert (found[-1][1], sorted({seq for seq, _, _ in found})) == (6, list(range(found[-1][0] + 1)))
    assert [again for seq, _, again in found if seq == 0] == ([False, True, True, True] if took_effect else [True])
