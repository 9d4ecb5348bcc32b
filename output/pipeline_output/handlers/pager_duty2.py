"""`.pagerDuty2()`: triggers an incident of the alert's id by PagerDuty's events API 2, and resolves it.

From: Kapacitor's `pagerDuty2`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

from pipeline_queue.alerts import Alert, rfc3339

from pipeline_output.handlers.calls import Calls
from pipeline_output.handlers.handler import (
    PRODUCT,
    Delivery,
    Operator,
    configured,
    post_json,
    result,
    tags,
    web_target,
)
from pipeline_output.handlers.transport import Transport

SEVERITIES = {"INFO": "info", "WARNING": "warning", "CRITICAL": "critical"}
ACCEPT = {"Accept": "application/vnd.pagerduty+json;version=2"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PagerDuty2Alert:
    url: str = field(repr=False)
    key: str = field(repr=False)
    links: tuple[tuple[str, str], ...]
    client_url: str
    timeout_s: float

    @property
    def target(self) -> str:
        return web_target("pagerDuty2", self.url)

    @classmethod
    def of(cls, calls: Calls, operator: Operator) -> Self:
        settings = operator.settings
        older = calls.text("serviceKey")
        key = calls.text("routingKey") or older
        return cls(
            url=settings.pagerduty2_url,
            key=key or configured(calls, "ALERTS_PAGERDUTY2_KEY", settings.pagerduty2_key),
            links=tuple((href, text or href) for href, text in calls.texts_of_two("link")),
            client_url=settings.client_url,
            timeout_s=settings.timeout_s,
        )

    def deliver(self, delivery: Delivery, *, transport: Transport) -> None:
        body = self._resolve(delivery.alert) if delivery.alert.level == "OK" else self._trigger(delivery.alert)
        transport.post(post_json(self.url, body, delivery, timeout_s=self.timeout_s, headers=ACCEPT))

    def _resolve(self, alert: Alert) -> dict[str, Any]:
        return {"routing_key": self.key, "dedup_key": alert.alert_id, "event_action": "resolve"}

    def _trigger(self, alert: Alert) -> dict[str, Any]:
        return {
            "routing_key": self.key,
            "event_action": "trigger",
            "dedup_key": alert.alert_id,
            "payload": {
                "summary": alert.message,
                "source": tags(alert).get("host", "unknown"),
                "severity": SEVERITIES[alert.level],
                "timestamp": _with_all_digits(alert.at_ns),
                "class": alert.task,
                "component": "",
                "group": "",
                "custom_details": {"result": result(alert)},
            },
            "images": None,
            "links": [{"href": href, "text": text} for href, text in self.links] or None,
            "client": PRODUCT,
            "client_url": self.client_url,
        }


def _with_all_digits(time_ns: int) -> str:
    """Nine digits of the second, zeros too."""
    whole = rfc3339(time_ns - time_ns % 1_000_000_000)
    return f"{whole[:-1]}.{time_ns % 1_000_000_000:09d}Z"
