"""The bell: rings before a wait are heard, several count as one, and eventlet's hub goes on while one waits."""

from __future__ import annotations

import subprocess
import sys
import threading

from pipeline_display.wakeup import Bell


def test_rings_before_a_wait_count_as_one() -> None:
    bell = Bell()
    for _ in range(3):
        bell.ring()
    assert [bell.wait(0), bell.wait(0)] == [True, False]


def test_a_full_pipe_still_rings() -> None:
    bell = Bell()
    for _ in range(100_000):
        bell.ring()
    assert [bell.wait(0), bell.wait(0)] == [True, False]


def test_a_thread_wakes_the_one_that_waits() -> None:
    bell = Bell()
    threading.Timer(0.02, bell.ring).start()
    assert bell.wait(60)


IN_HUB = """
import threading
from pipeline_display.modes import EventletMode
from pipeline_display.wakeup import Bell
mode, bell, turns = EventletMode(), Bell(), []
mode.spawn(lambda: turns.append("another green thread ran"))
threading.Timer(0.1, bell.ring).start()
print(mode.wait(bell, 60), turns, mode.wait(bell, 0.01))
"""


def test_a_thread_wakes_a_green_thread_while_others_run_and_eventlet_starts_without_a_word() -> None:
    done = subprocess.run([sys.executable, "-c", IN_HUB], capture_output=True, text=True, check=True, timeout=120)
    assert (done.stdout, done.stderr) == ("True ['another green thread ran'] False\n", "")
