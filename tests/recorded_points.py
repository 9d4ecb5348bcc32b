"""Points for recordings and replays: seeded, of two hosts, with pauses and points that come late."""

from __future__ import annotations

import random
from collections.abc import Iterator

from pipeline_processing.tasks.task_master import TaskDefinition
from pipeline_queue.points.block import PointBlock
from pipeline_queue.recordings.lines import blocks_of_lines

DBRP = ("telegraf", "autogen")
BEGIN_S = 1_700_000_000
SCRIPTS = {
    "windows": """
stream
    |from().measurement('cpu').groupBy('host')
    |window().period(10s).every(5s)
    |mean('usage').as('usage')
    |alert().id('{{ index .Tags "host" }}').crit(lambda: "usage" > 60.0).topic('t')
    |httpOut('mean')
""",
    "silence": """
var points = stream
    |from().measurement('cpu').groupBy('host')
points
    |deadman(1.0, 10s)
    |httpOut('dead')
""",
    "two_in_a_row": """
stream
    |from().measurement('cpu').groupBy('host')
    |alert().id('first').crit(lambda: "usage" > 70.0).topic('t')
    |alert().id('second').crit(lambda: "usage" > 80.0).topic('t')
    |kapacitorLoopback().database('e').retentionPolicy('r')
""",
    "what_time_it_is": """
stream
    |from().measurement('cpu')
    |eval(lambda: unixNano(now()) - unixNano("time")).as('late').keep()
    |alert().info(lambda: "late" > 0).topic('t')
    |httpOut('late')
""",
}


def lines(points: int = 200, seed: int = 1) -> str:
    noise, time_ms, found = random.Random(seed), BEGIN_S * 1000, []
    for _ in range(points):
        time_ms += noise.choice((0, 0, 150, 1000, 1000, 31_000 if noise.random() < 0.1 else 700))
        late_ms = 400 if noise.random() < 0.1 else 0
        found.append(f"cpu,host={noise.choice('ab')} usage={noise.uniform(0, 100):.2f} {time_ms - late_ms}")
    return "\n".join(found)


def blocks(rows: int, *, points: int = 200) -> Iterator[PointBlock]:
    """The same points, so many a block."""
    all_lines = lines(points).split("\n")
    for at in range(0, len(all_lines), rows):
        yield from blocks_of_lines("\n".join(all_lines[at : at + rows]), DBRP, "ms")


def definition(name: str) -> TaskDefinition:
    return TaskDefinition(id=name, type="stream", script=SCRIPTS[name], dbrps=(DBRP,))
