"""Windows as lines in a terminal."""

from __future__ import annotations

import json
import subprocess
import sys

from pipeline_display.tail import heading, lines

NS = 1_000_000_000
WINDOW = {
    "window_start_ns": 1_700_000_001 * NS,
    "count": 1234,
    "late": 0,
    "mean": 0.5,
    "standard_deviation": 1.25,
    "min": -2,
    "max": 3,
    "p50": 0.5,
    "p90": 1,
    "p99": None,
}


def test_a_window_is_a_line_below_its_headings() -> None:
    (line,) = lines([json.dumps({"rows": [WINDOW]}).encode()])
    assert line.split()[1:] == ["1,234", "0", "0.5000", "1.2500", "-2.0000", "3.0000", "0.5000", "1.0000", "-"]
    assert len(line) == len(heading())


def test_a_demo_without_a_table_is_refused_with_those_that_have_one() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipeline_display.tail", "demo1"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, "usage: python -m pipeline_display.tail {demo5,demo6}\n")
