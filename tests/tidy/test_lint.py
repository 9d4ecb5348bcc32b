"""The linter of pyproject.toml has nothing to say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_the_linter_is_content() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--output-format", "concise", "."],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "All checks passed!")
