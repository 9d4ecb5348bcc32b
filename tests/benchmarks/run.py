"""Every benchmark, one after the other: `.venv/bin/python tests/benchmarks/run.py`.

In:   nothing; with a Docker engine and the images it measures Kafka, Cassandra and the Compose stack too.
Out:  each benchmark's table. Three quarters of an hour on two idle cores; figures of a busy machine are worth nothing.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from real_servers import running_cassandra, running_kafka

HERE = Path(__file__).parent


def main() -> None:
    bench("bench_pipeline.py", "embedded")
    bench("bench_census.py")
    bench("bench_socketio.py")
    bench("bench_charts.py")
    bench("bench_loader.py")
    bench("bench_points.py")
    bench("bench_tasks.py")
    if shutil.which("wrk"):
        bench("bench_collector.py", "embedded", "1")
        bench("bench_collector.py", "embedded", "2")
    else:
        print("without the collector's: `wrk` is not here (on Debian: apt-get install wrk)")
    with ExitStack() as servers:
        try:
            kafka, cassandra = servers.enter_context(running_kafka()), servers.enter_context(running_cassandra())
        except pytest.skip.Exception as reason:
            print(f"without Kafka, Cassandra and Compose: {reason}")
            urls: list[list[str]] = [[], []]
        else:
            urls = [[kafka], [f"{cassandra}/benchmark"]]
        bench("bench_queue.py", *urls[0])
        bench("bench_input.py", *urls[0])
        bench("bench_stores.py", *urls[1])
        bench("bench_raw_rows.py", *urls[1])
        bench("bench_spark.py", *urls[0], *urls[1])
    if urls[0]:
        bench("bench_pipeline.py", "compose")
        if shutil.which("wrk"):
            bench("bench_collector.py", "compose", "2")


def bench(script: str, *arguments: str) -> None:
    print(f"--- {script} {' '.join(arguments)}", flush=True)
    subprocess.run([sys.executable, str(HERE / script), *arguments], check=True)


if __name__ == "__main__":
    main()
