"""`.opsGenie2()`: opens an alert by OpsGenie's API 2; when it is over, a note is added to it or it is closed.

From: Kapacitor's `opsGenie2`.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any, Self

from pipeline_queue.alerts import Alert

from pipeline_output.handlers.calls import Calls
from pipeline_output.handlers.handler import Delivery, Operator, configured, measurement, post_json, tags, web_target
from pipeline_output.handlers.service_settings import listed
from pipeline_output.handlers.transport import Transport

PRIORITIES = {"INFO": "P5", "WARNING": "P3", "CRITICAL": "P1"}
RECOVERY_ACTIONS = ("notes", "close")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpsGenie2Alert:
    url: str = field(repr=False)
    key: str = field(repr=False)
    teams: tuple[str, ...]
    recipients: tuple[str, ...]
    recovery_action: str
    timeout_s: float

    @property
    def target(self) -> str:
        return web_target("opsGenie2", self.url)

    @classmethod
    def of(cls, calls: Calls, operator: Operator) -> Self:
        settings = operator.settings
        action = calls.text("recoveryAction")
        return cls(
            url=settings.opsgenie2_url,
            key=configured(calls, "ALERTS_OPSGENIE_KEY", settings.opsgenie_key),
            teams=calls.texts("teams") or listed(settings.opsgenie_teams),
            recipients=calls.texts("recipients") or listed(settings.opsgenie_recipients),
            recovery_action=action if action in RECOVERY_ACTIONS else settings.opsgenie2_recovery_action,
            timeout_s=settings.timeout_s,
        )

    def deliver(self, delivery: Delivery, *, transport: Transport) -> None:
        alert = delivery.alert
        alias = base64.urlsafe_b64encode(alert.alert_id.encode()).decode()
        url, body = self.url, self._opened(alert, alias)
        if alert.level == "OK":
            url = f"{self.url.rstrip('/')}/{alias}/{self.recovery_action}?identifierType=alias"
            body = {"note": alert.message}
        headers = {"Authorization": f"GenieKey {self.key}"}
        transport.post(post_json(url, body, delivery, timeout_s=self.timeout_s, headers=headers))

    def _opened(self, alert: Alert, alias: str) -> dict[str, Any]:
        details = {"Monitoring Tool": "Kapacitor", "Level": alert.level, **tags(alert)}
        responders = [{"name": each, "type": "team"} for each in self.teams]
        responders += [{"username": each, "type": "user"} for each in self.recipients]
        return {
            "alias": alias,
            "description": alert.data,
            "details": details | ({"Kapacitor Task Name": measurement(alert)} if alert.series else {}),
            "entity": alert.alert_id,
            "message": alert.message,
            "note": "",
            "priority": PRIORITIES.get(alert.level, ""),
            **({"responders": responders} if responders else {}),
        }
