"""The tasks that a demo starts with: one script a file here, over the topic `monitoring`.

In:   the folder of the definitions, none at a demo's first start, and the file that alerts are written to.
Out:  each script as a task of its file's name, enabled. Later starts leave alone what people made of them.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from pipeline_queue.clock import Clock, SystemClock

DBRPS = (("pipeline", "monitoring"),)
SCRIPTS = tuple(sorted(Path(__file__).parent.glob("*.tick")))


def define_tasks(folder: Path, log_file: Path, clock: Clock | None = None) -> None:
    from pipeline_output.state import Definition, open_definitions

    if folder.exists():
        return
    now_ns = (clock or SystemClock()).now_ns()
    with closing(open_definitions(f"sqlite://{folder}")) as store:
        for path in SCRIPTS:
            task = Definition(
                id=path.stem,
                type="stream",
                dbrps=DBRPS,
                script=path.read_text(encoding="utf-8"),
                vars={"log_file": {"type": "string", "value": str(log_file), "description": ""}},
                status="enabled",
                created_ns=now_ns,
                modified_ns=now_ns,
                last_enabled_ns=now_ns,
            )
            store.create(task)
