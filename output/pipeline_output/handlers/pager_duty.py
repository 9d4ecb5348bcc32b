"""`.pagerDuty()`: triggers an incident of the alert's id, and resolves it; PagerDuty's events API 1 knows no INFO, which is refused.

From: Kapacitor's `pagerDuty`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from pipeline_output.errors import HandlerRefused
from pipeline_output.handlers.calls import Calls
from pipeline_output.handlers.handler import PRODUCT, Delivery, Operator, configured, post_json, web_target
from pipeline_output.handlers.transport import Transport

EVENT_TYPES = {"OK": "resolve", "WARNING": "trigger", "CRITICAL": "trigger"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PagerDutyAlert:
    url: str = field(repr=False)
    key: str = field(repr=False)
    client_url: str
    timeout_s: float

    @property
    def target(self) -> str:
        return web_target("pagerDuty", self.url)

    @classmethod
    def of(cls, calls: Calls, operator: Operator) -> Self:
        settings = operator.settings
        return cls(
            url=settings.pagerduty_url,
            key=calls.text("serviceKey") or configured(calls, "ALERTS_PAGERDUTY_KEY", settings.pagerduty_key),
            client_url=settings.client_url,
            timeout_s=settings.timeout_s,
        )

    def deliver(self, delivery: Delivery, *, transport: Transport) -> None:
        alert = delivery.alert
        if alert.level not in EVENT_TYPES:
            raise HandlerRefused(f"PagerDuty's events API 1 takes no alert of level {alert.level}")
        body = {
            "client": PRODUCT,
            "client_url": self.client_url,
            "description": alert.message,
            "details": alert.details,
            "event_type": EVENT_TYPES[alert.level],
            "incident_key": alert.alert_id,
            "service_key": self.key,
        }
        transport.post(post_json(self.url, body, delivery, timeout_s=self.timeout_s))
