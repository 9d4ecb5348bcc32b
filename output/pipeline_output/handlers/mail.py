"""`.email(to…)`: the message is the subject, the details are the text, as HTML. Its Message-ID is made from the event's id.

From: Kapacitor's `email`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Self

from pipeline_output.handlers.calls import Calls
from pipeline_output.handlers.handler import Delivery, Operator, configured
from pipeline_output.handlers.service_settings import listed
from pipeline_output.handlers.settings import AlertSettings
from pipeline_output.handlers.transport import Mailing, Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class MailAlert:
    settings: AlertSettings = field(repr=False)
    recipients: tuple[str, ...]
    sender: str

    @property
    def target(self) -> str:
        return f"email {self.settings.smtp_host}:{self.settings.smtp_port}"

    @classmethod
    def of(cls, calls: Calls, operator: Operator) -> Self:
        settings = operator.settings
        named = (*calls.arguments("the recipients"), *calls.texts("to"))
        recipients = named or listed(settings.smtp_to)
        if not recipients:
            raise calls.bad("has no recipients, and ALERTS_SMTP_TO is not set")
        if any(set(each) & set("\r\n,") or "@" not in each for each in recipients):
            raise calls.bad("takes addresses as `name@host`, one an argument")
        return cls(
            settings=settings,
            recipients=recipients,
            sender=configured(calls, "ALERTS_SMTP_FROM", settings.smtp_from),
        )

    def deliver(self, delivery: Delivery, *, transport: Transport) -> None:
        settings = self.settings
        transport.mail(
            Mailing(
                message=self._message(delivery),
                host=settings.smtp_host,
                port=settings.smtp_port,
                tls=settings.smtp_tls,
                user=settings.smtp_user,
                password=settings.smtp_password.get_secret_value() if settings.smtp_password else "",
                timeout_s=settings.timeout_s,
            )
        )

    def _message(self, delivery: Delivery) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self.sender
        message["To"] = ", ".join(self.recipients)
        message["Subject"] = " ".join(delivery.alert.message.split())
        message["Date"] = format_datetime(datetime.now(UTC))
        message["Message-ID"] = f"<{hashlib.sha256(delivery.key.encode()).hexdigest()[:32]}@alerts>"
        message.set_content(delivery.alert.details, subtype="html")
        return message
