"""What the collector answers: always JSON, whatever an event's strings hold.

In:   codes, refusals, results in order.
Out:  (HTTP status, headers, body) as the server takes them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, TypeAlias

from pipeline_input.collector.reading import Code, Refused

Headers: TypeAlias = list[tuple[str, str]]
Reply: TypeAlias = tuple[int, Headers, bytes]
RETRY_AFTER_S = 1
JSON = [("content-type", "application/json")]
HTTP_OF_BODY = {Code.BAD_LENGTH: 413}
"""Of a request with many events that is refused as a whole; 400 otherwise."""


def as_json(status: int, body: Any, headers: Headers = JSON) -> Reply:
    return status, headers, json.dumps(body).encode()


def result(code: Code, message: str = "") -> dict[str, Any]:
    return {"status_code": int(code), "status_message": message or code.message}


OK_RESULT = json.dumps(result(Code.OK)).encode()
OK: Reply = (200, JSON, OK_RESULT)


def refused(refusal: Refused) -> Reply:
    """Of one event. The old service said 200 to everything, and its clients look at the code."""
    return as_json(200, result(refusal.code, str(refusal)))


def refused_body(refusal: Refused) -> Reply:
    """Of a request with many events, none of which was looked at."""
    return as_json(HTTP_OF_BODY.get(refusal.code, 400), result(refusal.code, str(refusal)))


def results(outcomes: Iterable[Refused | None]) -> Reply:
    """Of many events, in order; None for one that the queue has."""
    each = [
        OK_RESULT if outcome is None else json.dumps(result(outcome.code, str(outcome))).encode()
        for outcome in outcomes
    ]
    accepted = sum(outcome is OK_RESULT for outcome in each)
    head = b'{"accepted": %d, "refused": %d, "results": [' % (accepted, len(each) - accepted)
    return 200, JSON, head + b", ".join(each) + b"]}"


def unavailable(reason: object) -> Reply:
    """The queue has nothing of the request."""
    headers = [*JSON, ("retry-after", str(RETRY_AFTER_S))]
    return as_json(
        503, result(Code.INTERNAL, f"{Code.INTERNAL.message}: {reason}; nothing was accepted, try again"), headers
    )


def not_found(path: str, there_are: Iterable[str]) -> Reply:
    return as_json(404, {"status_message": f"nothing is at {path}; there are {', '.join(there_are)}"})


def wrong_method(allowed: str) -> Reply:
    return as_json(405, {"status_message": f"only {allowed} is allowed here"}, [*JSON, ("allow", allowed)])


def unknown_client() -> Reply:
    told = {"status_message": "the header `Authorization: Bearer TOKEN` is missing, or its token is nobody's"}
    return as_json(401, told, [*JSON, ("www-authenticate", "Bearer")])


def foreign_page() -> Reply:
    return as_json(403, {"status_message": "a page in a browser may not send here: the collector knows no clients"})


def too_fast(wait_s: float) -> Reply:
    told = {
        "status_message": f"this client sends faster than it may; nothing was accepted, try again in {wait_s:.1f} s"
    }
    return as_json(429, told, [*JSON, ("retry-after", str(max(1, round(wait_s))))])


def too_large(bytes_max: int) -> Reply:
    return as_json(413, {"status_message": f"a request may have {bytes_max:,} bytes; send fewer events in it"})


def bad_encoding(reason: object) -> Reply:
    return as_json(415, {"status_message": str(reason)}, [*JSON, ("accept-encoding", "gzip, zstd, identity")])


def cut_off() -> Reply:
    told = f"{Code.BAD_LENGTH.message}: the body ended before it was as long as `Content-Length` says"
    return as_json(400, result(Code.BAD_LENGTH, told), [*JSON, ("connection", "close")])


def too_slow(within_s: float) -> Reply:
    return as_json(
        408, {"status_message": f"the body did not arrive within {within_s:g} s"}, [*JSON, ("connection", "close")]
    )
