"""The tasks that a demo starts with: over points at hand, and as they are defined at its first start."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pipeline_cli import demo_tasks
from pipeline_cli.demo_tasks import define_tasks
from pipeline_cli.main import app
from pipeline_output.state import open_definitions
from pipeline_queue.clock import ManualClock
from typer.testing import CliRunner

SCRIPTS = Path(demo_tasks.__file__).parent
LOG = Path("/var/log/hosts.log")


def told(name: str, lines: list[str], folder: Path) -> list[dict[str, Any]]:
    """What a script tells of points, their times in seconds."""
    data = folder / "points.lp"
    data.write_text("\n".join(lines))
    script = SCRIPTS / f"{name}.tick"
    done = CliRunner().invoke(app, ["task", "run", str(script), "--data", str(data), "--precision", "s"])
    assert (done.exit_code, done.stderr) == (0, "")
    return [json.loads(each) for each in done.stdout.splitlines()]


def alerts(told: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(each["id"], each["level"], each["message"]) for each in told if "alert" in each]


def test_a_processor_is_told_of_when_its_mean_of_a_minute_is_high_and_when_it_is_not(tmp_path: Path) -> None:
    """At 115 s it is (5 × 50 + 55 × 99) ÷ 60, a little below 95; at 120 s it is 99."""
    idle = [*[50.0] * 60, *[1.0] * 60, *[50.0] * 60]
    lines = [f"monitoring,host=a,producer=p id={value} {second}" for second, value in enumerate(idle)]
    found = alerts(told("cpu_high", lines, tmp_path))
    assert [each[:2] for each in found] == [
        ("cpu_high:a", "WARNING"),
        ("cpu_high:a", "CRITICAL"),
        ("cpu_high:a", "WARNING"),
        ("cpu_high:a", "OK"),
    ]
    assert found[1][2] == "a is CRITICAL: busy for 99 % of the last minute"


@pytest.mark.parametrize(("later_kib", "levels"), [(100_000, {"WARNING"}), (900_000, set())])
def test_memory_is_told_of_when_less_of_it_is_to_give_than_ever_and_not_when_more_is(
    later_kib: int, levels: set[str], tmp_path: Path
) -> None:
    free = [*[500_000 + second % 7 for second in range(1_800)], *[later_kib] * 60]
    lines = [f"monitoring,host=a free={value}i,buff=0i,cache=0i {second}" for second, value in enumerate(free)]
    assert {level for _, level, _ in alerts(told("memory_low", lines, tmp_path))} == levels


def test_a_host_is_told_of_when_it_is_silent_and_when_it_is_not_any_more(tmp_path: Path) -> None:
    seconds = {"a": [*range(20), *range(60, 80)], "b": range(80)}
    points = sorted((second, host) for host in seconds for second in seconds[host])
    found = alerts(told("host_silent", [f"monitoring,host={host} id=1 {second}" for second, host in points], tmp_path))
    assert found == [
        ("host_silent:a", "CRITICAL", "a is silent"),
        ("host_silent:a", "OK", "a is heard of again"),
    ]


def test_a_demo_defines_its_tasks_at_its_first_start_alone(tmp_path: Path) -> None:
    folder = tmp_path / "tasks"
    define_tasks(folder, LOG, ManualClock(7))
    with closing(open_definitions(f"sqlite://{folder}")) as store:
        first = store.every()
        store.delete("memory_low")
    define_tasks(folder, LOG, ManualClock(8))
    with closing(open_definitions(f"sqlite://{folder}")) as store:
        now = store.every()
    assert [(each.id, each.status, each.last_enabled_ns) for each in first] == [
        ("cpu_high", "enabled", 7),
        ("host_silent", "enabled", 7),
        ("memory_low", "enabled", 7),
    ]
    assert [each.id for each in now] == ["cpu_high", "host_silent"]
