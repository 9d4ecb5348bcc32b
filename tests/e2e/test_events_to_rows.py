"""What clients of the service before this one sent, and what breaks databases, from the POST to the row: answered as recorded, then loaded.

The tables are compared with what was answered 0, byte for byte; what that is, Python's own reader of JSON says.
"""

from __future__ import annotations

import http.client
import json
import os
import sqlite3
import subprocess
import sys
from base64 import b64decode
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hostile_texts import HOSTILE
from running_collector import Collector, collecting
from waiting import PATIENCE_S

CASES = json.loads((Path(__file__).parents[1] / "recorded_clients/events.json").read_text())["cases"]
MESSAGES = {
    0: "ok",
    1: "unidentified event error",
    3: "bad json structure",
    4: "mandatory key missing",
    5: "invalid value type",
    6: "input too long or too short",
    7: "unsupported event",
}
"""By code, as clients know them; a reply may say more after it."""
LIMITS = (2**63 - 1, -(2**63), 0, -1)
OWN = {"crash_report": "message", "purchase": "sku", "install": None}
"""The type's own key."""
POST = {"method": "POST", "path": "/", "headers": {}}
SOUND = {"event_name": "crash_report", "user_id": 888, "timestamp": 1000, "message": "have_fun"}
NO_EVENTS = {
    "a NUL": ({"message": "a\0b"}, 1),
    "half a surrogate pair": ({"message": "\ud800"}, 1),
    "a number above the limit": ({"user_id": 2**63}, 5),
    "a number below the limit": ({"timestamp": -(2**63) - 1}, 5),
}
Row: TypeAlias = tuple[str, int, int, bytes]
"""Of a table: client, user_id, timestamp, and the type's own column as bytes."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the collector said to a body; `told` is its JSON."""

    body: bytes
    status: int
    content_type: str
    told: Mapping[str, Any]

    @property
    def code(self) -> int | None:
        return self.told.get("status_code")


@dataclass(frozen=True, kw_only=True)
class Day:
    """What was answered to the recorded cases, to hostile events and to what is none, and then the tables."""

    recorded: Mapping[str, Answer]
    hostile: list[Answer]
    no_events: Mapping[str, Answer]
    tables: Mapping[str, Mapping[str, Row]]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    folder = tmp_path_factory.mktemp("day")
    with collecting(folder) as here:
        recorded = {case["name"]: asked(here, case) for case in CASES}
        hostile = [asked(here, POST | {"body": body}) for body in map(hostile_body, range(len(HOSTILE)))]
        no_events = {
            name: asked(here, POST | {"body": json.dumps(SOUND | changed)}) for name, (changed, _) in NO_EVENTS.items()
        }
        load_once(here, folder / "events.db")
    return Day(recorded=recorded, hostile=hostile, no_events=no_events, tables=tables_of(folder / "events.db"))


def asked(here: Collector, case: Mapping[str, Any]) -> Answer:
    body = b64decode(case["body_base64"]) if "body_base64" in case else case.get("body", "").encode()
    with closing(http.client.HTTPConnection("127.0.0.1", here.port, timeout=PATIENCE_S)) as connection:
        connection.request(case["method"], case["path"], body=body, headers=case["headers"])
        answer = connection.getresponse()
        told, content_type = json.loads(answer.read()), answer.getheader("content-type", "")
        return Answer(body=body, status=answer.status, content_type=content_type, told=told)


def hostile_body(i: int) -> str:
    """An event whose text is hostile, and its id too; every other one has its letters as they are."""
    event = {"event_name": "crash_report", "message": HOSTILE[i], "id": f"{i} {HOSTILE[i]}"[:128]}
    numbers = {"user_id": LIMITS[i % 4], "timestamp": LIMITS[-i % 4]}
    return json.dumps(event | numbers, ensure_ascii=i % 2 == 0)


def load_once(here: Collector, database: Path) -> None:
    settings = {"QUEUE_URL": here.queue_url, "DATABASE_URL": f"sqlite://{database}"}
    command = [sys.executable, "-m", "pipeline_cli", "load", "--once"]
    subprocess.run(command, env=os.environ | settings, check=True, timeout=PATIENCE_S)


def tables_of(database: Path) -> dict[str, dict[str, Row]]:
    """By type and id."""
    with closing(sqlite3.connect(database)) as file:
        return {
            name: {each[0]: each[1:] for each in file.execute(f"select event_id, {columns(own)} from {name}")}
            for name, own in OWN.items()
        }


def columns(own: str | None) -> str:
    return f"client, user_id, timestamp, cast({own or repr('')} as blob)"


def row_of(event: Mapping[str, Any]) -> Row:
    """What the table is to hold of what was sent, beside its id."""
    own = OWN[event["event_name"]]
    return "", event["user_id"], event["timestamp"], event[own].encode() if own else b""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_recorded_request_is_answered_as_recorded_in_json(day: Day, case: dict[str, Any]) -> None:
    answer = day.recorded[case["name"]]
    assert (answer.status, answer.content_type, answer.code) == (case["http"], "application/json", case["status_code"])
    assert answer.told["status_message"].startswith(MESSAGES.get(case["status_code"], ""))
    assert answer.code != 0 or answer.told == {"status_code": 0, "status_message": "ok"}


def test_hostile_texts_and_the_limits_of_integers_are_accepted_and_no_events_are_not(day: Day) -> None:
    assert {answer.code for answer in day.hostile} == {0}
    assert {name: each.code for name, each in day.no_events.items()} == {n: code for n, (_, code) in NO_EVENTS.items()}


def test_the_tables_hold_exactly_what_was_answered_0_byte_for_byte(day: Day) -> None:
    answers = [*day.recorded.values(), *day.hostile, *day.no_events.values()]
    accepted = [json.loads(answer.body) for answer in answers if answer.code == 0]
    assert {name: sorted(table.values()) for name, table in day.tables.items()} == {
        name: sorted(row_of(each) for each in accepted if each["event_name"] == name) for name in OWN
    }
    with_id = {each["id"]: row_of(each) for each in accepted if "id" in each}
    assert {name: day.tables["crash_report"].get(name) for name in with_id} == with_id
    assert (len(accepted), len(with_id)) == (13 + len(HOSTILE), len(HOSTILE))
