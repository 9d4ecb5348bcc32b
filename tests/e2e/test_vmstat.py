"""Monitoring against the program `vmstat` (procps) over the same 10 s, under loads that the test makes.

Both look at the same kernel: vmstat prints a line a second, and the test reads the counters when a line arrives,
within a few milliseconds of vmstat's own look. What other processes of the machine do is in both.
Tolerances, each from what two looks some milliseconds apart can differ by:
- rates: vmstat divides what it counted by the interval it asked for, so what we counted is divided by that, too. Sums
  of 10 differ by what happened between vmstat's look and ours, at the first line and at the last: 2 %, 100/s where
  little happens (a look costs a few interrupts and switches), and on a machine where lines arrive unevenly because
  others keep it busy, what the busiest second holds for as long as the lines are apart in evenness.
- percentages: vmstat rounds each line to a whole per cent, half a point at most: means of 10 within 1 point, and the
  same share of unevenness.
- levels of memory: what is written within a gap: 1 % of the memory, median of 5 runs of vmstat, one line each (that
  of procps 4.0.2 repeats on every line of a run what it saw first).
- r and b change within microseconds, so they are two samples of one distribution: means of 10 within three standard
  errors, and 1 more, for the reader may see vmstat run and the other way round.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from pathlib import Path
from statistics import fmean, median, variance
from typing import TypeAlias

import psutil
import pytest
from pipeline_input.vmstat import columns, read_counters

pytestmark = pytest.mark.skipif(
    shutil.which("vmstat") is None, reason="no vmstat on PATH (Debian: apt-get install procps)"
)

Rows: TypeAlias = list[Mapping[str, float]]

SECONDS = 10
PERCENTAGES, RATES = ("us", "sy", "id", "wa", "st"), ("si", "so", "bi", "bo", "in", "cs")
MEMORY, PROCESSES = ("swpd", "free", "buff", "cache"), ("r", "b")
CHANGING = (*PERCENTAGES, *RATES, *PROCESSES)
NO_SWITCH_AT_ALL = 100

BUSY = "while True: pass"
DIRECT_WRITER = """
import mmap, os, sys
block = mmap.mmap(-1, 1 << 20)
while True:
    file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_DIRECT | os.O_DSYNC)
    for _ in range(16):
        os.write(file, block)
    os.close(file)
"""
VFORKED = "import subprocess; subprocess.run(['/bin/sh', '-c', 'sleep 60'], close_fds=False)"


@pytest.fixture(scope="module")
def scratch() -> Iterator[Path]:
    """A folder on a disk; /tmp may be memory, where writing blocks nobody."""
    folder = Path(__file__).parent / f".vmstat-{os.getpid()}"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


@contextmanager
def running(*programs: list[str]) -> Iterator[None]:
    """The programs, each in a session of its own, while the block runs."""
    with ExitStack() as stack:
        for program in programs:
            process = subprocess.Popen([sys.executable, "-c", *program], start_new_session=True)
            stack.callback(process.wait)
            stack.callback(os.killpg, process.pid, signal.SIGKILL)
        yield


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """vmstat's rows and ours over the same time, rates as counts a line; `uneven_s` is how unevenly lines arrived."""

    theirs: Rows
    ours: Rows
    uneven_s: float


def both_over_the_same_time() -> Looks:
    """The first line, vmstat's averages since the start of the machine, is left out."""
    theirs, looks = [], []
    for line in vmstat("1", str(SECONDS + 1)):
        looks.append(read_counters())
        theirs.append(line)
    ours, lasted_s = [], []
    for before, after in pairwise(looks):
        lasted_s.append((after.monotonic_ns - before.monotonic_ns) / 1e9)
        row = columns(before, after)
        ours.append({**row, **{name: row[name] * lasted_s[-1] for name in RATES}})
    return Looks(theirs=theirs[1:], ours=ours, uneven_s=max(lasted_s) - min(lasted_s))


def vmstat(*arguments: str) -> Iterator[Mapping[str, float]]:
    """Rows of the program as it prints them."""
    command = ["vmstat", "-n", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "LC_ALL": "C"}) as program:
        assert program.stdout is not None
        program.stdout.readline()
        names = program.stdout.readline().split()
        for line in program.stdout:
            row = dict(zip(names, map(float, line.split()), strict=True))
            # Newer procps keep the guests' time apart; here, as in older ones, it is in `us`.
            yield {**row, "us": row["us"] + row.get("gu", 0)}


def disagreements() -> tuple[dict[str, object], Rows]:
    """The columns beyond their tolerance, with vmstat's figures and ours; and our rows."""
    looks = both_over_the_same_time()
    since = read_counters()
    levels = [(next(iter(list(vmstat()))), columns(since, read_counters())) for _ in range(5)]
    pairs = {name: ([row[name] for row in looks.theirs], [row[name] for row in looks.ours]) for name in CHANGING}
    pairs |= {name: ([row[name] for row, _ in levels], [row[name] for _, row in levels]) for name in MEMORY}
    return {name: pair for name, pair in pairs.items() if not agree(name, *pair, looks.uneven_s)}, looks.ours


def agree(name: str, theirs: list[float], ours: list[float], uneven_s: float) -> bool:
    if name in MEMORY:
        apart = median(abs(their - our) for their, our in zip(theirs, ours, strict=True))
        return apart <= 0.01 * psutil.virtual_memory().total / 1024
    apart, uneven = abs(fmean(theirs) - fmean(ours)), uneven_s / SECONDS
    if name in PERCENTAGES:
        return apart <= 1.0 + 100 * uneven
    if name in RATES:
        return apart <= max(0.02 * fmean(theirs), NO_SWITCH_AT_ALL) + max(theirs) * uneven
    return apart <= 1.0 + 3 * sqrt((variance(theirs) + variance(ours)) / SECONDS)


def test_at_rest_they_agree() -> None:
    assert disagreements()[0] == {}


def test_under_load_of_the_processors_they_agree_and_see_it() -> None:
    processors = os.cpu_count() or 1
    with running(*[[BUSY]] * (processors + 1)):
        found, ours = disagreements()
    # Others may have a share of the processors, and need it in the kernel.
    assert (found, fmean(row["id"] for row in ours) < 10, fmean(row["us"] for row in ours) > 30) == ({}, True, True)


def test_under_load_of_the_disk_they_agree_and_see_it(scratch: Path) -> None:
    with running(*([DIRECT_WRITER, str(scratch / str(number))] for number in range(4))):
        found, ours = disagreements()
    seen = (fmean(row["bo"] for row in ours) > 1000, max(row["b"] for row in ours) > 0)
    assert (found, seen) == ({}, (True, True))


def test_processes_blocked_by_a_child_and_no_disk_are_in_neither() -> None:
    with running(*[[VFORKED]] * 4):
        assert disagreements()[0] == {}
