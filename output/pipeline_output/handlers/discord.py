"""`.discord()`: an embed for Discord's web hook, coloured by the level.

From: Kapacitor's `discord`; workspaces are not told apart, since there is one hook.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

from pipeline_queue.alerts import rfc3339

from pipeline_output.handlers.calls import Calls
from pipeline_output.handlers.handler import Delivery, Operator, configured, post_json, web_target
from pipeline_output.handlers.transport import Transport

COLORS = {"WARNING": 0xF48D38, "CRITICAL": 0xF95F53}
GOOD = 0x7A65F2


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscordAlert:
    url: str = field(repr=False)
    title: str
    has_time: bool
    sender: dict[str, Any]
    timeout_s: float

    @property
    def target(self) -> str:
        return web_target("discord", self.url)

    @classmethod
    def of(cls, calls: Calls, operator: Operator) -> Self:
        sender = {"username": calls.text("username"), "avatar_url": calls.text("avatarURL")}
        if calls.text("workspace"):
            raise calls.bad("has one workspace, that of ALERTS_DISCORD_URL; leave `workspace` out")
        return cls(
            url=configured(calls, "ALERTS_DISCORD_URL", operator.settings.discord_url),
            title=calls.text("embedTitle"),
            has_time=calls.flag("timestamp"),
            sender={name: value for name, value in sender.items() if value},
            timeout_s=operator.settings.timeout_s,
        )

    def deliver(self, delivery: Delivery, *, transport: Transport) -> None:
        alert = delivery.alert
        second_ns = alert.at_ns - alert.at_ns % 1_000_000_000
        embed = {
            "color": COLORS.get(alert.level, GOOD),
            "title": self.title,
            "description": alert.message,
            "timestamp": rfc3339(second_ns) if self.has_time else "",
        }
        transport.post(post_json(self.url, {"embeds": [embed], **self.sender}, delivery, timeout_s=self.timeout_s))
