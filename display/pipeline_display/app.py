"""The pages over HTTP, and what they say over Socket.IO.

In:   requests, and of a connected page: `follow` (what it wants to see, and where it was), `drawn` (it drew so many messages),
      `clock` (answered with the server's time, so that the page can tell its own clock's offset), `send` (an event for the
      collector; answered with whether it will be sent, and what becomes of it is news of the feed `sent`), `look` (at tasks or
      one of them, repeated while the page is open), `wish` (something to be done with a task; news of the feed `answers`).
Out:  the pages, each under one address, to which its alias leads (308, asked again each time, as it may move); and to a
      connected page `news` (see `delivery`).
Refuses: a message of another form; it is answered with null and changes nothing. The content security policy lets a
      page load and reach nothing but this server.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import msgspec
from flask import Flask, Response, abort, redirect, render_template
from flask_socketio import SocketIO
from pipeline_output.tables import TABLES, Table
from pipeline_queue.service import Service
from pipeline_queue.service_events import EventType, event_types
from pipeline_queue.service_events.event_type import COMMON
from pipeline_queue.topics import TOPICS, Column

from pipeline_display import path, task_pages, terminal, wire
from pipeline_display.delivery import Delivery, Follow
from pipeline_display.demos import DEMOS, Demo
from pipeline_display.feeds.looks import Look
from pipeline_display.feeds.sent import Wish
from pipeline_display.feeds.task_wishes import TaskWish
from pipeline_display.handed_in import HandedIn
from pipeline_display.modes import Application
from pipeline_display.settings import DisplaySettings
from pipeline_display.wakeup import Bell

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the pages are made from."""

    settings: DisplaySettings
    service: Service
    bell: Bell


def create_app(parts: Parts) -> tuple[Flask, SocketIO]:
    """The application and its Socket.IO server; the caller serves the one and delivers through the other."""
    app = Flask(__name__)
    socketio = SocketIO(app, async_mode=parts.settings.async_mode, json=wire, async_handlers=False)
    _add_pages(app, parts)
    app.after_request(_with_headers)
    app.wsgi_app = _uncompressed(app.wsgi_app)  # type: ignore[method-assign]
    return app, socketio


def add_messages(socketio: SocketIO, delivery: Delivery, bell: Bell, handed_in: HandedIn) -> None:
    """What a connected page may say. Nothing of it needs Flask's context, whose making took most of the time."""

    def follow(page_id: str, wishes: object = None) -> list[Mapping[str, Any]] | None:
        try:
            asked = msgspec.convert(wishes, list[Follow])
        except msgspec.ValidationError:
            return None
        extents = delivery.follow(page_id, asked)
        bell.ring()
        return extents

    def drawn(page_id: str, messages: object = 1) -> None:
        if delivery.drawn(page_id, messages if isinstance(messages, int) else 1):
            bell.ring()

    def clock(*_: object) -> int:
        return time.time_ns()

    def disconnect(page_id: str, *_: object) -> None:
        delivery.leave(page_id)

    handlers = {
        **{"follow": follow, "drawn": drawn, "clock": clock, "disconnect": disconnect},
        "send": _taken(Wish, handed_in.outbox.put),
        "look": _taken(Look, handed_in.note),
        "wish": _taken(TaskWish, handed_in.wishes.put),
    }
    for name, handler in handlers.items():
        socketio.server.on(name, handler)


Given = TypeVar("Given")


def _taken(kind: type[Given], take: Callable[[Given], bool]) -> Callable[..., bool | None]:
    """Hands on what a page gives; None for what has another form."""

    def handler(_page_id: str, given: object = None) -> bool | None:
        try:
            return take(msgspec.convert(given, kind))
        except msgspec.ValidationError:
            return None

    return handler


def page_of(demo: Demo, settings: DisplaySettings) -> Mapping[str, Any]:
    """What a demo's page needs to know before its first frame."""
    store_url = path.store_of(demo, settings.store_urls)
    columns = TABLES[demo.table].columns if demo.table else TOPICS[demo.topic].columns
    tables = [TABLES[name] for name in demo.tables]
    missing = f"No store for this demo: add a `{demo.store}:` URL to STORES" if demo.store and not store_url else ""
    return {
        "feed": demo.name,
        "chart": demo.chart,
        "source": demo.source,
        "topic": demo.topic,
        "job": demo.job,
        "interval_s": demo.interval_s,
        "is_settled": demo.is_settled,
        "history_s": settings.history_s,
        "missing": missing,
        "columns": [_column(column) for column in columns],
        "tables": [_table(table) for table in tables],
    }


def _table(table: Table) -> Mapping[str, Any]:
    return {
        "name": table.name,
        "doc": table.doc,
        "key": table.key,
        "columns": [_column(column) for column in table.columns],
    }


def _event_type(of: type[EventType]) -> Mapping[str, Any]:
    """What a client sends of it, beside its name."""
    return {"name": of.name, "doc": of.doc, "fields": [_column(column) for column in (*COMMON, *of.fields)]}


def _picture_of(demo: Demo, settings: DisplaySettings) -> Mapping[str, Any]:
    """What the index needs to know of a demo to draw its thumbnail."""
    page = page_of(demo, settings)
    return {name: page[name] for name in ("feed", "chart", "interval_s", "missing")}


def _column(column: Column) -> Mapping[str, str]:
    return {"name": column.name, "kind": column.kind, "unit": column.unit, "doc": column.doc}


def _add_pages(app: Flask, parts: Parts) -> None:
    def index() -> str:
        return render_template(
            "index.html",
            demos=DEMOS.values(),
            stages=_stages(parts.settings),
            command=terminal.of_dead_letters(parts.settings),
            page={"demos": [_picture_of(demo, parts.settings) for demo in DEMOS.values()]},
        )

    def demo(name: str) -> str:
        shown = DEMOS.get(name) or abort(404)
        store_url = path.store_of(shown, parts.settings.store_urls)
        steps = path.steps(shown, queue_url=parts.settings.queue_url, store_url=store_url)
        return render_template(
            "demo.html",
            demos=DEMOS.values(),
            demo=shown,
            steps=steps,
            stand_ins=path.stand_ins(steps),
            command=terminal.of_demo(shown, parts.settings),
            page=page_of(shown, parts.settings),
        )

    def events() -> str:
        return render_template(
            "events.html",
            demos=DEMOS.values(),
            types=event_types().values(),
            has_collector=parts.settings.collector_url is not None,
            command=terminal.of_events(parts.settings),
            page={"types": [_event_type(each) for each in event_types().values()]},
        )

    def healthz() -> tuple[Mapping[str, Any], int]:
        trouble = parts.service.trouble()
        return {"service": "display", "healthy": trouble is None, "trouble": trouble}, 503 if trouble else 200

    app.add_url_rule("/", view_func=index)
    app.add_url_rule("/events", view_func=events)
    task_pages.add(app, parts.settings)
    app.add_url_rule("/healthz", view_func=healthz)
    app.add_url_rule("/<name>", view_func=demo)
    for each in DEMOS.values():
        if each.alias:
            app.add_url_rule(each.alias, f"alias of {each.name}", partial(redirect, each.path, 308))


def _uncompressed(application: Application) -> Application:
    """Messages travel as they are: WebSockets compress for each page anew, which took two fifths of this process's time."""

    def run(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
        return application(environ, start_response)

    return run


def _stages(settings: DisplaySettings) -> list[Mapping[str, str]]:
    """The five stages as this installation has them."""
    queue_name = path.QUEUES[path.urlsplit(settings.queue_url).scheme]
    stores = "; ".join(path.store_name(url) for url in settings.store_urls) or "no store"
    what = dict(zip(path.STAGES, ("Sources", queue_name, "Spark", stores, "Flask, Socket.IO, D3"), strict=True))
    return [{"stage": stage, "what": what[stage]} for stage in path.STAGES]


def _with_headers(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers.setdefault("Cache-Control", "no-cache")
    return response
