"""A task that begins in the past, while points go on coming, and is killed: it has each of its points once."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from pipeline_cli.tasks import app
from pipeline_processing.tasks.times import rfc3339
from running_engine import RunningEngine, running_engine
from typer.testing import CliRunner
from waiting import PATIENCE_S, until

SUM = """
stream
    |from()
        .measurement('m')
    |cumulativeSum('value')
        .as('sum')
    |httpOut('sum')
"""
BATCHES, A_BATCH = 40, 50
"""Half of them are there before the task begins."""


def write(engine: RunningEngine, *batches: int) -> None:
    for batch in batches:
        lines = (f"m value={number} {number}\n" for number in range(batch * A_BATCH, (batch + 1) * A_BATCH))
        assert engine.ask("POST", "/write?db=telegraf&rp=autogen", "".join(lines).encode())[0] == 204


def holds(engine: RunningEngine, numbers: range) -> bool:
    series = engine.output("sum", "sum")["series"]
    return bool(series) and series[0]["values"][-1][-1] == sum(numbers)


def test_a_task_that_begins_in_the_past_has_each_point_once_also_when_it_is_killed(tmp_path: Path) -> None:
    with running_engine(tmp_path, {"TASKS_SNAPSHOT_INTERVAL_S": "1"}) as engine:
        engine.define("sum", SUM)
        write(engine, 0, 1)
        began_ns = time.time_ns()
        write(engine, *range(2, BATCHES // 2))
        live = threading.Thread(target=write, args=(engine, *range(BATCHES // 2, BATCHES)))
        live.start()
        told = CliRunner().invoke(
            app, ["enable", "sum", "--from", rfc3339(began_ns), "--url", f"http://127.0.0.1:{engine.port}"]
        )
        assert told.exit_code == 0, told.output
        live.join()
        assert until(lambda: holds(engine, range(2 * A_BATCH, BATCHES * A_BATCH)), PATIENCE_S), engine.log()
        assert engine.show("sum")["from"] == rfc3339(began_ns)
        engine.kill()
        engine.start()
        write(engine, BATCHES)
        assert until(lambda: holds(engine, range(2 * A_BATCH, (BATCHES + 1) * A_BATCH)), PATIENCE_S), engine.log()
