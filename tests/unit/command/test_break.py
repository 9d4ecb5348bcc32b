"""`scripts/break.sh SERVICE cut`: all networks, or one alone, and on them again; with a Docker that only takes notes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts/break.sh"
DOCKER = """#!/usr/bin/env bash
case "$*" in
    "compose ps --quiet display") echo c1 ;;
    "compose ps --services") echo display ;;
    "compose ps --format"*) echo "display healthy" ;;
    inspect*Networks*) printf '%s\\n' x_edge x_output x_queue ;;
    inspect*Labels*) echo display ;;
    network*) echo "$*" >> "$NOTES" ;;
esac
"""


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What Docker was told about networks."""
    docker = tmp_path / "docker"
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("NOTES", str(tmp_path / "notes"))
    (tmp_path / "notes").touch()
    return tmp_path / "notes"


def broken(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SCRIPT, *words], capture_output=True, text=True, timeout=60, check=False)


def test_a_cut_takes_all_networks_and_gives_them_back(notes: Path) -> None:
    assert broken("display", "cut", "0").returncode == 0
    cut = [f"network disconnect x_{name} c1" for name in ("edge", "output", "queue")]
    joined = [f"network connect --alias display x_{name} c1" for name in ("edge", "output", "queue")]
    assert notes.read_text().splitlines() == cut + joined


def test_a_cut_of_one_network_leaves_the_others(notes: Path) -> None:
    assert broken("display", "cut", "0", "queue").returncode == 0
    assert notes.read_text().splitlines() == [
        "network disconnect x_queue c1",
        "network connect --alias display x_queue c1",
    ]


def test_a_network_that_the_service_is_not_on_is_refused_with_those_that_it_is_on(notes: Path) -> None:
    done = broken("display", "cut", "0", "processing")
    said = "break: it is on no network `processing`, but on: x_edge x_output x_queue\n"
    assert (done.returncode, done.stderr, notes.read_text()) == (2, said, "")


@pytest.mark.parametrize("words", [["display", "freeze", "0", "queue"], ["display", "cut", "0", "queue", "output"]])
def test_a_network_is_for_cuts_and_is_one(notes: Path, words: list[str]) -> None:
    done = broken(*words)
    assert (done.returncode, "[SECONDS] [NETWORK]" in done.stderr, notes.read_text()) == (2, True, "")
