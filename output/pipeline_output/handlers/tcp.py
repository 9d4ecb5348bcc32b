"""`.tcp(address)`: the alert's JSON on a line of its own, over a connection of its own; `.address(address)` names another.

From: Kapacitor's `tcp`, which closes the line with two newlines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from pipeline_output.handlers.calls import Calls
from pipeline_output.handlers.handler import Delivery, Operator, checked_address
from pipeline_output.handlers.transport import Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class SendAlert:
    host: str
    port: int
    timeout_s: float

    @property
    def target(self) -> str:
        return f"tcp {self.host}:{self.port}"

    @classmethod
    def of(cls, calls: Calls, operator: Operator) -> Self:
        address = calls.text("address", calls.argument("the address"))
        host, port = checked_address(calls, address, operator.targets)
        return cls(host=host, port=port, timeout_s=operator.settings.timeout_s)

    def deliver(self, delivery: Delivery, *, transport: Transport) -> None:
        transport.send(self.host, self.port, delivery.alert.body + b"\n\n", timeout_s=self.timeout_s)
