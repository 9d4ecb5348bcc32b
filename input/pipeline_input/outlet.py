"""What a loop that publishes works with."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline_queue.brokers import Broker
from pipeline_queue.clock import Clock
from pipeline_queue.ledger import Ledger
from pipeline_queue.service import Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """Where events go, under which name, and who keeps count."""

    producer: str
    clock: Clock
    broker: Broker
    service: Service
    ledger: Ledger
