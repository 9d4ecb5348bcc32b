"""vmstat's columns from the kernel's counters.

In:      what the kernel has counted since its start, read twice.
Out:     the columns of the program `vmstat` (procps 4) for the time between.
Refuses: a /proc without these counters (NoCounters).

psutil gives processor times, interrupts, context switches, memory and swap; /proc/stat and /proc/vmstat give what
psutil has not: running and blocked processes, and pages moved. As procps does:
- r is `procs_running` without the reader itself; b is `procs_blocked`, tasks that wait for a disk (a task in state D
  for another reason is in neither);
- cache holds the reclaimable slab; si and so are pages in KiB; bi and bo are `pgpgin` and `pgpgout`, KiB already;
- us holds nice, and guest time, which the kernel counts into user; sy holds interrupts.
Unlike procps, rates divide by the time that passed, not by the interval asked for, and percentages keep two decimals;
newer procps show guest time in a column `gu` of its own.
In a container /proc/stat, /proc/vmstat and /proc/meminfo are the host's, and so are the columns.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from pipeline_input.errors import NoCounters

_PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """One look at the kernel: levels (processes, memory) and counts since its start (all others)."""

    monotonic_ns: int
    running: int
    blocked: int
    swap_used_kib: int
    free_kib: int
    buffers_kib: int
    cache_kib: int
    swapped_in_pages: int
    swapped_out_pages: int
    paged_in_kib: int
    paged_out_kib: int
    interrupts: int
    context_switches: int
    user_s: float
    system_s: float
    idle_s: float
    wait_s: float
    stolen_s: float


def read_counters() -> Counters:
    """The kernel's counters now; about 0.3 ms. psutil.PROCFS_PATH says where /proc is, here too."""
    proc = Path(psutil.PROCFS_PATH)
    stat = _numbers(proc / "stat", "procs_running", "procs_blocked")
    pages = _numbers(proc / "vmstat", "pswpin", "pswpout", "pgpgin", "pgpgout")
    times, counts, memory = psutil.cpu_times(), psutil.cpu_stats(), psutil.virtual_memory()
    return Counters(
        monotonic_ns=time.monotonic_ns(),
        running=max(0, stat["procs_running"] - 1),
        blocked=stat["procs_blocked"],
        swap_used_kib=psutil.swap_memory().used // 1024,
        free_kib=memory.free // 1024,
        buffers_kib=memory.buffers // 1024,
        cache_kib=memory.cached // 1024,
        swapped_in_pages=pages["pswpin"],
        swapped_out_pages=pages["pswpout"],
        paged_in_kib=pages["pgpgin"],
        paged_out_kib=pages["pgpgout"],
        interrupts=counts.interrupts,
        context_switches=counts.ctx_switches,
        user_s=times.user + times.nice,
        system_s=times.system + times.irq + times.softirq,
        idle_s=times.idle,
        wait_s=times.iowait,
        stolen_s=times.steal,
    )


def columns(before: Counters, after: Counters) -> dict[str, int | float]:
    """vmstat's row for the time between the two; they must not be of one moment."""
    return {**_levels(after), **_rates(before, after), **_percentages(before, after)}


def _levels(now: Counters) -> dict[str, int | float]:
    return {
        "r": now.running,
        "b": now.blocked,
        "swpd": now.swap_used_kib,
        "free": now.free_kib,
        "buff": now.buffers_kib,
        "cache": now.cache_kib,
    }


def _rates(before: Counters, after: Counters) -> dict[str, int | float]:
    counted = {
        "si": (after.swapped_in_pages - before.swapped_in_pages) * _PAGE_KIB,
        "so": (after.swapped_out_pages - before.swapped_out_pages) * _PAGE_KIB,
        "bi": after.paged_in_kib - before.paged_in_kib,
        "bo": after.paged_out_kib - before.paged_out_kib,
        "in": after.interrupts - before.interrupts,
        "cs": after.context_switches - before.context_switches,
    }
    elapsed_ns = after.monotonic_ns - before.monotonic_ns
    return {name: (max(0, count) * 1_000_000_000 + elapsed_ns // 2) // elapsed_ns for name, count in counted.items()}


def _percentages(before: Counters, after: Counters) -> dict[str, int | float]:
    """Of all processors' time; the kernel's idle and wait can run backwards for a moment, which counts as none."""
    spent = {
        "us": max(0.0, after.user_s - before.user_s),
        "sy": max(0.0, after.system_s - before.system_s),
        "id": max(0.0, after.idle_s - before.idle_s),
        "wa": max(0.0, after.wait_s - before.wait_s),
        "st": max(0.0, after.stolen_s - before.stolen_s),
    }
    total_s = sum(spent.values())
    if total_s == 0:
        return {**spent, "id": 100.0}
    return {name: round(100 * seconds / total_s, 2) for name, seconds in spent.items()}


def _numbers(path: Path, *names: str) -> Mapping[str, int]:
    """The named lines of a file of `name number` lines."""
    found = {}
    for line in path.read_text().splitlines():
        name, _, number = line.partition(" ")
        if name in names:
            found[name] = int(number)
    for name in names:
        if name not in found:
            raise NoCounters(path, missing=name)
    return found
