"""`.telegram()`: the alert's message from a bot to a chat.

From: Kapacitor's `telegram`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

from pipeline_output.handlers.calls import Calls
from pipeline_output.handlers.handler import Delivery, Operator, configured, post_json, web_target
from pipeline_output.handlers.transport import Transport

PARSE_MODES = ("", "markdown", "html")


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramAlert:
    url: str = field(repr=False)
    options: dict[str, Any]
    timeout_s: float

    @property
    def target(self) -> str:
        return web_target("telegram", self.url)

    @classmethod
    def of(cls, calls: Calls, operator: Operator) -> Self:
        settings = operator.settings
        token = configured(calls, "ALERTS_TELEGRAM_TOKEN", settings.telegram_token)
        mode = calls.text("parseMode") or settings.telegram_parse_mode
        if mode.lower() not in PARSE_MODES:
            raise calls.bad(f"has no parse mode `{mode}`; there are Markdown and HTML")
        return cls(
            url=f"{settings.telegram_url}{token}/sendMessage",
            options={
                "chat_id": calls.text("chatId") or configured(calls, "ALERTS_TELEGRAM_CHAT", settings.telegram_chat_id),
                **({"parse_mode": mode} if mode else {}),
                **({"disable_web_page_preview": True} if calls.flag("disableWebPagePreview") else {}),
                **({"disable_notification": True} if calls.flag("disableNotification") else {}),
            },
            timeout_s=settings.timeout_s,
        )

    def deliver(self, delivery: Delivery, *, transport: Transport) -> None:
        body = {"text": delivery.alert.message, **self.options}
        transport.post(post_json(self.url, body, delivery, timeout_s=self.timeout_s))
