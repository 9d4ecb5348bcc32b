"""What a task on the queue reads, by its databases and retention policies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pipeline_processing.engine.limits import Limits
from pipeline_processing.engine.live import Live
from pipeline_processing.engine.portion import Portion
from pipeline_processing.engine.snapshots import Snapshot
from pipeline_processing.engine.source import LogSource
from pipeline_processing.graph.forgetting import Silence
from pipeline_processing.points.keys import Keys
from pipeline_processing.points.reading import Reader
from pipeline_processing.tasks.changes import ID_LENGTH_MAX
from pipeline_processing.tasks.task_master import TaskDefinition
from pipeline_queue.brokers import Broker, Message
from pipeline_queue.brokers.memory import MemoryBroker, MemoryLog
from pipeline_queue.brokers.sqlite import SqliteBroker
from pipeline_queue.clock import ManualClock
from pipeline_queue.codec import blocks
from pipeline_queue.events import Event, event_id, event_type
from pipeline_queue.points.block import Origin, messages
from pipeline_queue.points.line_protocol import Parser
from pipeline_queue.topics import MONITORING, POINTS, RANDOM_NUMBERS
from waiting import PATIENCE_S, until

NOW_NS = 1_767_225_600_000_000_000
HOSTS = ("a", "b", "c", "d")
"""Of both partitions."""
GAUGES = ("r", "b", "swpd", "free", "buff", "cache", "si", "so", "bi", "bo", "in", "cs")
SHARES = ("us", "sy", "id", "wa", "st")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_NS)


@pytest.fixture(params=["memory", "sqlite"])
def opening(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> Callable[[], Broker]:
    log = MemoryLog()
    brokers = {
        "memory": lambda: MemoryBroker(log, clock=clock),
        "sqlite": lambda: SqliteBroker(tmp_path / "queue", clock=clock),
    }
    with closing(brokers[request.param]()) as broker:
        broker.create([POINTS, MONITORING, RANDOM_NUMBERS])
    return brokers[request.param]


@pytest.fixture
def live(opening: Callable[[], Broker], tmp_path: Path) -> Iterator[Live]:
    with closing(living(opening, tmp_path)) as here:
        yield here


def living(opening: Callable[[], Broker], folder: Path, **more: Any) -> Live:
    return Live(
        open_broker=opening,
        folder=folder / "running",
        reader=Reader(),
        open_outlets=lambda _: pytest.fail("not asked for"),
        **more,
    )


def task(*dbrps: tuple[str, str], from_ns: int | None = None) -> TaskDefinition:
    return TaskDefinition(id="t", type="stream", script="", dbrps=dbrps, from_ns=from_ns)


def measure(opening: Callable[[], Broker], seq: int, *hosts: str) -> None:
    """An event of each host."""
    publish(opening, MONITORING.name, *blocks(MONITORING, events(seq, *hosts)))


def events(seq: int, *hosts: str) -> list[Event]:
    values = dict.fromkeys(GAUGES, seq) | dict.fromkeys(SHARES, 0.5)
    return [
        event_type(MONITORING)(
            event_id=event_id(host, seq), time_ns=NOW_NS, producer=host, seq=seq, host=host, **values
        )
        for host in hosts
    ]


def write(opening: Callable[[], Broker], origin: Origin, body: str) -> None:
    (batch,) = Parser().parse(body.encode(), now_ns=NOW_NS).batches
    publish(opening, POINTS.name, *messages(origin, batch))


def publish(opening: Callable[[], Broker], topic: str, *given: Message) -> None:
    with closing(opening()) as broker:
        broker.publish(topic, given)


def read(source: LogSource, rows: int) -> list[Portion]:
    """So many rows; more where the last portion has them."""
    found: list[Portion] = []

    def are_there() -> bool:
        found.extend(source.read(rows=rows, wait_s=1.0))  # none where the ring has got what was read from the log
        return sum(map(len, found)) >= rows

    assert until(are_there, PATIENCE_S, pause_s=0.0), found
    return found


def measured(portions: list[Portion]) -> list[tuple[str, int]]:
    """Host and value of each row, sorted."""
    rows = []
    for portion in portions:
        for number, value in zip(portion.block.series, portion.block.fields["free", "int"].values, strict=True):
            rows.append((dict(portion.block.reader.series[number].tags)["host"], int(value)))
    return sorted(rows)


def test_a_topic_with_columns_is_read_from_the_tasks_start_on_from_all_its_partitions(
    live: Live, opening: Callable[[], Broker]
) -> None:
    measure(opening, 0, *HOSTS)
    source = live.source(task(("pipeline", "monitoring")), None)
    measure(opening, 1, *HOSTS)
    portions = read(source, 4)
    assert measured(portions) == [(host, 1) for host in HOSTS]
    assert {portion.place for portion in portions} == {("monitoring", 0), ("monitoring", 1)}
    assert {portion.dbrp for portion in portions} == {("pipeline", "monitoring")}


def test_tasks_that_share_a_topic_read_each_event_once(live: Live, opening: Callable[[], Broker]) -> None:
    first = live.source(task(("pipeline", "monitoring")), None)
    measure(opening, 1, "a")
    assert measured(read(first, 1)) == [("a", 1)]
    second = live.source(task(("pipeline", "monitoring")), None)
    measure(opening, 2, "a")
    measure(opening, 3, "a")
    assert measured(read(first, 2)) == measured(read(second, 2)) == [("a", 2), ("a", 3)]


def test_after_a_restart_a_task_goes_on_at_its_positions_and_then_keeps_up(
    opening: Callable[[], Broker], tmp_path: Path
) -> None:
    definition = task(("pipeline", "monitoring"))
    with closing(living(opening, tmp_path)) as before:
        source = before.source(definition, None)
        measure(opening, 1, *HOSTS)
        assert len(measured(read(source, 4))) == 4
    measure(opening, 2, *HOSTS)
    with closing(living(opening, tmp_path)) as now:
        source = now.source(definition, snapshot(source))
        assert measured(read(source, 4)) == [(host, 2) for host in HOSTS]
        measure(opening, 3, *HOSTS)
        assert measured(read(source, 4)) == [(host, 3) for host in HOSTS]


def test_a_task_that_begins_in_the_past_reads_on_live_without_a_gap_or_a_repeat(
    live: Live, opening: Callable[[], Broker], clock: ManualClock
) -> None:
    for number in range(1, 4):
        measure(opening, number, *HOSTS)
        clock.sleep(1)
    source = live.source(task(("pipeline", "monitoring"), from_ns=NOW_NS + 1), None)
    measure(opening, 4, *HOSTS)
    before = read(source, 12)
    measure(opening, 5, *HOSTS)
    assert measured(before + read(source, 4)) == [(host, number) for host in HOSTS for number in (2, 3, 4, 5)]


def test_a_task_that_begins_before_the_oldest_begins_with_the_oldest(live: Live, opening: Callable[[], Broker]) -> None:
    measure(opening, 1, *HOSTS)
    source = live.source(task(("pipeline", "monitoring"), from_ns=0), None)
    assert measured(read(source, 4)) == [(host, 1) for host in HOSTS]


def test_a_task_that_has_begun_goes_on_at_its_snapshot_wherever_it_began(
    live: Live, opening: Callable[[], Broker]
) -> None:
    definition = task(("pipeline", "monitoring"), from_ns=0)
    measure(opening, 1, *HOSTS)
    first = live.source(definition, None)
    read(first, 4)
    measure(opening, 2, *HOSTS)
    assert measured(read(live.source(definition, snapshot(first)), 4)) == [(host, 2) for host in HOSTS]


def test_series_that_were_read_longer_ago_than_groups_are_remembered_are_no_longer_known_to_the_reader(
    opening: Callable[[], Broker], tmp_path: Path
) -> None:
    now_s = [100.0]
    limits = Limits(forget_after_s=10.0)
    with closing(living(opening, tmp_path, limits=limits, monotonic_s=lambda: now_s[0])) as live:
        source = live.source(task(("pipeline", "monitoring")), None)
        known = []
        for seq, at_s in enumerate((105.0, 110.0, 111.0)):
            now_s[0] = at_s
            measure(opening, seq, f"host-{seq}")
            assert measured(read(source, 1)) == [(f"host-{seq}", seq)]
            known.append(len(live.reader.series))
    assert known == [1, 2, 1]


def snapshot(source: LogSource) -> Snapshot:
    positions = dict(source.positions)
    return Snapshot(
        version=0, steps=1, rows=1, positions=positions, keys=Keys(), states={}, silence=Silence(), outlets=None
    )


@pytest.mark.parametrize("dbrp", [("telegraf", "monitoring"), ("pipeline", "points"), ("pipeline", "autogen")])
def test_other_databases_and_policies_are_points_alone(live: Live, dbrp: tuple[str, str]) -> None:
    assert {topic for topic, _ in live.source(task(dbrp), None).positions} == {"points"}


def test_points_written_under_a_topics_name_are_read_beside_its_events(
    live: Live, opening: Callable[[], Broker]
) -> None:
    source = live.source(task(("pipeline", "monitoring")), None)
    write(opening, Origin("pipeline", "monitoring"), "m,host=z free=9i 1")
    measure(opening, 1, "a")
    assert measured(read(source, 2)) == [("a", 1), ("z", 9)]


def test_a_record_that_is_no_block_holds_nobody_up(live: Live, opening: Callable[[], Broker]) -> None:
    source = live.source(task(("d", "r")), None)
    partition_key = b"d\0r"
    publish(opening, POINTS.name, Message(key=partition_key, value=b"junk"))
    write(opening, Origin("d", "r"), "m,host=z free=9i 1")
    assert measured(read(source, 1)) == [("z", 9)]


def test_an_event_that_is_none_leaves_its_neighbours(live: Live, opening: Callable[[], Broker]) -> None:
    source = live.source(task(("pipeline", "monitoring")), None)
    publish(opening, MONITORING.name, Message(key=b"a", value=b"junk\n"))
    measure(opening, 1, "a")
    assert measured(read(source, 1)) == [("a", 1)]


def keeping(live: Live, task_id: str) -> Path:
    """A file of a task."""
    folder = live.files(TaskDefinition(id=task_id, type="stream", script="", dbrps=())).folder
    folder.mkdir(parents=True)
    (folder / "state.snapshot").touch()
    return folder / "state.snapshot"


def test_what_tasks_keep_is_below_one_folder_each_whatever_they_are_called(live: Live, tmp_path: Path) -> None:
    ids = (".", "..", "...", "_", "%2E", "a.b", "é", "-")
    kept = [keeping(live, each) for each in ids]
    assert {each.parent.parent for each in kept} == {tmp_path / "running"}
    assert len(set(kept)) == len(ids)


@pytest.mark.parametrize("letter", ["a", "ä"])
def test_ids_as_long_as_they_may_be_have_a_folder_each_below_their_stores_name(
    live: Live, tmp_path: Path, letter: str
) -> None:
    ids = [f"store.{letter * (ID_LENGTH_MAX - 1)}{last}" for last in "xy"]
    kept = {each: keeping(live, each) for each in ids}
    live.forget_others(lambda: ids[:1], begin="store.")
    assert [each.exists() for each in kept.values()] == [True, False]


def test_a_task_that_is_forgotten_keeps_nothing_and_the_others_what_they_have(live: Live) -> None:
    of_a, of_parent = keeping(live, "a"), keeping(live, "..")
    live.forget("..")
    live.forget("never was")
    assert (of_a.exists(), of_parent.parent.exists()) == (True, False)


def test_what_no_task_has_a_name_for_is_forgotten_but_no_link_is_followed(live: Live, tmp_path: Path) -> None:
    of_a, of_b = keeping(live, "a"), keeping(live, "b")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "running" / "link").symlink_to(elsewhere)
    live.forget_others(lambda: ["a"], begin="")
    assert (of_a.exists(), of_b.parent.exists(), elsewhere.exists()) == (True, False, True)


def test_a_task_that_was_defined_meanwhile_is_not_forgotten(live: Live) -> None:
    live.forget_others(lambda: [each for each in ("a",) if keeping(live, "b")], begin="")
    assert live.files(TaskDefinition(id="b", type="stream", script="", dbrps=())).snapshot.exists()


def test_what_tasks_of_another_store_keep_stays(live: Live) -> None:
    ours, theirs = keeping(live, "ours.a"), keeping(live, "theirs.a")
    live.forget_others(lambda: [], begin="ours.")
    assert (ours.exists(), theirs.exists()) == (False, True)
