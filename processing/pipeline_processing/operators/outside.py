"""What leaves a task: requests, rows for a database, points for the server itself, lines of the log."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline_processing.operators.operator import Data
from pipeline_processing.points.frame import Frame
from pipeline_processing.points.keys import Tags


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One POST for each point or batch of `data`, in their order, to a URL, which may be a template, or an endpoint of the
    configuration.

    Where it `is_awaited` each has an answer, in the same order. Where it `is_captured` an answer that says no is for the log.
    """

    url: str
    endpoint: str
    headers: Tags
    timeout_ns: int
    data: Data
    is_awaited: bool
    is_captured: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Points for InfluxDB's /write. Empty names mean each point's own."""

    url: str
    database: str
    retention_policy: str
    measurement: str
    precision: str
    write_consistency: str
    buffer: int
    flush_interval_ns: int
    create: bool
    points: Frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Looped:
    """Points that enter this server again; empty names mean each point's own."""

    database: str
    retention_policy: str
    measurement: str
    points: Frame


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLines:
    """One line for each point or batch of `data`, in their order; `level` is DEBUG, INFO, WARN or ERROR."""

    level: str
    prefix: str
    data: Data
