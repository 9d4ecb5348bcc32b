"""Spark from a queue into windows and a store, against the same records read, decoded and forgotten.

    python tests/benchmarks/bench_spark.py [kafka://host:port] [cassandra://host:port/keyspace]

In:   URLs of queues and stores; the embedded queue and the disk are always measured, in a temporary folder. Kafka wants
      Spark's connector: of the folder JARS_DIR, else of the stack's image.
Out:  two tables. The job `random-numbers` as the service runs it (one task, `local[2]`, 512 MB of heap) through a backlog
      that was published before, in blocks of 5,000 and one a message: events/s from the start of the first batch to the
      commit of the last, µs of processor time an event of the JVM and of Python (workers and this process), and the
      ratio of events/s to decoding alone: the same source and decoder, no state, no store, Spark's empty sink.
      And where the time of a batch goes, as Spark reports it of the last ones.
Every piece runs RUNS times after one run that nobody counts, the pieces in turns; a ratio is of one turn; medians.
Figure: 70 % of decoding alone. Durability is `process`.
"""

from __future__ import annotations

import argparse
import os
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from secrets import token_hex
from statistics import median

import docker
import psutil
import pyarrow as pa
from measuring import processor_s
from pipeline_processing.backlog import prepared, read_up_to
from pipeline_processing.decoding import decoded
from pipeline_processing.jobs.job import Context
from pipeline_processing.jobs.random_numbers import WINDOWS
from pipeline_processing.jobs.windowed import start as start_windows
from pipeline_processing.settings import ProcessingSettings
from pipeline_processing.spark.conf import started_jvm
from pipeline_processing.spark.records import as_records
from pipeline_processing.spark.session import connected
from pipeline_processing.spark.sources import stream
from pipeline_processing.windows import Windows
from pipeline_queue.brokers import open_broker
from pipeline_queue.codec import blocks
from pipeline_queue.events import event_id, event_type
from pipeline_queue.settings import filled
from pipeline_queue.topics import TOPICS, Topic
from pyspark.sql import SparkSession
from pyspark.sql.streaming import StreamingQuery
from rich.console import Console
from rich.table import Table

IMAGE, JARS = "pipeline-processing:0.1.0", "/opt/jars"
RUNS = 3
FIGURE = 0.7
DRAINED_WITHIN_S = 300.0
PRODUCERS = 4
PHASES = ("addBatch", "walCommit", "commitOffsets", "queryPlanning", "latestOffset", "getBatch")
"""Of a progress report, in its order of worth; the rest of `triggerExecution` is shown as such."""
BASE = "decoding alone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A backlog; `records_max` is how many records a batch may take."""

    name: str
    events: int
    block: int
    records_max: int = 10_000


FORMS = (
    Form(name="blocks of 5,000", events=2_000_000, block=5_000),
    Form(name="one a message", events=300_000, block=1),
    Form(name="one a message, 100,000 a batch", events=300_000, block=1, records_max=100_000),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One drain of a backlog."""

    events: int
    wall_s: float
    jvm_s: float
    python_s: float
    batches: int
    phases_ms: dict[str, float]
    """Means over the last batches."""

    @property
    def events_per_s(self) -> float:
        return self.events / self.wall_s


Start = Callable[[Windows, SparkSession, Context], StreamingQuery]
Turns = dict[str, list[Run]]


def main() -> None:
    parser = argparse.ArgumentParser(description="What Spark costs.")
    parser.add_argument("urls", nargs="*", help="kafka://host:port, cassandra://host:port/keyspace")
    urls = parser.parse_args().urls
    with tempfile.TemporaryDirectory() as path:
        folder = Path(path)
        queues = [f"sqlite://{folder}/queue", *(url for url in urls if url.startswith("kafka:"))]
        stores = [f"disk://{folder}/disk", *(url for url in urls if url.startswith("cassandra:"))]
        if len(queues) > 1 and "JARS_DIR" not in os.environ:
            os.environ["JARS_DIR"] = str(connector(folder))
        settings = filled(ProcessingSettings, checkpoint_dir=folder / "checkpoints")
        with started_jvm(settings) as jvm, connected(jvm) as spark:
            found = {
                (queue_url.partition(":")[0], form): turns(spark, queue_url, form, stores, settings)
                for queue_url in queues
                for form in FORMS
            }
    console = Console(width=140)
    console.print(rates(found))
    console.print(phases(found))


def connector(folder: Path) -> Path:
    """Spark's Kafka connector, taken out of the stack's image."""
    with closing(docker.from_env()) as engine:
        container = engine.containers.create(IMAGE)
        try:
            content = b"".join(container.get_archive(JARS)[0])
        finally:
            container.remove()
    with tarfile.open(fileobj=BytesIO(content)) as archive:
        archive.extractall(folder, filter="data")
    return folder / Path(JARS).name


def turns(
    spark: SparkSession, queue_url: str, form: Form, stores: Iterable[str], settings: ProcessingSettings
) -> Turns:
    """RUNS runs of each piece over a backlog of its own topic."""
    name = f"bench-{token_hex(4)}"
    topic = replace(WINDOWS.topic, name=name)
    windows = replace(WINDOWS, topic=topic, table=replace(WINDOWS.table, name=name.replace("-", "_")))
    publish(queue_url, topic, form)
    pieces: dict[str, tuple[Start, str]] = {BASE: (start_decoding, "")}
    pieces |= {f"windows into {store.partition(':')[0]}": (start_windows, store) for store in stores}
    found: Turns = {piece: [] for piece in pieces}
    for turn in range(1 + RUNS):
        for piece, (start, store) in pieces.items():
            context = Context(
                query_name=f"{name}-{turn}-{len(found)}",
                queue_url=queue_url,
                store_urls=(store,),
                checkpoint=settings.checkpoint_dir / name / f"{piece}-{turn}".replace(" ", "-"),
                first_version=time.time_ns() // 1000,
                trigger_s=0,  # a batch after the other, as long as something waits
                records_max=form.records_max,
                parallelism=settings.parallelism,
            )
            run = drained(lambda ready, start=start: start(windows, spark, ready), prepared(context, name), topic, form)
            if turn:
                found[piece].append(run)
    return found


def publish(queue_url: str, topic: Topic, form: Form) -> None:
    """Events of now, by several producers in turn."""
    make, at_once = event_type(topic), max(form.block, 1_000)
    with closing(open_broker(queue_url)) as broker:
        broker.create([topic, *TOPICS.values()])
        for number, first in enumerate(range(0, form.events, at_once)):
            producer, now_ns = f"random-numbers-{number % PRODUCERS:08x}", time.time_ns()
            events = [
                make(
                    event_id=event_id(producer, seq),
                    time_ns=now_ns + seq - first,
                    producer=producer,
                    seq=seq,
                    value=(seq * 0.618033988749895) % 1,
                )
                for seq in range(first, first + at_once)
            ]
            broker.publish(topic.name, blocks(topic, events, events_max=form.block))


def start_decoding(windows: Windows, spark: SparkSession, context: Context) -> StreamingQuery:
    """The job's source and its decoder, and nothing behind them."""

    def task(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        events = sum(len(decoded(windows, as_records(batch))[0].late) for batch in batches)
        yield pa.RecordBatch.from_pydict({"events": pa.array([events], pa.int64())})

    limits = {"records_max": context.records_max, "tasks": context.parallelism}
    rows = stream(spark, context.queue_url, windows.topic.name, **limits).mapInArrow(task, "events long")
    return (
        rows.writeStream.queryName(context.query_name)
        .format("noop")
        .outputMode("append")
        .option("checkpointLocation", str(context.checkpoint))
        .trigger(processingTime=f"{round(context.trigger_s * 1000)} milliseconds")
        .start()
    )


def drained(start: Callable[[Context], StreamingQuery], context: Context, topic: Topic, form: Form) -> Run:
    """Run until all is committed; what goes before the first batch is not in the figures."""
    with closing(open_broker(context.queue_url)) as broker:
        ends = broker.end_offsets(topic.name)
    query = start(context)
    try:
        wait(query, (context.checkpoint / "offsets" / "0").exists)
        began, jvm_s, python_s = time.perf_counter(), *spent_s()
        wait(query, lambda: read_up_to(context.checkpoint) == ends)
        wall_s, (jvm_end_s, python_end_s) = time.perf_counter() - began, spent_s()
        batches = 1 + max(int(path.name) for path in context.checkpoint.glob("commits/[0-9]*"))
        wait(query, lambda: any(each["batchId"] == batches - 1 for each in query.recentProgress))
        reports = [dict(each["durationMs"]) for each in query.recentProgress if each["numInputRows"]]
    finally:
        query.stop()
    return Run(
        events=form.events,
        wall_s=wall_s,
        jvm_s=jvm_end_s - jvm_s,
        python_s=python_end_s - python_s,
        batches=batches,
        phases_ms={
            name: sum(report.get(name, 0) for report in reports) / len(reports)
            for name in (*PHASES, "triggerExecution")
        },
    )


def wait(query: StreamingQuery, done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DRAINED_WITHIN_S
    while not done():
        assert query.isActive, f"the query ended: {query.exception()}"
        assert time.monotonic() < deadline, f"not done within {DRAINED_WITHIN_S:.0f} s"
        time.sleep(0.02)


def spent_s() -> tuple[float, float]:
    """Processor time so far of the JVM, and of everything else that works for this process."""
    own = psutil.Process()
    (jvm,) = (child for child in own.children() if child.name() == "java")
    times = jvm.cpu_times()
    jvm_s = times.user + times.system
    return jvm_s, processor_s(own) - jvm_s


def rates(found: dict[tuple[str, Form], Turns]) -> Table:
    table = Table("queue", "backlog", "what", title="Spark, one task, local[2]", box=None)
    for name in ("batches", "events/s", "µs/event", "JVM's", "Python's", "of decoding alone", "least-most"):
        table.add_column(name, justify="right")
    for (queue_url, form), pieces in found.items():
        for piece, runs in pieces.items():
            events_per_s = median(run.events_per_s for run in runs)
            jvm_us, python_us = (
                median(seconds / run.events * 1e6 for seconds, run in zip(each, runs, strict=True))
                for each in ([run.jvm_s for run in runs], [run.python_s for run in runs])
            )
            ratios = [run.events_per_s / base.events_per_s for run, base in zip(runs, pieces[BASE], strict=True)]
            mark = "" if piece == BASE else " ok" if median(ratios) >= FIGURE else f" < {FIGURE:.0%}"
            table.add_row(
                queue_url,
                form.name,
                piece,
                f"{median(run.batches for run in runs):.0f}",
                f"{events_per_s:,.0f}",
                f"{jvm_us + python_us:.2f}",
                f"{jvm_us:.2f}",
                f"{python_us:.2f}",
                f"{median(ratios):.0%}{mark}",
                "" if piece == BASE else f"{min(ratios):.0%}-{max(ratios):.0%}",
            )
        table.add_section()
    return table


def phases(found: dict[tuple[str, Form], Turns]) -> Table:
    table = Table("queue", "backlog", "what", title="ms of a batch, as Spark reports its last ones", box=None)
    for name in (*PHASES, "other", "all"):
        table.add_column(name, justify="right")
    for (queue_url, form), pieces in found.items():
        for piece, runs in pieces.items():
            of_phase = {name: median(run.phases_ms[name] for run in runs) for name in (*PHASES, "triggerExecution")}
            whole = of_phase.pop("triggerExecution")
            figures = (*of_phase.values(), whole - sum(of_phase.values()), whole)
            table.add_row(queue_url, form.name, piece, *(f"{figure:,.0f}" for figure in figures))
        table.add_section()
    return table


if __name__ == "__main__":
    main()
