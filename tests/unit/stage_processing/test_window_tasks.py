"""What Spark's workers do, called without Spark: the queue in memory, a store in a file."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
from pipeline_output.stores import open_store
from pipeline_output.tables import RANDOM_NUMBERS_WINDOWS as TABLE
from pipeline_processing import delivery
from pipeline_processing.delivery import outlets
from pipeline_processing.jobs.partial_rows import of_partial
from pipeline_processing.jobs.random_numbers import WINDOWS
from pipeline_processing.jobs.window_tasks import Destination, Origin, summed_up, written
from pipeline_processing.spark.records import as_batch
from pipeline_queue.brokers import Broker, Record, open_broker
from pipeline_queue.codec import REPEATED, encode
from pipeline_queue.dead_letters import letters
from pipeline_queue.events import Event, event_type
from pipeline_queue.topics import DEAD_LETTERS, RANDOM_NUMBERS

S = 1_000_000_000
NOW_NS = 1_790_000_000 * S


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that is slow for a moment is none that is away."""
    monkeypatch.setattr(delivery, "PATIENCE_S", 60.0)


@pytest.fixture
def url(request: pytest.FixtureRequest) -> str:
    return f"memory://{request.node.name}"


@pytest.fixture
def broker(url: str) -> Broker:
    broker = open_broker(url)
    broker.create([RANDOM_NUMBERS, DEAD_LETTERS])
    return broker


def event(time_ns: int, value: float, seq: int = 0) -> Event:
    return event_type(RANDOM_NUMBERS)(event_id=f"p-{seq}", time_ns=time_ns, producer="p", seq=seq, value=value)


def record(offset: int, value: bytes, *, repeated: bool = False) -> Record:
    headers = (REPEATED,) if repeated else ()
    return Record(
        topic=RANDOM_NUMBERS.name, partition=1, offset=offset, append_time_ns=NOW_NS, value=value, headers=headers
    )


def run(records: list[Record], url: str) -> tuple[list[dict], dict]:
    """The partial results, and what was read."""
    (batch,) = summed_up([as_batch(records)], Origin(windows=WINDOWS, queue_url=url, remembered_ns=1800 * S))
    *parts, read = batch.to_pylist()
    return parts, read


def destination(store_url: str, folder: Path) -> Destination:
    return Destination(windows=WINDOWS, outlets=outlets([store_url], "process", folder / "waiting"))


def gathered(rows: list[dict]) -> pa.RecordBatch:
    """As Spark's state hands a window on: its start and the list of its partial results."""
    parts = [{name: row[name] for name in of_partial(WINDOWS)} for row in rows]
    starts = pa.array([rows[0]["window_start"]], pa.timestamp("us", tz="UTC"))
    return pa.RecordBatch.from_arrays([starts, pa.array([parts])], ["window_start", "parts"])


@pytest.mark.usefixtures("broker")
def test_a_task_gives_one_row_for_each_window_over_all_its_records(url: str) -> None:
    rows, read = run(
        [record(0, encode([event(NOW_NS, 1.0)])), record(1, encode([event(NOW_NS + 1, 2.0), event(NOW_NS + S, 5.0)]))],
        url,
    )
    assert [(row["count"], row["sum"]) for row in rows] == [(2, 3.0), (1, 5.0)]
    assert (read["read_on_time"], read["read_late"], read["read_dead"]) == (3, 0, 0)


def test_what_is_no_event_is_buried_and_counted_and_its_neighbours_are_kept(url: str, broker: Broker) -> None:
    rows, read = run([record(7, b"{broken\n" + encode([event(NOW_NS, 1.0)]) + b"\xff\n")], url)
    assert ([row["count"] for row in rows], read["read_dead"]) == ([1], 2)
    assert [(letter.letter_id, letter.raw) for letter in letters(broker)] == [
        (f"{RANDOM_NUMBERS.name}/1/7/0", b"{broken"),
        (f"{RANDOM_NUMBERS.name}/1/7/2", b"\xff"),
    ]


@pytest.mark.usefixtures("broker")
def test_late_events_are_counted_on_the_second_of_their_append(url: str) -> None:
    rows, read = run([record(0, encode([event(NOW_NS - 60 * S, 1.0), event(NOW_NS, 2.0)]))], url)
    assert [(row["count"], row["late"]) for row in rows] == [(1, 1), (0, 0)]  # the second only holds it
    assert (read["read_on_time"], read["read_late"]) == (1, 1)


@pytest.mark.usefixtures("broker")
def test_what_says_that_it_was_sent_again_is_a_partial_of_its_own(url: str) -> None:
    first = [event(NOW_NS, 1.0, seq=seq) for seq in range(3)]
    rows, read = run([record(0, encode(first)), record(1, encode(first[1:]), repeated=True)], url)
    assert [(row["count"], row["repeated"]) for row in rows] == [(3, False), (1, True), (1, True)]
    assert read["read_on_time"] == 5


@pytest.mark.usefixtures("broker")
def test_what_was_read_brings_the_newest_partial_as_a_sample(url: str) -> None:
    _, read = run(
        [record(0, encode([event(NOW_NS, 1.0), event(NOW_NS + S, 2.0, seq=7), event(NOW_NS + S, 4.0, seq=8)]))], url
    )
    assert json.loads(read["sample"]) == {
        "window_start": "2026-09-21T14:13:21Z",
        "count": 2,
        "late": 0,
        "sum": 6.0,
        "squares": 2.0,
        "min": 2.0,
        "max": 4.0,
        "buckets": 2,
        "holds": ["p 7 to 8"],
    }


@pytest.mark.usefixtures("broker")
def test_nothing_but_garbage_brings_no_sample(url: str) -> None:
    _, read = run([record(0, b"{")], url)
    assert read["sample"] is None


@pytest.mark.usefixtures("broker")
def test_a_batch_that_is_repeated_leaves_the_store_as_it_was(url: str, tmp_path: Path) -> None:
    store_url = f"sqlite://{tmp_path}/store.db"
    parts, _ = run([record(0, encode([event(NOW_NS, 1.0), event(NOW_NS, 3.0)]))], url)
    found = []
    for _ in range(2):
        list(written([gathered(parts)], destination(store_url, tmp_path), version=5))
        (row,) = open_store(store_url).read(TABLE).to_pylist()
        found.append((row["window_start_ns"], row["count"], row["mean"], row["standard_deviation"]))
    assert found == [(NOW_NS, 2, 2.0, 1.0)] * 2


@pytest.mark.usefixtures("broker")
def test_an_older_version_of_a_window_does_not_replace_a_newer_one(url: str, tmp_path: Path) -> None:
    store_url = f"sqlite://{tmp_path}/store.db"
    parts, _ = run([record(0, encode([event(NOW_NS, 1.0)]))], url)
    list(written([gathered(parts * 2)], destination(store_url, tmp_path), version=6))
    list(written([gathered(parts)], destination(store_url, tmp_path), version=5))
    assert open_store(store_url).read(TABLE)["count"].to_pylist() == [2]


def test_nothing_to_write_writes_nothing(tmp_path: Path) -> None:
    assert list(written([], destination(f"sqlite://{tmp_path}/store.db", tmp_path), version=1)) == []
    assert list(tmp_path.iterdir()) == []
