"""`.slack()`: a message with one attachment, coloured by the level, to Slack's incoming web hook.

From: Kapacitor's `slack`; workspaces are not told apart, since there is one hook.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from pipeline_output.handlers.calls import Calls
from pipeline_output.handlers.handler import Delivery, Operator, configured, post_json, web_target
from pipeline_output.handlers.transport import Transport

COLORS = {"WARNING": "warning", "CRITICAL": "danger"}
GOOD = "good"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackAlert:
    url: str = field(repr=False)
    channel: str
    username: str
    icon_emoji: str
    timeout_s: float

    @property
    def target(self) -> str:
        return web_target("slack", self.url)

    @classmethod
    def of(cls, calls: Calls, operator: Operator) -> Self:
        settings = operator.settings
        if calls.text("workspace"):
            raise calls.bad("has one workspace, that of ALERTS_SLACK_URL; leave `workspace` out")
        return cls(
            url=configured(calls, "ALERTS_SLACK_URL", settings.slack_url),
            channel=calls.text("channel") or settings.slack_channel,
            username=calls.text("username") or settings.slack_username,
            icon_emoji=calls.text("iconEmoji") or settings.slack_icon_emoji,
            timeout_s=settings.timeout_s,
        )

    def deliver(self, delivery: Delivery, *, transport: Transport) -> None:
        message, level = delivery.alert.message, delivery.alert.level
        body = {
            "as_user": False,
            "attachments": [
                {"fallback": message, "color": COLORS.get(level, GOOD), "text": message, "mrkdwn_in": ["text"]}
            ],
            "channel": self.channel,
            "icon_emoji": self.icon_emoji,
            "text": "",
            "username": self.username,
        }
        transport.post(post_json(self.url, body, delivery, timeout_s=self.timeout_s))
