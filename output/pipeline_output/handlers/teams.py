"""`.teams()`: a card for a channel of Microsoft Teams, coloured by the level.

From: Kapacitor's `teams`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from pipeline_output.handlers.calls import Calls
from pipeline_output.handlers.handler import Delivery, Operator, checked_url, configured, post_json, web_target
from pipeline_output.handlers.transport import Transport

COLORS = {"WARNING": "FFA533", "CRITICAL": "CC4A31"}
GOOD = "34CC25"
SUMMARY_LENGTH = 70


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamsAlert:
    url: str = field(repr=False)
    timeout_s: float

    @property
    def target(self) -> str:
        return web_target("teams", self.url)

    @classmethod
    def of(cls, calls: Calls, operator: Operator) -> Self:
        settings = operator.settings
        if own := calls.text("channelURL"):
            url = checked_url(calls, own, operator.targets)
        else:
            url = configured(calls, "ALERTS_TEAMS_URL", settings.teams_url)
        return cls(url=url, timeout_s=settings.timeout_s)

    def deliver(self, delivery: Delivery, *, transport: Transport) -> None:
        alert = delivery.alert
        title = f"{alert.level}: [{alert.alert_id}]"
        body = {
            "@type": "MessageCard",
            "@context": "http://schema.org/extensions",
            "title": title,
            "text": alert.message,
            "summary": f"{title} - {alert.message}"[:SUMMARY_LENGTH] + "...",
            "themeColor": COLORS.get(alert.level, GOOD),
        }
        transport.post(post_json(self.url, body, delivery, timeout_s=self.timeout_s))
