"""What waits for a query decides how far back its windows stay open and how many records a batch takes."""

from __future__ import annotations

from pathlib import Path

import pytest
from pipeline_processing.backlog import Backlog, backlog, prepared, read_up_to
from pipeline_processing.jobs import Context
from pipeline_queue.brokers import Message, open_broker
from pipeline_queue.brokers.sqlite import SqliteBroker
from pipeline_queue.topics import RANDOM_NUMBERS, TOPICS

NAME = RANDOM_NUMBERS.name
NS = 1_000_000_000


@pytest.fixture
def broker(tmp_path: Path) -> SqliteBroker:
    made = open_broker(f"sqlite://{tmp_path}/queue")
    made.create(TOPICS.values())
    return made


def commit(checkpoint: Path, batch: int, offsets: str) -> None:
    """A batch's files as Spark writes them."""
    for folder, text in (
        ("offsets", f'v1\n{{"batchWatermarkMs":0}}\n{offsets}'),
        ("commits", 'v1\n{"nextBatchWatermarkMs":0}'),
    ):
        (checkpoint / folder).mkdir(parents=True, exist_ok=True)
        (checkpoint / folder / str(batch)).write_text(text)


def test_a_checkpoint_without_a_finished_batch_is_nowhere(tmp_path: Path) -> None:
    (tmp_path / "offsets").mkdir()
    (tmp_path / "offsets" / "0").write_text('v1\n{}\n{"0":5}')
    assert read_up_to(tmp_path) == {}


@pytest.mark.parametrize("offsets", ['{"0":10,"3":7}', '{"random-numbers":{"0":10,"3":7}}'])
def test_the_position_is_that_of_the_last_batch_that_is_done(tmp_path: Path, offsets: str) -> None:
    commit(tmp_path, 9, '{"0":1}')
    commit(tmp_path, 10, offsets)
    (tmp_path / "offsets" / "11").write_text('v1\n{}\n{"0":99}')
    assert read_up_to(tmp_path) == {0: 10, 3: 7}


def test_nothing_waits_on_an_empty_topic(broker: SqliteBroker) -> None:
    assert backlog(broker, NAME, {}, 5 * NS) == Backlog(age_s=0.0, events_per_record=1)


def test_the_oldest_record_that_is_not_read_tells_the_age_and_the_fullest_the_density(broker: SqliteBroker) -> None:
    for key, value in ((b"a", b"{}\n"), (b"a", b"{}\n{}\n{}\n"), (b"b", b"{}\n")):
        broker.publish(NAME, [Message(key=key, value=value)])
    records = sorted(broker.read(NAME, broker.begin_offsets(NAME)), key=lambda record: record.append_time_ns)
    first, second, _other = records
    now_ns = second.append_time_ns + 7_200 * NS
    found = backlog(broker, NAME, {first.partition: first.offset + 1}, now_ns)
    assert found == Backlog(age_s=7_200.0, events_per_record=3)


def test_a_query_keeps_its_windows_open_longer_than_its_oldest_record_waits_and_bounds_its_events(
    broker: SqliteBroker, tmp_path: Path
) -> None:
    broker.publish(NAME, [Message(key=b"a", value=b"{}\n" * 5_000)])
    context = Context(
        query_name="q",
        queue_url=f"sqlite://{tmp_path}/queue",
        store_urls=(),
        checkpoint=tmp_path / "spark",
        first_version=0,
        watermark_s=60,
    )
    found = prepared(context, NAME)
    assert (600 <= found.watermark_s < 660, found.records_max) == (True, 200)
