"""What a piece of work costs: processor time of this process and of Kafka's, and the clock on the wall.

Machines that run this are shared and noisy: each piece runs several times, the pieces take turns, and the run with the
least processor time counts. Processor time per event decides, events/s is what the wall saw.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import psutil

RUNS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of one run over `events` events."""

    events: int
    own_s: float
    kafka_s: float
    wall_s: float

    @property
    def own_us(self) -> float:
        """µs of this process's processor time an event, all threads."""
        return self.own_s / self.events * 1e6

    @property
    def kafka_us(self) -> float:
        return self.kafka_s / self.events * 1e6

    @property
    def events_per_s(self) -> float:
        return self.events / self.wall_s


def in_turns(pieces: Mapping[str, Callable[[], int]]) -> dict[str, Cost]:
    """The cheapest run of each piece; a piece does its work once and says how many events that was."""
    best: dict[str, Cost] = {}
    for _ in range(RUNS):
        for name, piece in pieces.items():
            cost = _measured(piece)
            if name not in best or cost.own_s < best[name].own_s:
                best[name] = cost
    return best


def processor_s(process: psutil.Process) -> float:
    """Of a process and all that it started, those that ended included."""
    total_s = 0.0
    for each in [process, *process.children(recursive=True)]:
        try:
            times = each.cpu_times()
        except psutil.Error:
            continue
        total_s += times.user + times.system + times.children_user + times.children_system
    return total_s


def _measured(piece: Callable[[], int]) -> Cost:
    kafka_s, own_s, wall_s = _kafka_s(), time.process_time(), time.perf_counter()
    events = piece()
    return Cost(
        events=events,
        wall_s=time.perf_counter() - wall_s,
        own_s=time.process_time() - own_s,
        kafka_s=_kafka_s() - kafka_s,
    )


def _kafka_s() -> float:
    """Processor time of all Kafka servers on this machine; those that nobody uses add next to nothing."""
    total_s = 0.0
    for process in psutil.process_iter(["name", "cmdline"]):
        if process.info["name"] == "java" and "kafka.Kafka" in (process.info["cmdline"] or ()):
            times = process.cpu_times()
            total_s += times.user + times.system
    return total_s
