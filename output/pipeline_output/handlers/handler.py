"""What every handler is, and what it is made from.

In:      how a script names it (Calls) and what the operator has configured (Operator).
Out:     a frozen object that delivers alerts.
Refuses: (BadHandler, when it is made) what the operator does not allow or has not configured.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

from pipeline_queue.alerts import Alert
from pydantic import SecretStr

from pipeline_output.handlers.calls import Calls
from pipeline_output.handlers.endpoints import Endpoint
from pipeline_output.handlers.settings import AlertSettings
from pipeline_output.handlers.targets import Targets
from pipeline_output.handlers.transport import Post, Transport, origin

PRODUCT = "kapacitor"
"""Who the messages say sends them: receivers have rules that look for this name."""


Fill = Callable[[str, Alert | None], str]
"""A URL that may be a template, filled in with an alert; without one it is only checked. Raises ValueError."""


def as_it_is(url: str, _alert: Alert | None) -> str:
    return url


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """The settings, which hosts this handler may be sent to: a script's are those of the list, the operator's own are any; the
    operator's endpoints; and the alert that is delivered, with which URLs are filled in."""

    settings: AlertSettings
    targets: Targets
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    fill: Fill = as_it_is
    alert: Alert | None = None

    def filled(self, calls: Calls, url: str) -> str:
        """Raises BadHandler."""
        try:
            return self.fill(url, self.alert)
        except ValueError as cause:
            raise calls.bad(f"has a URL that cannot be filled in: {cause}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An alert on its way; `key` is the same at every attempt, so that a receiver can tell a repeat."""

    alert: Alert
    key: str


class Handler(Protocol):
    @property
    def target(self) -> str:
        """Names whom it tells, without secrets; what goes to one target is told in order, one after the other."""

    @classmethod
    def of(cls, calls: Calls, operator: Operator) -> Self:
        """What the script asks for; raises BadHandler."""

    def deliver(self, delivery: Delivery, *, transport: Transport) -> None:
        """Raises HandlerUnavailable or HandlerRefused."""


def post_json(
    url: str, body: object, delivery: Delivery, *, timeout_s: float, headers: Mapping[str, str] | None = None
) -> Post:
    """A request whose body is JSON, closed by a newline as Kapacitor's are."""
    return Post(
        url=url,
        body=json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(errors="replace") + b"\n",
        headers={"Content-Type": "application/json", "Idempotency-Key": delivery.key, **(headers or {})},
        timeout_s=timeout_s,
    )


def result(alert: Alert) -> dict[str, Any]:
    """The alert's data as an object."""
    return json.loads(alert.data)


def tags(alert: Alert) -> dict[str, str]:
    series = alert.series
    return dict(series[0].get("tags") or {}) if series else {}


def measurement(alert: Alert) -> str:
    series = alert.series
    return str(series[0].get("name", "")) if series else ""


def web_target(kind: str, url: str) -> str:
    """Of a URL, of which all but the origin may be a key."""
    return f"{kind} {origin(url)} {hashlib.sha256(url.encode()).hexdigest()[:8]}"


def checked_url(calls: Calls, url: str, targets: Targets) -> str:
    """The URL, if it is one of HTTP and its host is on the list."""
    try:
        parts = urlsplit(url)
        is_sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_sound = False
    if not is_sound:
        raise calls.bad("needs a URL of the form `http://host:port/path`")
    if not targets.allowed_url(url):
        raise calls.bad(f"may not send to {origin(url)}; TASKS_ALLOW_TARGETS lists the hosts that scripts may send to")
    return url


def checked_address(calls: Calls, address: str, targets: Targets) -> tuple[str, int]:
    """Host and port, if the host is on the list."""
    try:
        parts = urlsplit(f"tcp://{address}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not port or parts.path or parts.username is not None:
        raise calls.bad("needs an address of the form `host:port`")
    if not targets.allowed(host, port):
        raise calls.bad(f"may not send to {host}:{port}; TASKS_ALLOW_TARGETS lists the hosts that scripts may send to")
    return host, port


def configured(calls: Calls, name: str, value: SecretStr | str | None) -> str:
    """A setting without which the handler is of no use."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if not text:
        raise calls.bad(f"is not configured: {name} is not set")
    return text
