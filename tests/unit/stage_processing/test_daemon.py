"""The daemon is forked from; what it imports may not start threads, and takes part in no collection."""

from __future__ import annotations

import subprocess
import sys

PREPARED = """
import gc, threading
from pipeline_processing.spark.daemon import prepare
prepare()
print(threading.active_count(), gc.get_freeze_count() > 50_000, len(gc.get_objects()) < 1_000)
"""


def test_the_daemon_runs_no_thread_and_has_frozen_its_imports() -> None:
    said = subprocess.run([sys.executable, "-c", PREPARED], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["1", "True", "True"]
