"""Alerts as events: they always fit, they come back as they were, and they say what was cut."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from pipeline_queue.alerts import Alert, HandlerCall, Origin, as_event, cut, from_event, rfc3339
from pipeline_queue.brokers.protocol import Record
from pipeline_queue.codec import decode, encode
from pipeline_queue.errors import AlertTooLarge
from pipeline_queue.topics import ALERTS, EVENT_BYTES_MAX

NOW_NS = 1_700_000_000_000_000_000
ORIGIN = Origin(producer="tasks-1", seq=3, time_ns=NOW_NS)
ALERT = Alert(
    event_id="cpu/1/alert2/points/0/17/4/0",
    task="cpu",
    node="alert2",
    group_id="host=a",
    alert_id="cpu:host=a",
    level="CRITICAL",
    message="cpu:host=a is CRITICAL",
    details='{"a":"<b>"}',
    data='{"series":[{"name":"cpu","columns":["time","usage"],"values":[["1971-01-01T00:00:00Z",99.5]]}]}',
    duration_ns=5,
    at_ns=31_536_000_000_000_000,
    handlers=(HandlerCall(kind="post", arguments=("http://a/",), properties={"header": (("k", "v"),)}),),
)


def rows(count: int, *, series: int = 1) -> str:
    values = [["1971-01-01T00:00:00Z", number] for number in range(count)]
    return json.dumps({"series": [{"name": "cpu", "columns": ["time", "n"], "values": values}] * series})


def travelled(alert: Alert) -> Alert:
    """Through the codec, as a reader gets it."""
    value = encode([as_event(alert, ORIGIN)])
    record = Record(topic=ALERTS.name, partition=0, offset=0, append_time_ns=NOW_NS, value=value)
    decoded = decode(ALERTS, record)
    assert decoded.dead == []
    return from_event(decoded.events[0])


def test_an_alert_comes_back_as_it_was_however_old_its_point_is() -> None:
    assert travelled(ALERT) == ALERT


def test_the_body_is_what_kapacitor_posts() -> None:
    assert json.loads(ALERT.body) == {
        "id": "cpu:host=a",
        "message": "cpu:host=a is CRITICAL",
        "details": '{"a":"<b>"}',
        "time": "1971-01-01T00:00:00Z",
        "duration": 5,
        "level": "CRITICAL",
        "data": json.loads(ALERT.data),
        "previousLevel": "OK",
        "recoverable": True,
    }


def test_the_bodys_numbers_are_written_as_they_came() -> None:
    data = '{"series":[{"values":[[1e+21,5,0.10]]}]}'
    assert data.encode() in replace(ALERT, data=data).body


@pytest.mark.parametrize(
    ("time_ns", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1, "1970-01-01T00:00:00.000000001Z"),
        (1_500_000_000, "1970-01-01T00:00:01.5Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
        (9_223_372_036_854_775_807, "2262-04-11T23:47:16.854775807Z"),
    ],
)
def test_a_time_has_the_digits_that_it_needs(time_ns: int, text: str) -> None:
    assert rfc3339(time_ns) == text


def test_of_too_many_rows_the_first_are_kept_and_the_series_says_so() -> None:
    kept = json.loads(travelled(replace(ALERT, data=rows(5000))).data)["series"][0]
    assert (kept["partial"], kept["values"], 500 < len(kept["values"]) < 5000) == (
        True,
        [["1971-01-01T00:00:00Z", number] for number in range(len(kept["values"]))],
        True,
    )


@pytest.mark.parametrize(
    "alert",
    [
        replace(ALERT, data=rows(3, series=2000)),
        replace(ALERT, data=json.dumps({"series": [{"values": [["x" * 100_000]]}]})),
        replace(ALERT, details="\x01" * 100_000, message="ö" * 100_000),
        replace(ALERT, alert_id="ü" * 5000, group_id="\n" * 5000, data=rows(5000), details="&" * 60_000),
    ],
)
def test_an_alert_of_any_size_fits_an_event(alert: Alert) -> None:
    assert len(encode([as_event(alert, ORIGIN)])) <= EVENT_BYTES_MAX
    assert json.loads(travelled(alert).body)["level"] == "CRITICAL"


def test_two_ids_that_differ_at_their_ends_stay_two_when_they_are_cut() -> None:
    ids = [travelled(replace(ALERT, alert_id="x" * 5000 + end)).alert_id for end in "ab"]
    assert (len(set(ids)), {len(each) for each in ids}) == (2, {1024})


def test_what_is_cut_says_how_long_it_was() -> None:
    kept, mark = cut("x" * 5000, 100).split("… ")
    assert (set(kept), mark[:19], len(kept) + len(mark)) == ({"x"}, "[5,000 characters, ", 98)


def test_handlers_that_fit_no_event_are_refused_with_their_size() -> None:
    huge = replace(ALERT, handlers=(HandlerCall(kind="exec", arguments=("x" * 70_000,)),))
    with pytest.raises(AlertTooLarge, match="its handlers alone take 70,0"):
        as_event(huge, ORIGIN)
