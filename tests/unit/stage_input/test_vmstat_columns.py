"""vmstat's columns from /proc as three kernels write it; expected numbers are worked out by hand beside them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from pipeline_input.errors import NoCounters
from pipeline_input.vmstat import Counters, columns, read_counters

NONE_YET = Counters(
    monotonic_ns=0,
    running=0,
    blocked=0,
    swap_used_kib=0,
    free_kib=0,
    buffers_kib=0,
    cache_kib=0,
    swapped_in_pages=0,
    swapped_out_pages=0,
    paged_in_kib=0,
    paged_out_kib=0,
    interrupts=0,
    context_switches=0,
    user_s=0.0,
    system_s=0.0,
    idle_s=0.0,
    wait_s=0.0,
    stolen_s=0.0,
)

LINUX_3_10 = {
    "stat": """\
cpu  4705 150 1120 16250 520 30 45 0 0 0
cpu0 2400 80 560 8100 260 20 30 0 0 0
cpu1 2305 70 560 8150 260 10 15 0 0 0
intr 114930 55 2 0 0 0 0 3 0 1
ctxt 1990473
btime 1062191376
processes 2915
procs_running 3
procs_blocked 2
softirq 183433 0 21755 12 39 1137 231 21459 2263
""",
    "meminfo": """\
MemTotal:        3880184 kB
MemFree:         1234560 kB
Buffers:            2076 kB
Cached:           700000 kB
SwapCached:            0 kB
Active:           500000 kB
Inactive:         400000 kB
Active(anon):     200000 kB
Inactive(anon):    20000 kB
Active(file):     300000 kB
Inactive(file):   380000 kB
SwapTotal:       2097148 kB
SwapFree:        2097000 kB
Shmem:              8940 kB
Slab:             120000 kB
SReclaimable:      80000 kB
SUnreclaim:        40000 kB
""",
    "vmstat": """\
nr_free_pages 308640
pgpgin 812345
pgpgout 91011
pswpin 12
pswpout 37
pgfault 123456
""",
}

LINUX_5_10 = {
    "stat": """\
cpu  1000 0 500 8000 300 0 50 100 400 0
cpu0 1000 0 500 8000 300 0 50 100 400 0
intr 5000000000 0 9
ctxt 9000000000
btime 1700000000
processes 10
procs_running 1
procs_blocked 0
softirq 5 0 1 1 1 1 1 0 0 0 0
""",
    "meminfo": """\
MemTotal:       16316412 kB
MemFree:          200000 kB
MemAvailable:    9000000 kB
Buffers:          400000 kB
Cached:          8000000 kB
SwapCached:         1000 kB
Active:          5000000 kB
Inactive:        4000000 kB
Active(file):    3000000 kB
Inactive(file):  3800000 kB
SwapTotal:       4000000 kB
SwapFree:        3000000 kB
Shmem:            100000 kB
KReclaimable:     600000 kB
Slab:             700000 kB
SReclaimable:     500000 kB
SUnreclaim:       200000 kB
""",
    "vmstat": "nr_free_pages 50000\npgpgin 70\npgpgout 80\npswpin 0\npswpout 0\n",
}

LINUX_6_18 = {
    "stat": """\
cpu  16163 0 8785 140536 886 0 217 86 0 0
cpu0 5816 0 3610 73590 187 0 21 42 0 0
cpu1 10346 0 5174 66945 699 0 196 43 0 0
intr 576225 0 148 0 0
ctxt 1363993
btime 1795348421
processes 30249
procs_running 3
procs_blocked 1
softirq 375226 0 27993 52 41333 168613 0 8 49719 0 87508
""",
    "meminfo": """\
MemTotal:       24684092 kB
MemFree:        22932372 kB
MemAvailable:   24130080 kB
Buffers:           18784 kB
Cached:          1325856 kB
SwapCached:            0 kB
Active:           562724 kB
Inactive:         833884 kB
Active(file):     561168 kB
Inactive(file):   774616 kB
SwapTotal:             0 kB
SwapFree:              0 kB
Zswap:                 0 kB
Zswapped:              0 kB
Shmem:              8856 kB
KReclaimable:     167052 kB
Slab:             197416 kB
SReclaimable:     167052 kB
SUnreclaim:        30364 kB
""",
    "vmstat": "nr_free_pages 5733093\npgpgin 2161437\npgpgout 6583200\npswpin 0\npswpout 0\n",
}


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that psutil takes for /proc."""
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    return tmp_path


def read(proc: Path, texts: dict[str, str]) -> Counters:
    for name, text in texts.items():
        (proc / name).write_text(text)
    return replace(read_counters(), monotonic_ns=0)


def test_a_linux_3_10_gives_its_counters(proc: Path) -> None:
    assert read(proc, LINUX_3_10) == Counters(
        monotonic_ns=0,
        running=2,  # 3, less the reader
        blocked=2,
        swap_used_kib=148,  # 2,097,148 - 2,097,000
        free_kib=1_234_560,
        buffers_kib=2_076,
        cache_kib=780_000,  # 700,000 + 80,000 reclaimable
        swapped_in_pages=12,
        swapped_out_pages=37,
        paged_in_kib=812_345,
        paged_out_kib=91_011,
        interrupts=114_930,
        context_switches=1_990_473,
        user_s=48.55,  # 4,705 + 150 ticks of 10 ms
        system_s=pytest.approx(11.95),  # 1,120 + 30 + 45
        idle_s=162.5,
        wait_s=5.2,
        stolen_s=0.0,
    )


def test_a_linux_5_10_that_hosts_guests_counts_their_time_once(proc: Path) -> None:
    counters = read(proc, LINUX_5_10)
    assert (counters.user_s, counters.stolen_s) == (10.0, 1.0)


def test_cache_holds_the_reclaimable_slab_and_not_all_of_kreclaimable(proc: Path) -> None:
    assert read(proc, LINUX_5_10).cache_kib == 8_500_000


def test_the_reader_alone_is_no_running_process(proc: Path) -> None:
    assert read(proc, LINUX_5_10).running == 0


def test_a_linux_6_18_without_swap_gives_its_levels(proc: Path) -> None:
    row = columns(NONE_YET, replace(read(proc, LINUX_6_18), monotonic_ns=1_000_000_000))
    levels = {name: row[name] for name in ("r", "b", "swpd", "free", "buff", "cache")}
    assert levels == {"r": 2, "b": 1, "swpd": 0, "free": 22_932_372, "buff": 18_784, "cache": 1_492_908}


def test_percentages_are_of_all_processors_time(proc: Path) -> None:
    # 16,163 user, 9,002 system (8,785 + 217), 140,536 idle, 886 wait, 86 stolen: 166,673 ticks together
    row = columns(NONE_YET, replace(read(proc, LINUX_6_18), monotonic_ns=1_000_000_000))
    shares = {name: row[name] for name in ("us", "sy", "id", "wa", "st")}
    assert shares == {"us": 9.7, "sy": 5.4, "id": 84.32, "wa": 0.53, "st": 0.05}


def test_rates_divide_by_the_time_that_passed() -> None:
    after = replace(
        NONE_YET,
        monotonic_ns=2_500_000_000,
        swapped_in_pages=5,  # 20 KiB / 2.5 s, pages of 4 KiB
        swapped_out_pages=10,
        paged_in_kib=1_000,
        paged_out_kib=1_001,  # 400.4
        interrupts=2_499,  # 999.6
        context_switches=5,
    )
    row = columns(NONE_YET, after)
    rates = {name: row[name] for name in ("si", "so", "bi", "bo", "in", "cs")}
    assert rates == {"si": 8, "so": 16, "bi": 400, "bo": 400, "in": 1_000, "cs": 2}


def test_idle_time_that_runs_backwards_counts_as_none() -> None:
    before = replace(NONE_YET, idle_s=10.0)
    after = replace(NONE_YET, monotonic_ns=1, idle_s=9.99, user_s=1.0)
    assert columns(before, after)["id"] == 0.0


def test_no_processor_time_at_all_is_idle() -> None:
    assert columns(NONE_YET, replace(NONE_YET, monotonic_ns=1))["id"] == 100.0


def test_a_proc_without_a_counter_is_refused_with_its_name(proc: Path) -> None:
    with pytest.raises(NoCounters, match="vmstat` does not say `pgpgout`"):
        read(proc, LINUX_5_10 | {"vmstat": "pgpgin 70\npswpin 0\npswpout 0\n"})
