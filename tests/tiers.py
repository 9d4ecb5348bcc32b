"""Run the test tiers that this machine can run, and say in a table what ran, what was skipped and why.

In:   `--unit`, `--e2e`, `--stack` choose a tier, `--socketio`, `--spark`, `--streaming` the tests of a part without a Docker
      engine, `--soak` the large sizes of SOAKED and then the stack under fire for an hour; `--require unit,e2e` makes a skipped tier of those a failure.
Out:  pytest's own output a tier, then the table, then the sums on one line. Exit status 0 if nothing failed.
Tests marked `engine` need a Docker engine wherever they live, and belong to the stack tier. Two workers run each tier; in the
last, one has all tests of the stack, the other the laws of real servers.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from pipeline_cli.doctor import JAVA_MIN, java_command, java_version
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """Tests that need the same of a machine; `lacking` says what it lacks, or nothing."""

    name: str
    arguments: tuple[str, ...]
    lacking: Callable[[], str]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a tier."""

    tier: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    reason: str = ""


def main() -> int:
    """The exit status."""
    chosen, required = _arguments()
    outcomes = [_run(tier) for tier in (*TIERS, *PARTS) if (tier.name in chosen if chosen else tier in TIERS)]
    missing = [outcome.tier for outcome in outcomes if outcome.reason and outcome.tier in required]
    missing += sorted(required - {outcome.tier for outcome in outcomes})
    _show(outcomes)
    if missing:
        print(f"required and not run: {', '.join(missing)}")
    passed, failed, skipped = (
        sum(getattr(each, name) for each in outcomes) for name in ("passed", "failed", "skipped")
    )
    print(f"{passed} passed, {failed + len(missing)} failed, {skipped} skipped")
    return 1 if failed or missing or not passed else 0


def _arguments() -> tuple[set[str], set[str]]:
    parser = argparse.ArgumentParser(prog="scripts/run_tests.sh", description="Run the tests.")
    for tier in (*TIERS, *PARTS):
        parser.add_argument(
            f"--{tier.name}", action="append_const", dest="chosen", const=tier.name, help=f"only {tier.name}"
        )
    parser.add_argument("--require", default="", help="tiers, by comma: fail if one of them is skipped")
    given = parser.parse_args()
    required = set(filter(None, given.require.split(",")))
    unknown = required - {tier.name for tier in TIERS}
    if unknown:
        parser.error(
            f"--require names no tier: {', '.join(sorted(unknown))}; there are {', '.join(tier.name for tier in TIERS)}"
        )
    return set(given.chosen or ()), required


def _run(tier: Tier) -> Outcome:
    lacking = tier.lacking()
    if lacking:
        return Outcome(tier=tier.name, reason=lacking)
    print(f"--- {tier.name}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        started = time.monotonic()
        command = [sys.executable, "-m", "pytest", "-q", *SLOWEST, f"--junitxml={report}", *tier.arguments]
        status = subprocess.run(command, cwd=ROOT, env=os.environ | tier.environment, check=False).returncode
        return _outcome(tier.name, report, status, time.monotonic() - started)


def _outcome(tier: str, report: Path, status: int, seconds: float) -> Outcome:
    """What pytest counted; a run that broke off, or counted nothing, is a failure."""
    suite = next(ElementTree.parse(report).getroot().iter("testsuite"), None) if report.exists() else None
    if suite is None:
        return Outcome(tier=tier, failed=1, seconds=seconds)
    tests, failures, errors, skipped = (
        int(suite.get(name, "0")) for name in ("tests", "failures", "errors", "skipped")
    )
    failed = failures + errors
    return Outcome(
        tier=tier,
        passed=tests - failed - skipped,
        failed=failed or int(status != 0),
        skipped=skipped,
        seconds=seconds,
    )


def _show(outcomes: list[Outcome]) -> None:
    table = Table("tier", "passed", "failed", "skipped", "seconds", "not run because", box=None)
    for outcome in outcomes:
        counts = (outcome.passed, outcome.failed, outcome.skipped)
        table.add_row(outcome.tier, *map(str, counts), f"{outcome.seconds:.0f}", outcome.reason)
    Console(width=120).print(table)


def _nothing() -> str:
    return ""


def _browser_or_java() -> str:
    if shutil.which("chromium") is None:
        return "no chromium on PATH (Debian: apt-get install chromium)"
    if (java_version(java_command()) or 0) < JAVA_MIN:
        return f"no Java {JAVA_MIN} or newer on PATH (Debian: apt-get install default-jre-headless)"
    return ""


def _engine() -> str:
    if shutil.which("docker") is None:
        return "no docker on PATH"
    for command in (["docker", "info"], ["docker", "compose", "version"]):
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:
            return f"`{' '.join(command)}` fails; scripts/install_engine.sh sets both up on Debian"
    return ""


TWO_WORKERS = ("-n", "2", "--dist", "loadfile")
"""As many as CI has processors; each takes whole files, whose tests share what they start."""
SLOWEST = ("--durations", "20", "--durations-min", "5")
NO_ENGINE = ("-m", "not engine")
TIERS = (
    Tier(
        name="unit",
        arguments=("tests/unit", "tests/tidy", "tests/laws", *NO_ENGINE, *TWO_WORKERS),
        lacking=_nothing,
    ),
    Tier(
        name="e2e",
        # In the order of their names, which by chance has long ones at both ends: those of one test would come last otherwise.
        arguments=("tests/e2e", *NO_ENGINE, *TWO_WORKERS, "--no-loadscope-reorder"),
        lacking=_browser_or_java,
    ),
    Tier(
        name="stack",
        arguments=("tests/stack", "tests/laws", "-m", "engine", *TWO_WORKERS, "--no-loadscope-reorder"),
        lacking=_engine,
    ),
)

PROCESSING = ("tests/unit/stage_processing", "tests/e2e/test_spark_windows.py", "tests/e2e/test_spark_outage.py")
SOAKED = (
    *("tests/laws/test_loader_crashes.py", "tests/e2e/test_collector.py", "tests/e2e/test_collector_fuzzed.py"),
    "tests/e2e/test_tasks_killed.py",
)
"""What is larger where PIPELINE_SOAK is set, and needs no engine: 200 crashes of the loader, 10,000 requests, 1,000,000 points."""
PARTS = (
    Tier(
        name="socketio",
        arguments=(
            *("tests/unit/stage_display", "tests/e2e/test_pages.py", "tests/e2e/test_pages_connection.py"),
            *("tests/e2e/test_pages_numbers.py", "tests/e2e/test_many_clients.py", *NO_ENGINE),
        ),
        lacking=_browser_or_java,
    ),
    Tier(
        name="spark",
        arguments=(
            *(*PROCESSING, "tests/e2e/test_produce_census.py", "tests/e2e/test_census.py"),
            *("tests/e2e/test_pages_census.py", *NO_ENGINE),
        ),
        lacking=_browser_or_java,
    ),
    Tier(
        name="streaming",
        arguments=(*PROCESSING, "tests/e2e/test_pages_hosts.py", "tests/e2e/test_demo_pages.py", *NO_ENGINE),
        lacking=_browser_or_java,
    ),
    Tier(name="soak", arguments=(*SOAKED, "tests/stack"), lacking=_engine, environment={"PIPELINE_SOAK": "1"}),
)
"""What is chosen by name and else runs as a part of its tier."""

if __name__ == "__main__":
    sys.exit(main())
