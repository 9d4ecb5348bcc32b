"""Event types: what follows from a declaration, and what no declaration may say."""

from __future__ import annotations

import pytest
from pipeline_queue.service_events import BadEventType, EventType, by_name, event_types
from pipeline_queue.service_events.declared import CrashReport, Install
from pipeline_queue.topics import Column


def declared(name: str, *fields: Column) -> type[EventType]:
    return type("Outside", (EventType,), {"name": name, "doc": "somebody else's", "fields": fields})


def test_those_of_the_old_service_are_there() -> None:
    own = {name: [column.name for column in kind.fields] for name, kind in event_types().items()}
    assert own == {"crash_report": ["message"], "install": [], "purchase": ["sku"]}


def test_a_type_has_a_topic_with_its_columns() -> None:
    topic = CrashReport.topic()
    assert topic.name == "events-crash-report"
    names = [column.name for column in topic.columns]
    assert names == ["event_id", "time_ns", "producer", "seq", "client", "user_id", "timestamp", "message"]


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (declared("Crash"), "lower case"),
        (declared("a" * 64), "at most 63"),
        (declared("crash_report"), "both called `crash_report`"),
        (declared("vote", Column(name="user_id", kind="string", doc="")), "`user_id`"),
        (declared("vote", Column(name="event_name", kind="string", doc="")), "`event_name`"),
        (declared("vote", Column(name="a b", kind="string", doc="")), "`a b`"),
        (declared("vote", Column(name="share", kind="float64", doc="")), "float64"),
    ],
)
def test_a_declaration_that_cannot_be_used_is_refused_by_name(kind: type[EventType], says: str) -> None:
    with pytest.raises(BadEventType, match=says):
        by_name([CrashReport, kind])


def test_types_come_in_alphabetical_order() -> None:
    assert list(by_name([Install, CrashReport])) == ["crash_report", "install"]
