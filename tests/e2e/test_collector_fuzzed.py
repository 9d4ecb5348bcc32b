"""The collector under a thousand requests that its own OpenAPI document allows, or nearly; ten thousand in the soak.

Each is answered in time, by no error of the server, with JSON of the form that the document says. The requests are the same in
each run.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from running_collector import Collector, collecting
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

REQUESTS = 10_000 if "PIPELINE_SOAK" in os.environ else 1_000
WARM_UP = 100
"""Requests, after which the process has what it keeps: decoders, pages of the queue, the pool of small objects."""
GROWTH_BYTES_MAX = 32 << 20
"""Of the process in the rest of them; measured were 7 MB of 1,000, 11 MB of 10,000."""
ANSWERED_WITHIN_S = 10
COUNTED = re.compile(r'pipeline_collected_events_total\{.*outcome="accepted"')
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SHARES = (
    ("/", GenerationMode.POSITIVE, 30),
    ("/", GenerationMode.NEGATIVE, 35),
    ("/events", GenerationMode.POSITIVE, 25),
    ("/events", GenerationMode.NEGATIVE, 10),
)
"""Of the requests, in percent: many events that are nearly none take four times as long to think of."""


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Collector]:
    with collecting(tmp_path) as found:
        yield found


def test_whatever_is_sent_is_answered_as_the_document_says_and_counted(here: Collector) -> None:
    schema = schemathesis.openapi.from_dict(here.ask("GET", "/openapi.json")[1])
    told = _answered(here, schema["/"]["POST"], GenerationMode.NEGATIVE, WARM_UP)
    before = here.memory_bytes()
    for path, mode, share in SHARES:
        told += _answered(here, schema[path]["POST"], mode, REQUESTS * share // 100)
    for path in ("/openapi.json", "/healthz", "/readyz", "/metrics"):
        told += _answered(here, schema[path]["GET"], GenerationMode.POSITIVE, 1)
    grown = here.memory_bytes() - before
    accepted = sum(events for name, events in here.figures().items() if COUNTED.match(name))
    assert (told["requests"] >= REQUESTS, told["accepted"] > REQUESTS / 10, accepted) == (True, True, told["accepted"])
    assert grown < GROWTH_BYTES_MAX


def _answered(here: Collector, operation: Any, mode: GenerationMode, count: int) -> Counter[str]:
    """How many of so many requests were answered, and how many events they said were accepted."""
    told: Counter[str] = Counter()

    with closing(requests.Session()) as session:

        @settings(
            max_examples=count,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(mode))
        def send(case: Case) -> None:
            reply = case.call(base_url=f"http://127.0.0.1:{here.port}", session=session, timeout=ANSWERED_WITHIN_S)
            case.validate_response(reply, checks=CHECKS)
            told["requests"] += 1
            if case.path != "/metrics":
                told["accepted"] += _accepted(json.loads(reply.content))

        send()
    return told


def _accepted(reply: dict[str, Any]) -> int:
    return reply.get("accepted", int(reply.get("status_code") == 0))
