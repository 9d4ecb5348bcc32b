"""`.opsGenie()`: opens an alert by OpsGenie's API 1; that it is over is a note.

From: Kapacitor's `opsGenie`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

from pipeline_output.handlers.calls import Calls
from pipeline_output.handlers.handler import PRODUCT, Delivery, Operator, configured, post_json, web_target
from pipeline_output.handlers.service_settings import listed
from pipeline_output.handlers.transport import Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class OpsGenieAlert:
    url: str = field(repr=False)
    recovery_url: str = field(repr=False)
    key: str = field(repr=False)
    teams: tuple[str, ...]
    recipients: tuple[str, ...]
    timeout_s: float

    @property
    def target(self) -> str:
        return web_target("opsGenie", self.url)

    @classmethod
    def of(cls, calls: Calls, operator: Operator) -> Self:
        settings = operator.settings
        return cls(
            url=f"{settings.opsgenie_url}/",
            recovery_url=f"{settings.opsgenie_recovery_url}/",
            key=configured(calls, "ALERTS_OPSGENIE_KEY", settings.opsgenie_key),
            teams=calls.texts("teams") or listed(settings.opsgenie_teams),
            recipients=calls.texts("recipients") or listed(settings.opsgenie_recipients),
            timeout_s=settings.timeout_s,
        )

    def deliver(self, delivery: Delivery, *, transport: Transport) -> None:
        alert = delivery.alert
        is_over = alert.level == "OK"
        body: dict[str, Any] = {
            "alias": alert.alert_id,
            "apiKey": self.key,
            "description": alert.data,
            "details": {"Level": "RECOVERY" if is_over else alert.level, "Monitoring Tool": "Kapacitor"},
            "entity": alert.alert_id,
            "message": alert.message,
            "monitoring_tool": PRODUCT,
            "note": alert.message if is_over else "",
        }
        body |= {"teams": self.teams} if self.teams else {}
        body |= {"recipients": self.recipients} if self.recipients else {}
        url = self.recovery_url if is_over else self.url
        transport.post(post_json(url, body, delivery, timeout_s=self.timeout_s))
