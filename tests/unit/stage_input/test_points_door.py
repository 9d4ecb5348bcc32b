"""The door for points: what is answered, and what the queue has then."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch

import pytest
from collector_at_hand import FaultyBroker, done
from pipeline_input.collector import group_commit
from pipeline_input.points_door.answers import Answer
from pipeline_input.points_door.door import PointsDoor
from pipeline_input.points_door.writing import Write
from pipeline_queue.brokers import Record
from pipeline_queue.brokers.memory import MemoryLog
from pipeline_queue.points.block import as_points, decode
from pipeline_queue.points.lines import to_lines
from pipeline_queue.points.message_ids import id_of
from pipeline_queue.service import Service, ServiceOptions

NOW_NS = 1_600_000_000_123_456_789


@dataclass
class AtHand:
    door: PointsDoor
    broker: FaultyBroker

    async def write(self, body: str | bytes, database: str = "d", **said: str) -> Answer:
        sent = body if isinstance(body, bytes) else body.encode()
        return await self.door.write(Write(body=sent, database=database, **said))

    def records(self) -> list[Record]:
        return self.broker.read("points", self.broker.begin_offsets("points"))

    def lines(self) -> list[str]:
        return [
            line for each in self.records() for line in to_lines(as_points(decode(each.value)[1])).decode().splitlines()
        ]


@contextmanager
def a_door(*, patience_s: float = 30.0, bytes_max: int = 1_000_000) -> Iterator[AtHand]:
    """Belongs into a running event loop."""
    broker = FaultyBroker(MemoryLog())
    service = Service(ServiceOptions(name="points", stage="input", queue_url="memory://here"))
    with patch.multiple(group_commit, PATIENCE_S=patience_s, BACKOFF_S=(0.001,), SWEEP_S=0.001):
        loop = asyncio.get_running_loop()
        door = PointsDoor(lambda: broker, service, loop, now_ns=lambda: NOW_NS, bytes_max=bytes_max)
        try:
            yield AtHand(door, broker)
        finally:
            broker.gate.set()
            door.stop()


def one(body: str | bytes, **said: str) -> tuple[Answer, list[str]]:
    async def run() -> tuple[Answer, list[str]]:
        with a_door() as here:
            return await here.write(body, **said), here.lines()

    return done(run())


def error(answer: Answer) -> tuple[int, str]:
    return answer[0], json.loads(answer[2])["error"]


def test_sound_points_are_answered_with_nothing_and_are_on_the_queue() -> None:
    answer, lines = one("cpu,host=a v=1 5\ncpu v=2", precision="s")
    assert (answer, lines) == ((204, [], b""), ["cpu,host=a v=1 5000000000", "cpu v=2 1600000000000000000"])


def test_a_message_is_keyed_by_database_and_retention_policy_and_has_an_id() -> None:
    async def run() -> list[Record]:
        with a_door() as here:
            await here.write("m v=1", "d", retention_policy="r")
            await here.write("m v=1", "d", retention_policy="r")
            return here.records()

    records = done(run())
    assert [each.key for each in records] == [b"d\0r", b"d\0r"]
    (producer, first), second = map(id_of, records)
    assert (first, second, [name for name, _ in records[0].headers]) == (0, (producer, 1), ["encoding", "events", "id"])


def test_bad_lines_are_named_by_number_and_the_good_ones_are_kept() -> None:
    answer, lines = one("m v=1 1\nm v=\nm v=3 3\nm")
    assert error(answer) == (
        400,
        "partial write: line 2: unable to parse 'm v=': missing field value\nline 4: unable to parse 'm': missing fields",
    )
    assert lines == ["m v=1 1", "m v=3 3"]


def test_only_bad_lines_are_no_partial_write() -> None:
    answer, lines = one("m v=")
    assert (error(answer), lines) == ((400, "line 1: unable to parse 'm v=': missing field value"), [])


def test_of_very_many_bad_lines_the_numbers_are_told() -> None:
    answer, _ = one("m v=1\n" + "m\n" * 300 + "m v=1\n" + "m\n")
    assert error(answer)[1].splitlines()[-1] == "and lines 102-301, 303"


@pytest.mark.parametrize(
    ("said", "status", "why"),
    [
        ({"database": ""}, 400, "database is required"),
        ({"database": "a\0b"}, 400, "the database's name is longer than 1024 bytes, or no text"),
        ({"precision": "fortnight"}, 400, 'invalid precision "fortnight" (use n, u, ms, s, m or h)'),
        ({"encoding": "br"}, 415, "`Content-Encoding: br` is not known; there are gzip, zstd"),
    ],
)
def test_what_cannot_be_read_at_all_is_refused_whole(said: dict[str, str], status: int, why: str) -> None:
    answer, lines = one("m v=1", **said)
    assert (error(answer), lines) == ((status, why), [])


def test_a_packed_body_is_unpacked_and_a_broken_one_refused() -> None:
    packed = gzip.compress(b"m v=1 1\n")
    assert one(packed, encoding="gzip") == ((204, [], b""), ["m v=1 1"])
    assert one(packed[:-5], encoding="gzip")[0][0] == 415


def test_a_body_is_as_large_as_allowed_packed_or_not() -> None:
    async def run() -> list[int]:
        with a_door(bytes_max=1_000) as here:
            sound, large = b"m v=1 1\n" * 125, b"m v=1 1\n" * 126
            answers = [await here.write(each, encoding="identity") for each in (sound, large)]
            answers += [await here.write(gzip.compress(each), encoding="gzip") for each in (sound, large)]
            return [status for status, _, _ in answers]

    assert done(run()) == [204, 413, 204, 413]


def test_nothing_but_comments_is_all_well_and_no_message() -> None:
    assert one("# nothing\n\n") == ((204, [], b""), [])


def test_points_are_answered_only_when_the_queue_has_them() -> None:
    async def run() -> tuple[bool, Answer, int]:
        with a_door() as here:
            await here.write("m v=0 0")
            here.broker.gate.clear()
            first = asyncio.create_task(here.write("m v=1 1"))
            await asyncio.sleep(0.01)
            is_early = first.done()
            rest = [asyncio.create_task(here.write(f"m v={i} {i}")) for i in range(2, 30)]
            await asyncio.sleep(0.01)
            here.broker.gate.set()
            answers = await asyncio.gather(first, *rest)
            assert [line.split()[2] for line in here.lines()] == [str(i) for i in range(30)]
            return is_early, answers[0], here.broker.publishes

    assert done(run()) == (False, (204, [], b""), 3)


def test_a_queue_that_is_away_is_answered_503_and_has_nothing() -> None:
    async def run() -> tuple[Answer, list[str]]:
        with a_door(patience_s=0.05) as here:
            here.broker.gate.clear()
            waiting = asyncio.create_task(here.write("m v=1 1"))
            await asyncio.sleep(0.02)
            late = await here.write("m v=2 2")
            here.broker.gate.set()
            await waiting
            return late, here.lines()

    answer, lines = done(run())
    assert (answer[0], dict(answer[1])["retry-after"], lines) == (503, "1", ["m v=1 1"])
    assert error(answer)[1].endswith("nothing was written, try again")


def test_an_unknown_outcome_is_tried_again_with_the_same_id_and_the_mark() -> None:
    async def run() -> list[dict[str, bytes]]:
        with a_door() as here:
            await here.write("m v=0 0")
            here.broker.failures, here.broker.took_effect = 1, True
            await here.write("m v=1 1")
            return [dict(each.headers) for each in here.records()]

    _, first, second = done(run())
    assert (first["id"] == second["id"], "repeated" in first, "repeated" in second) == (True, False, True)
