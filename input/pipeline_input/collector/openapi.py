"""The collector's interface as OpenAPI 3.1, from the event types' declarations.

In:   the event types and the settings.
Out:  a document for machines: fuzzers, client generators, the page's form.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline_queue.service_events import EventType
from pipeline_queue.service_events.event_type import COMMON, INT64_MAX, INT64_MIN, TAG
from pipeline_queue.topics import Column

from pipeline_input.collector.reading import EVENTS_MAX, ID_LENGTH_MAX, KEY_LENGTH_MAX, Code
from pipeline_input.collector.settings import CollectorSettings

VERSION = "1"
RESULT = {"$ref": "#/components/schemas/Result"}
EVENT = {"$ref": "#/components/schemas/Event"}
ENCODINGS = ("gzip", "zstd", "identity")


def document(types: Mapping[str, type[EventType]], settings: CollectorSettings) -> dict[str, Any]:
    secured = {"security": [{"token": []}]} if settings.clients else {}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Event collector",
            "version": VERSION,
            "description": "Takes applications' events onto the queue.",
        },
        "paths": {"/": {"post": _one(settings)}, "/events": {"post": _many(settings)}} | _about_itself(),
        "components": {
            "schemas": {name: _schema(each) for name, each in types.items()}
            | {"Event": {"oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in types]}, "Result": _result()},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    } | secured


def _one(settings: CollectorSettings) -> dict[str, Any]:
    return {
        "operationId": "sendEvent",
        "summary": f"One event of at most {settings.length_max} characters. The reply's code says what became of it; HTTP's status is 200 for all codes but 100.",
        "parameters": [_key()],
        "requestBody": {"required": True, "content": {"application/json": {"schema": EVENT}}},
        "responses": {
            "200": _json(RESULT, "what became of it"),
            "400": _json(RESULT, "the key is no key"),
            **_failures(),
        },
    }


def _many(settings: CollectorSettings) -> dict[str, Any]:
    results = {
        "type": "object",
        "required": ["accepted", "refused", "results"],
        "properties": {
            "accepted": {"type": "integer"},
            "refused": {"type": "integer"},
            "results": {"type": "array", "items": RESULT},
        },
    }
    body = {
        "application/json": {"schema": {"type": "array", "items": EVENT, "minItems": 1, "maxItems": EVENTS_MAX}},
        "application/x-ndjson": {"schema": {"type": "string", "description": "an event a line"}},
    }
    encoding = {"name": "Content-Encoding", "in": "header", "schema": {"enum": list(ENCODINGS)}}
    return {
        "operationId": "sendEvents",
        "summary": f"Many events, at most {settings.body_bytes_max} bytes, each answered in order.",
        "parameters": [_key(), encoding],
        "requestBody": {"required": True, "content": body},
        "responses": {
            "200": _json(results, "what became of each"),
            "400": _json(RESULT, "the body is no array and no lines, or the key is no key, so no event was accepted"),
            "415": _json({"type": "object"}, "the body is packed in an unknown way"),
            **_failures(),
        },
    }


def _failures() -> dict[str, Any]:
    told = {"type": "object", "required": ["status_message"], "properties": {"status_message": {"type": "string"}}}
    return {
        "401": _json(told, "no client's token"),
        "403": _json(told, "sent by a page in a browser, and the collector knows no clients"),
        "408": _json(told, "the body did not arrive in time"),
        "413": _json(told, "the body is too large"),
        "429": _json(told, "the client sends faster than it may"),
        "503": _json(RESULT, "code 100: the queue does not answer, nothing was accepted"),
    }


def _about_itself() -> dict[str, Any]:
    told = {
        "/openapi.json": ("describe", "this document"),
        "/healthz": ("tellHealth", "whether it works"),
        "/readyz": ("tellReadiness", "whether the queue takes events now"),
    }
    paths = {
        path: {
            "get": {
                "operationId": name,
                "responses": {"200": _json({"type": "object"}, what), "503": _json({"type": "object"}, "not now")},
            }
        }
        for path, (name, what) in told.items()
    }
    figures = {"description": "figures for Prometheus", "content": {"text/plain": {"schema": {"type": "string"}}}}
    return paths | {"/metrics": {"get": {"operationId": "tellFigures", "responses": {"200": figures}}}}


def _schema(of: type[EventType]) -> dict[str, Any]:
    columns = (*COMMON, *of.fields)
    own = {column.name: _of_column(column) for column in columns}
    key = {
        "type": "string",
        "minLength": 1,
        "maxLength": ID_LENGTH_MAX,
        "description": "the same id again is the same event",
    }
    return {
        "type": "object",
        "description": of.doc,
        "required": [TAG, *own],
        "properties": {TAG: {"const": of.name}, **own, "id": key},
    }


def _of_column(column: Column) -> dict[str, Any]:
    if column.kind == "string":
        return {"type": "string", "description": column.doc}
    low = INT64_MIN if column.low is None else column.low
    high = INT64_MAX if column.high is None else column.high
    written = f"{column.doc}; without a fraction, so 1.0 is none"
    return {"type": "integer", "minimum": low, "maximum": high, "description": written}


def _result() -> dict[str, Any]:
    codes = [int(code) for code in Code if code is not Code.NO_CONTENT]
    return {
        "type": "object",
        "required": ["status_code", "status_message"],
        "properties": {
            "status_code": {"enum": codes, "description": "; ".join(f"{int(code)}: {code.message}" for code in Code)},
            "status_message": {"type": "string"},
        },
    }


def _key() -> dict[str, Any]:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "makes a retry harmless where events have no id",
        "schema": {"type": "string", "minLength": 1, "maxLength": KEY_LENGTH_MAX},
    }


def _json(schema: dict[str, Any], what: str) -> dict[str, Any]:
    return {"description": what, "content": {"application/json": {"schema": schema}}}
