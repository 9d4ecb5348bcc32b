"""`.victorOps()`: an event of the alert's id by VictorOps' REST integration; OK is a RECOVERY.

From: Kapacitor's `victorOps`, which sends the rows as text unless it is told otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self
from urllib.parse import quote

from pipeline_output.handlers.calls import Calls
from pipeline_output.handlers.handler import PRODUCT, Delivery, Operator, configured, post_json, web_target
from pipeline_output.handlers.transport import Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class VictorOpsAlert:
    url: str = field(repr=False)
    timeout_s: float

    @property
    def target(self) -> str:
        return web_target("victorOps", self.url)

    @classmethod
    def of(cls, calls: Calls, operator: Operator) -> Self:
        settings = operator.settings
        key = configured(calls, "ALERTS_VICTOROPS_KEY", settings.victorops_key)
        routing_key = calls.text("routingKey") or settings.victorops_routing_key
        parts = (settings.victorops_url.rstrip("/"), quote(key, safe=""), quote(routing_key, safe=""))
        return cls(url="/".join(filter(None, parts)), timeout_s=settings.timeout_s)

    def deliver(self, delivery: Delivery, *, transport: Transport) -> None:
        alert = delivery.alert
        body = {
            "data": alert.data,
            "entity_id": alert.alert_id,
            "message_type": "RECOVERY" if alert.level == "OK" else alert.level,
            "monitoring_tool": PRODUCT,
            "state_message": alert.message,
            "timestamp": alert.at_ns // 1_000_000_000,
        }
        transport.post(post_json(self.url, body, delivery, timeout_s=self.timeout_s))
