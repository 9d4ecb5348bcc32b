"""Run a command and start it again whenever the source changes: `python reload.py FOLDER COMMAND...`.

In:   a folder whose stage packages are watched, once a second, by modification time (mounted folders give no events).
Out:  the command's own exit status when it ends by itself; SIGTERM and SIGINT end it.
Only docker-compose.dev.yml uses it; it needs nothing but Python.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

STAGES = ("queue", "output", "input", "processing", "display", "scripts")
WATCHED = {".py", ".html", ".js", ".css"}
LOOK_EVERY_S = 1.0
STOP_WITHIN_S = 5.0


def main(folder: Path, command: Sequence[str]) -> int:
    """The exit status."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    process = subprocess.Popen(command)
    try:
        return _watch(folder, command, process)
    except KeyboardInterrupt:
        return 0


def _watch(folder: Path, command: Sequence[str], process: subprocess.Popen[bytes]) -> int:
    seen = _stamps(folder)
    try:
        while process.poll() is None:
            time.sleep(LOOK_EVERY_S)
            now = _stamps(folder)
            if now != seen:
                changed = sorted(path.name for path, _ in now ^ seen)
                print(f"{', '.join(dict.fromkeys(changed))} changed: starting again", file=sys.stderr, flush=True)
                _stop(process)
                process, seen = subprocess.Popen(command), now
        return process.returncode
    finally:
        _stop(process)


def _stamps(folder: Path) -> set[tuple[Path, int]]:
    files = (path for stage in STAGES for path in (folder / stage).rglob("*") if path.suffix in WATCHED)
    return {(path, path.stat().st_mtime_ns) for path in files if path.exists()}


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _leave(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
