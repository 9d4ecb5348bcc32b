"""`.sensu()`: the result of a check, given to Sensu's client over TCP; it answers `ok`.

The alert's id is the check's name, and Sensu takes letters, digits, `_`, `.` and `-` in it.
From: Kapacitor's `sensu`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pipeline_output.errors import HandlerRefused
from pipeline_output.handlers.calls import Calls
from pipeline_output.handlers.handler import Delivery, Operator, checked_address, configured
from pipeline_output.handlers.service_settings import listed
from pipeline_output.handlers.targets import EVERYWHERE
from pipeline_output.handlers.transport import Transport

NAME = re.compile(r"[A-Za-z0-9_.-]+")
STATUSES = {"OK": 0, "INFO": 0, "WARNING": 1, "CRITICAL": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class SensuAlert:
    host: str
    port: int
    source: str
    handlers: tuple[str, ...]
    metadata: Mapping[str, Any]
    timeout_s: float

    @property
    def target(self) -> str:
        return f"sensu {self.host}:{self.port}"

    @classmethod
    def of(cls, calls: Calls, operator: Operator) -> Self:
        settings = operator.settings
        address = configured(calls, "ALERTS_SENSU_ADDRESS", settings.sensu_address)
        host, port = checked_address(calls, address, EVERYWHERE)
        return cls(
            host=host,
            port=port,
            source=calls.text("source") or settings.sensu_source,
            handlers=calls.texts("handlers") or listed(settings.sensu_handlers),
            metadata=calls.pairs("metadata"),
            timeout_s=settings.timeout_s,
        )

    def deliver(self, delivery: Delivery, *, transport: Transport) -> None:
        alert = delivery.alert
        if not NAME.fullmatch(alert.alert_id):
            raise HandlerRefused(
                f"Sensu takes letters, digits, `_`, `.` and `-` in an alert's id, this is `{alert.alert_id}`"
            )
        own = {
            "name": alert.alert_id,
            "source": self.source,
            "output": alert.message,
            "status": STATUSES[alert.level],
            "handlers": self.handlers or None,
        }
        sent = json.dumps({**self.metadata, **own}, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        answer = transport.ask(self.host, self.port, sent, timeout_s=self.timeout_s)
        if answer != b"ok":
            raise HandlerRefused(f"Sensu at {self.host}:{self.port} answered {answer[:100]!r}")
