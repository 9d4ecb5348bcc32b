"""The README's commands, run as they are written."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import socket
import subprocess

import pytest
from running_demo import ROOT, Demo, free_port
from waiting import until

README = (ROOT / "README.md").read_text()
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]
BREAKS = [line for line in COMMANDS if line.startswith("scripts/break.sh ")]
BESIDE_THE_DEMO = (".venv/bin/pipeline ", "curl ")
COMPILED_WITHIN_S = 300.0
"""What tasks run on is compiled when a machine starts them for the first time."""
RUN_ELSEWHERE = {
    "docker compose up": "the stack tests start it",
    **dict.fromkeys(BREAKS, "the fault tests of the stack run it"),
    "scripts/demo.sh": "the fixture `demo` starts it",
    "scripts/run_tests.sh": "it runs this test",
}


def test_every_command_is_run_by_some_test() -> None:
    assert [line for line in COMMANDS if line not in RUN_ELSEWHERE and not line.startswith(BESIDE_THE_DEMO)] == []
    assert set(RUN_ELSEWHERE) <= set(COMMANDS)


@pytest.mark.parametrize("command", [line for line in COMMANDS if line not in RUN_ELSEWHERE])
def test_a_command_beside_the_running_demo_does_what_it_says(demo: Demo, command: str) -> None:
    here = command.replace(":8081/", f":{demo.events_port}/").replace(":9092/", f":{demo.tasks_port}/")
    if "pipeline task " in command or here != command:
        up = until(lambda: answers(demo.tasks_port) and answers(demo.events_port), COMPILED_WITHIN_S)
        assert up, "the demo's doors do not answer"
    words = [*shlex.split(here), *(["--port", str(free_port())] if "doctor" in command else [])]
    environment = os.environ | {
        "QUEUE_URL": f"sqlite://{demo.folder}/queue",
        "STORES": f"disk://{demo.folder}/disk,sqlite://{demo.folder}/cassandra-stand-in.db",
        "LEDGER_DIR": f"{demo.folder}/ledger",
        "TASKS_URL": f"http://127.0.0.1:{demo.tasks_port}",
        "DATABASE_URL": f"sqlite://{demo.folder}/events.db",
    }
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert (done.returncode, bool(done.stdout.strip())) == (0, True), done.stderr


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
    return False
