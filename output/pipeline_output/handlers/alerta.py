"""`.alerta()`: an alert for Alerta's API; resource, event and group are the measurement, the alert's id and the group unless scripts say
otherwise.

From: Kapacitor's `alerta`, without rules that make severities from expressions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from pipeline_queue.alerts import Alert

from pipeline_output.handlers.calls import Calls
from pipeline_output.handlers.handler import (
    Delivery,
    Operator,
    configured,
    measurement,
    post_json,
    result,
    tags,
    web_target,
)
from pipeline_output.handlers.transport import Transport

SEVERITIES = {
    "OK": ("ok", "ok"),
    "INFO": ("info", "informational"),
    "WARNING": ("warn", "warning"),
    "CRITICAL": ("crit", "critical"),
}
"""By level: what a script calls it to rename it, and Alerta's name."""
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertaAlert:
    url: str = field(repr=False)
    authorization: str = field(repr=False)
    named: Mapping[str, str]
    services: tuple[str, ...]
    correlated: tuple[str, ...]
    severities: Mapping[str, str]
    alert_timeout_s: float
    timeout_s: float

    @property
    def target(self) -> str:
        return web_target("alerta", self.url)

    @classmethod
    def of(cls, calls: Calls, operator: Operator) -> Self:
        settings = operator.settings
        token = calls.text("token") or configured(calls, "ALERTS_ALERTA_TOKEN", settings.alerta_token)
        url = configured(calls, "ALERTS_ALERTA_URL", settings.alerta_url)
        return cls(
            url=f"{url.rstrip('/')}/alert",
            authorization=f"{calls.text('tokenPrefix') or 'Bearer'} {token}",
            named={name: calls.text(name) for name in ("resource", "event", "group", "value")}
            | {"environment": calls.text("environment") or settings.alerta_environment}
            | {"origin": calls.text("origin") or settings.alerta_origin},
            services=calls.texts("services"),
            correlated=calls.texts("correlated"),
            severities=calls.pairs("renameSeverity"),
            alert_timeout_s=calls.seconds("timeout", DAY_S),
            timeout_s=settings.timeout_s,
        )

    def deliver(self, delivery: Delivery, *, transport: Transport) -> None:
        headers = {"Authorization": self.authorization}
        body = self._body(delivery.alert)
        transport.post(post_json(self.url, body, delivery, timeout_s=self.timeout_s, headers=headers))

    def _body(self, alert: Alert) -> dict[str, Any]:
        name = measurement(alert)
        own, severity = SEVERITIES[alert.level]
        return {
            "resource": self.named["resource"] or name,
            "event": self.named["event"] or alert.alert_id,
            "environment": self.named["environment"],
            "severity": self.severities.get(own, severity),
            "group": self.named["group"] or alert.group_id,
            "value": self.named["value"],
            "text": alert.message,
            "origin": self.named["origin"],
            "rawData": result(alert),
            "service": self.services or (name,),
            "correlate": self.correlated or (name,),
            "timeout": int(self.alert_timeout_s),
            "tags": [f"{key}={value}" for key, value in tags(alert).items()],
        }
