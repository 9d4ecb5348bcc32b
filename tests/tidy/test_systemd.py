"""The systemd units are sound, say what the command line takes, and give a service no more than it needs."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pipeline_cli.main import app
from typer.main import get_command

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "scripts/systemd").glob("*.service"))
INSTALLED = "/opt/pipeline/.venv/bin/pipeline"


def commands_of(unit: Path) -> list[str]:
    return re.findall(rf"^ExecStart={INSTALLED} (.+)$", unit.read_text(), re.MULTILINE)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_finds_nothing_wrong(unit: Path, tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("no `systemd-analyze` here, which verifies units")
    here = tmp_path / unit.name
    here.write_text(
        unit.read_text()
        .replace(INSTALLED, sys.executable)
        .replace("User=pipeline\n", "")
        .replace("Group=pipeline\n", "")
    )
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(here)], capture_output=True, text=True, check=False
    )
    ours = [line for line in (done.stdout + done.stderr).splitlines() if unit.name in line]
    assert (ours, done.returncode) == ([], 0), done.stderr


def test_there_is_a_unit_for_each_service_of_events() -> None:
    assert [unit.stem for unit in UNITS] == ["pipeline-collector", "pipeline-loader"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_runs_a_command_that_there_is(unit: Path) -> None:
    (command,) = commands_of(unit)
    assert command.split()[0] in get_command(app).commands
