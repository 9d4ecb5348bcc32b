"""`.hipChat()`: a notification for a room, coloured by the level.

From: Kapacitor's `hipChat`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self
from urllib.parse import quote, urlencode

from pipeline_output.handlers.calls import Calls
from pipeline_output.handlers.handler import PRODUCT, Delivery, Operator, configured, post_json, web_target
from pipeline_output.handlers.transport import Transport

COLORS = {"WARNING": "yellow", "CRITICAL": "red"}
GOOD = "green"


@dataclass(frozen=True, slots=True, kw_only=True)
class HipChatAlert:
    url: str = field(repr=False)
    timeout_s: float

    @property
    def target(self) -> str:
        return web_target("hipChat", self.url)

    @classmethod
    def of(cls, calls: Calls, operator: Operator) -> Self:
        settings = operator.settings
        url = configured(calls, "ALERTS_HIPCHAT_URL", settings.hipchat_url)
        room = calls.text("room") or configured(calls, "ALERTS_HIPCHAT_ROOM", settings.hipchat_room)
        token = calls.text("token") or configured(calls, "ALERTS_HIPCHAT_TOKEN", settings.hipchat_token)
        query = urlencode({"auth_token": token})
        return cls(
            url=f"{url.rstrip('/')}/{quote(room, safe='')}/notification?{query}",
            timeout_s=settings.timeout_s,
        )

    def deliver(self, delivery: Delivery, *, transport: Transport) -> None:
        alert = delivery.alert
        body = {
            "color": COLORS.get(alert.level, GOOD),
            "from": PRODUCT,
            "message": alert.message,
            "notify": True,
        }
        transport.post(post_json(self.url, body, delivery, timeout_s=self.timeout_s))
