"""An alert, and delivering it through a handler as a script names it, over the real network to a receiver at hand."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from alert_receivers import Got, http_receiver
from pipeline_output.handlers import Operator, made
from pipeline_output.handlers.handler import Delivery
from pipeline_output.handlers.settings import AlertSettings
from pipeline_output.handlers.targets import Targets
from pipeline_output.handlers.transport import Network
from pipeline_queue.alerts import Alert, HandlerCall

DATA = {
    "series": [
        {
            "name": "cpu",
            "tags": {"host": "serverA"},
            "columns": ["time", "usage"],
            "values": [["1971-01-01T00:00:10Z", 97]],
        }
    ]
}
ALERT = Alert(
    event_id="cpu/1/alert2/0/17",
    task="cpu_high",
    node="alert2",
    group_id="host=serverA",
    alert_id="kapacitor.cpu.serverA",
    level="CRITICAL",
    previous_level="OK",
    message="kapacitor.cpu.serverA is CRITICAL",
    details="<b>CRITICAL</b>",
    data=json.dumps(DATA, separators=(",", ":")),
    duration_ns=0,
    at_ns=31_536_010_000_000_000,
)
RECOVERED = replace(ALERT, level="OK", previous_level="CRITICAL", message="kapacitor.cpu.serverA is OK")
BODY = {
    "id": "kapacitor.cpu.serverA",
    "message": "kapacitor.cpu.serverA is CRITICAL",
    "details": "<b>CRITICAL</b>",
    "time": "1971-01-01T00:00:10Z",
    "duration": 0,
    "level": "CRITICAL",
    "data": DATA,
    "previousLevel": "OK",
    "recoverable": True,
}
LOCAL = Targets.of("127.0.0.1")


def call(kind: str, *arguments: str, **properties: object) -> HandlerCall:
    """A property that is a list has been called once with several arguments."""
    calls = {
        name: (tuple(value) if isinstance(value, list) else () if value is True else (value,),)
        for name, value in properties.items()
    }
    return HandlerCall(kind=kind, arguments=arguments, properties=calls)


def deliver(asked: HandlerCall, alert: Alert = ALERT, **settings: Any) -> None:
    handler = made(asked, Operator(settings=AlertSettings(**settings), targets=LOCAL))
    handler.deliver(Delivery(alert=alert, key=alert.event_id), transport=Network())


def posted(asked: HandlerCall, alert: Alert = ALERT, *, url: str, path: str = "", **settings: Any) -> Got:
    """What arrives where the setting `url` points to."""
    with http_receiver() as receiver:
        deliver(asked, alert, **{url: f"http://127.0.0.1:{receiver.port}{path}"}, **settings)
        (got,) = receiver.got
        return got
