"""`pipeline doctor` on machines that lack one thing or another."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest
from pipeline_cli.doctor import CHECKS, Mode, java_version
from pipeline_cli.main import app
from typer.testing import CliRunner

runner = CliRunner()


def findings(*options: str) -> tuple[int, dict[str, dict[str, object]]]:
    outcome = runner.invoke(app, ["doctor", "--json", *options])
    rows = [json.loads(line) for line in outcome.stdout.splitlines()]
    return outcome.exit_code, {row["what"]: row for row in rows}


def test_a_held_port_is_named_with_its_holder_and_fails_the_mode() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        status, found = findings("--port", str(port))
    row = found[f"port {port}"]
    assert (status, row["well"], f"process {os.getpid()}" in str(row["found"]), "--port" in str(row["way_out"])) == (
        1,
        False,
        True,
        True,
    )


def test_no_java_fails_the_embedded_mode_and_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    status, found = findings()
    assert (status, found["Java"]["well"], "apt-get install" in str(found["Java"]["way_out"])) == (1, False, True)


def test_no_docker_fails_the_compose_mode(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    status, found = findings("--mode", "compose")
    assert (status, found["Docker engine"]["well"], found["Compose"]["well"]) == (1, False, False)


@pytest.mark.parametrize(
    ("said", "version"),
    [('openjdk version "17.0.15" 2025-04-15', 17), ('java version "1.8.0_401"', 1), ("sh: java: not found", None)],
)
def test_the_java_version_is_read_from_what_java_says(tmp_path: Path, said: str, version: int | None) -> None:
    java = tmp_path / "java"
    java.write_text(f"#!/bin/sh\necho '{said}' >&2\n")
    java.chmod(0o755)
    assert java_version(str(java)) == version


@pytest.mark.parametrize("mode", Mode)
def test_every_mode_looks_at_memory_disk_and_architecture(mode: Mode) -> None:
    status, found = findings("--mode", mode.value)
    assert {"memory", "disk", "architecture"} <= found.keys()
    assert len(found) == len(CHECKS[mode])
    assert status == (0 if all(row["well"] for row in found.values()) else 1)
