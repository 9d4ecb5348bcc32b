"""`.post(url)`: the alert's JSON to a URL of the script's choice, or to an endpoint of the operator's; both may be templates.

From: Kapacitor's `post`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from pipeline_output.handlers.calls import Calls
from pipeline_output.handlers.handler import Delivery, Operator, checked_url, web_target
from pipeline_output.handlers.transport import Post, Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class PostAlert:
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    timeout_s: float
    is_verified: bool
    shows_reply: bool

    @property
    def target(self) -> str:
        return web_target("post", self.url)

    @classmethod
    def of(cls, calls: Calls, operator: Operator) -> Self:
        url, headers = _where(calls, operator)
        headers |= calls.pairs("header")
        if not all(isinstance(each, str) for each in headers.values()):
            raise calls.bad("takes text as the value of a `header`")
        return cls(
            url=url,
            headers=headers,
            timeout_s=calls.seconds("timeout", operator.settings.timeout_s) or operator.settings.timeout_s,
            is_verified=not calls.flag("skipSSLVerification"),
            shows_reply=calls.flag("captureResponse"),
        )

    def deliver(self, delivery: Delivery, *, transport: Transport) -> None:
        own = {"Content-Type": "application/json", "Idempotency-Key": delivery.key}
        theirs = {name: value for name, value in self.headers.items() if name.lower() != "content-type"}
        transport.post(
            Post(
                url=self.url,
                body=delivery.alert.body + b"\n",
                headers=own | theirs,
                timeout_s=self.timeout_s,
                is_verified=self.is_verified,
                shows_reply=self.shows_reply,
            )
        )


def _where(calls: Calls, operator: Operator) -> tuple[str, dict[str, str]]:
    """The URL, and the headers that belong to it."""
    name = calls.text("endpoint")
    if not name:
        url = operator.filled(calls, calls.argument("the URL"))
        return checked_url(calls, url, operator.targets), {}
    if name not in operator.endpoints:
        raise calls.bad(f"has no endpoint `{name}`; TASKS_ENDPOINTS_FILE names those that there are")
    found = operator.endpoints[name]
    return operator.filled(calls, found.url), dict(found.all_headers)
