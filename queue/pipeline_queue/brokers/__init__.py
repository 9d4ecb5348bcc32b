"""Brokers by URL: `kafka://host:port[,host:port]`, `sqlite:///absolute/folder`, `memory://name`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from pipeline_queue.brokers.memory import MemoryBroker, MemoryLog
from pipeline_queue.brokers.protocol import Broker, Durability, Message, Offsets, Record, Term
from pipeline_queue.errors import BadUrl

__all__ = ["Broker", "Durability", "Message", "Offsets", "Record", "Term", "open_broker"]


def open_broker(url: str, *, durability: Durability = "process") -> Broker:
    """A broker of its own for this thread; raises BadUrl, or QueueUnavailable when nothing answers there."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite" and not parts.netloc and parts.path.startswith("/"):
        from pipeline_queue.brokers.sqlite import SqliteBroker

        return SqliteBroker(Path(parts.path), durability=durability)
    if parts.scheme == "kafka" and parts.netloc:
        from pipeline_queue.brokers.kafka import KafkaBroker

        return KafkaBroker(parts.netloc.split(","), durability=durability)
    if parts.scheme == "memory" and parts.netloc:
        return MemoryBroker(_memory_log(parts.netloc))
    raise BadUrl(url)


@cache
def _memory_log(_name: str) -> MemoryLog:
    return MemoryLog()
