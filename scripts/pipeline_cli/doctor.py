"""`pipeline doctor`: what will not work here, said before anyone is hurt, each with its way out."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import psutil
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

GB = 1_000_000_000
MEMORY_EMBEDDED_GB = 3
"""The embedded pipeline takes up to 2 GB; a browser and the system want the rest."""
MEMORY_COMPOSE_GB = 7
"""The containers' limits sum to 5.5 GB."""
DISK_EMBEDDED_GB = 2
DISK_COMPOSE_GB = 10
JAVA_MIN = 17


class Mode(StrEnum):
    embedded = "embedded"
    compose = "compose"
    tests = "tests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at; `way_out` says what to do where it is not well."""

    what: str
    well: bool
    found: str
    way_out: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What the checks are about."""

    port: int
    folder: Path


def doctor(
    mode: Annotated[Mode, typer.Option(help="What is to be run here.")] = Mode.embedded,
    port: Annotated[
        int, typer.Option(min=1, max=65535, envvar="DISPLAY_PORT", help="Where the pages shall be.")
    ] = 8080,
    data_dir: Annotated[Path, typer.Option(help="Where everything shall be kept.")] = Path("data"),
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON each.")] = False,
) -> None:
    """Say what will not work on this machine, and the way out; status 1 if the mode cannot run."""
    circumstances = Circumstances(port=port, folder=data_dir.absolute())
    findings = [check(circumstances) for check in CHECKS[mode]]
    if as_json:
        for finding in findings:
            print(json.dumps(asdict(finding)))
    else:
        _show(findings)
    if not all(finding.well for finding in findings):
        raise typer.Exit(1)


def _show(findings: list[Finding]) -> None:
    table = Table("", "what", "found", "way out", box=None)
    for finding in findings:
        mark = "[green]ok[/green]" if finding.well else "[red]no[/red]"
        table.add_row(mark, finding.what, Text(finding.found), Text("" if finding.well else finding.way_out))
    Console().print(table)


def _python(_: Circumstances) -> Finding:
    version = platform.python_version()
    return Finding(
        what="Python",
        well=sys.version_info >= (3, 11),
        found=version,
        way_out="install Python 3.11 or newer and run scripts/demo.sh with it first on PATH",
    )


def _architecture(_: Circumstances) -> Finding:
    machine = platform.machine().lower()
    return Finding(
        what="architecture",
        well=machine in {"x86_64", "amd64", "aarch64", "arm64"},
        found=f"{platform.system()} {machine}",
        way_out="use a 64-bit x86 or Arm machine: Spark's native libraries have no other builds",
    )


def _java(_: Circumstances) -> Finding:
    found = java_version(java_command())
    return Finding(
        what="Java",
        well=found is not None and found >= JAVA_MIN,
        found=f"version {found}" if found else "none in JAVA_HOME or on PATH",
        way_out=f"install a JRE {JAVA_MIN} or newer (Debian: apt-get install default-jre-headless), or run scripts/demo.sh --yes",
    )


def java_command() -> str | None:
    """The Java that Spark will take: JAVA_HOME's, else the first on PATH; None without one."""
    home = os.environ.get("JAVA_HOME")
    return shutil.which(f"{home}/bin/java") if home else shutil.which("java")


def java_version(java: str | None) -> int | None:
    """The major version that `java -version` tells; None without one."""
    if java is None:
        return None
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    return int(version.group(1)) if version else None


def _port(circumstances: Circumstances) -> Finding:
    from pipeline_display.errors import PortTaken
    from pipeline_display.port import holder, listen

    try:
        listen("127.0.0.1", circumstances.port).close()
        held_by = ""
    except PortTaken:
        held_by = holder(circumstances.port)
    return Finding(
        what=f"port {circumstances.port}",
        well=not held_by,
        found=f"held by {held_by}" if held_by else "free",
        way_out="stop who holds it, or choose another with --port (Compose: DISPLAY_PORT)",
    )


def _memory(needed_gb: int) -> Callable[[Circumstances], Finding]:
    def check(_: Circumstances) -> Finding:
        available_gb = psutil.virtual_memory().available / GB
        return Finding(
            what="memory",
            well=available_gb >= needed_gb,
            found=f"{available_gb:.1f} GB available, {needed_gb} needed",
            way_out="close what takes memory, or give the machine more",
        )

    return check


def _disk(needed_gb: int) -> Callable[[Circumstances], Finding]:
    def check(circumstances: Circumstances) -> Finding:
        there = next(path for path in (circumstances.folder, *circumstances.folder.parents) if path.exists())
        free_gb = shutil.disk_usage(there).free / GB
        return Finding(
            what="disk",
            well=free_gb >= needed_gb,
            found=f"{free_gb:.1f} GB free, {needed_gb} needed",
            way_out="make room, or choose another folder with --data-dir",
        )

    return check


def _docker(_: Circumstances) -> Finding:
    version = _said("docker", "version", "--format", "{{.Server.Version}}")
    return Finding(
        what="Docker engine",
        well=version is not None,
        found=f"version {version}" if version else "does not answer",
        way_out="install Docker and start it, and see that this user may use it; scripts/install_engine.sh does so on Debian",
    )


def _compose(_: Circumstances) -> Finding:
    version = _said("docker", "compose", "version", "--short")
    well = version is not None and int(version.lstrip("v").split(".")[0]) >= 2
    return Finding(
        what="Compose",
        well=well,
        found=f"version {version}" if version else "none",
        way_out="install Docker Compose 2 or newer",
    )


def _chromium(_: Circumstances) -> Finding:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    return Finding(
        what="Chromium",
        well=found is not None,
        found=found or "none on PATH",
        way_out="install it (Debian: apt-get install chromium); the browser tests drive it",
    )


def _said(*command: str) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    said = done.stdout.strip()
    return said if done.returncode == 0 and said else None


_EMBEDDED = (_python, _architecture, _java, _port, _memory(MEMORY_EMBEDDED_GB), _disk(DISK_EMBEDDED_GB))
_COMPOSE = (_architecture, _docker, _compose, _port, _memory(MEMORY_COMPOSE_GB), _disk(DISK_COMPOSE_GB))
CHECKS: Mapping[Mode, tuple[Callable[[Circumstances], Finding], ...]] = {
    Mode.embedded: _EMBEDDED,
    Mode.compose: _COMPOSE,
    Mode.tests: (
        _python,
        _architecture,
        _java,
        _docker,
        _compose,
        _chromium,
        _memory(MEMORY_COMPOSE_GB),
        _disk(DISK_COMPOSE_GB),
    ),
}
