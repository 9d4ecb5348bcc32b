"""What a progress report means. The reports are shortened from ones that Spark gave."""

from __future__ import annotations

from pipeline_processing.figures import Batch, batch_of

LOG = {
    "name": "random-numbers-disk",
    "batchId": 7,
    "stateOperators": [{"numRowsDroppedByWatermark": 0}],
    "sources": [
        {
            "startOffset": {"0": 10, "1": 0},
            "endOffset": {"0": 110, "1": 50},
            "latestOffset": {"0": 140, "1": 50},
            "numInputRows": 150,
        }
    ],
    "observedMetrics": {
        "read": {"on_time": 140, "late": 6, "dead": 4, "sample": '{"count":140}'},
        "written": {"rows": 2, "newest_event_ns": 1_000_000_000, "written_ns": 1_750_000_000},
    },
}


def test_a_report_over_the_embedded_log_says_what_went_through() -> None:
    assert batch_of(LOG) == Batch(
        query="random-numbers-disk",
        number=7,
        events=146,
        late=6,
        dead=4,
        rows=2,
        lag=30,
        latency_s=0.75,
        sample='{"count":140}',
    )


def test_kafka_names_the_topic_around_its_offsets() -> None:
    (source,) = LOG["sources"]
    named = {name: {"random-numbers": source[name]} for name in ("startOffset", "endOffset", "latestOffset")}
    assert batch_of(LOG | {"sources": [source | named]}) == batch_of(LOG)


def test_records_that_were_announced_and_did_not_come_are_a_gap() -> None:
    (source,) = LOG["sources"]
    assert batch_of(LOG | {"sources": [source | {"numInputRows": 100}]}).gap == 50


def test_a_first_batch_has_no_start_and_no_gap() -> None:
    (source,) = LOG["sources"]
    assert batch_of(LOG | {"sources": [source | {"startOffset": None, "numInputRows": 1}]}).gap == 0


def test_rows_dropped_by_the_watermark_are_seen() -> None:
    assert batch_of(LOG | {"stateOperators": [{"numRowsDroppedByWatermark": 3}]}).dropped == 3


def test_a_trigger_without_data_says_nothing_about_events() -> None:
    (source,) = LOG["sources"]
    idle = LOG | {"observedMetrics": {}, "sources": [source | {"startOffset": source["endOffset"], "numInputRows": 0}]}
    assert batch_of(idle) == Batch(query="random-numbers-disk", number=7, lag=30)


def test_a_batch_of_late_events_only_has_no_latency() -> None:
    late = LOG | {"observedMetrics": {"read": {"on_time": 0, "late": 3, "dead": 0}, "written": {"rows": 1}}}
    assert (batch_of(late).events, batch_of(late).latency_s) == (3, None)
