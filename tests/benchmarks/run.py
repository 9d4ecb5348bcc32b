"""Every benchmark, one after the other: `.venv/bin/python tests/benchmarks/run.py`.

In:   nothing; with a Docker engine and the images it measures Kafka, Cassandra and the Compose stack too.
Out:  each benchmark's table, and which of them ended with another status than 0: a limit that one asserts, or a fault; status 1 then.
      Three quarters of an hour on two idle cores; figures of a busy machine are worth nothing.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from real_servers import running_cassandra, running_kafka

HERE = Path(__file__).parent


def main() -> int:
    """The exit status."""
    bench = Benchmarks()
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
    for each in bench.failed:
        print(f"not as it should be: {each}")
    return 1 if bench.failed else 0


@dataclass
class Benchmarks:
    """Runs one; what failed does not keep the others from running."""

    failed: list[str] = field(default_factory=list)

    def __call__(self, script: str, *arguments: str) -> None:
        command = " ".join([script, *arguments])
        print(f"--- {command}", flush=True)
        if subprocess.run([sys.executable, str(HERE / script), *arguments], check=False).returncode != 0:
            self.failed.append(command)


if __name__ == "__main__":
    sys.exit(main())
