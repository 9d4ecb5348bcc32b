"""What lies inside a running stack, read there: its queue, its stores and its checkpoints are not published."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Iterator

import oracle
from pipeline_output.tables import RANDOM_NUMBERS_WINDOWS
from pipeline_queue.brokers import Record
from running_stack import Stack

RECORDS = """
import base64, json
from pipeline_queue.brokers import open_broker
def text(some): return some if some is None else base64.b64encode(some).decode()
broker = open_broker("kafka://kafka:9092")
for topic in {topics!r}:
    position, ends = broker.offsets_at(topic, {since_ns}), broker.end_offsets(topic)
    while any(position[each] < end for each, end in ends.items()):
        for record in broker.read(topic, position, wait_s=5):
            position[record.partition] = record.offset + 1
            headers = [[name, text(value)] for name, value in record.headers]
            place = topic, record.partition, record.offset, record.append_time_ns
            print(json.dumps([*place, text(record.key), text(record.value), headers]))
"""
ROWS = """
import json
from pipeline_output.stores import open_store
from pipeline_output.tables import TABLES
for url in {urls!r}:
    store = open_store(url)
    for table in {tables!r}:
        for row in store.read(TABLES[table], {since_ns}).to_pylist():
            print(json.dumps([url, table, row]))
    store.close()
"""
CENSUS_ROWS = {"census_population": 4242, "census_age": 63, "census_income": 57}
"""Of 21 years: two sexes by 101 ages, two sexes and both, and 52 states and 5 regions of one year."""
SINCE_EVER = -(2**63)
BEHIND = """
import json, pathlib
from pipeline_queue.brokers import open_broker
broker = open_broker("kafka://kafka:9092")
for topic in ("random-numbers", "monitoring"):
    ends = {str(partition): end for partition, end in broker.end_offsets(topic).items()}
    for checkpoint in pathlib.Path("/data/checkpoints").glob(topic + "-*/spark"):
        done = max((int(path.name) for path in checkpoint.glob("commits/[0-9]*")), default=None)
        said = "{}" if done is None else (checkpoint / "offsets" / str(done)).read_text().splitlines()[-1]
        if json.loads(said).get(topic) != ends or any(checkpoint.parent.glob("waiting/*/*.arrow")):
            print(checkpoint.parent.name)
"""
"""As Spark's connector for Kafka writes its offsets: {topic: {partition: offset}}."""
LEDGERS = "import pathlib\nfor path in sorted(pathlib.Path('/data/ledger').glob('{source}-*.ndjson')): print(path.read_text(), end='')"


def records(stack: Stack, *topics: str, since_ns: int = 0) -> Iterator[Record]:
    """All that the topics hold and was appended since then, in order per partition."""
    for line in stack.lines("display", RECORDS.format(topics=topics, since_ns=since_ns)):
        topic, partition, offset, append_time_ns, key, value, headers = json.loads(line)
        yield Record(
            topic=topic,
            partition=partition,
            offset=offset,
            append_time_ns=append_time_ns,
            key=None if key is None else base64.b64decode(key),
            value=base64.b64decode(value),
            headers=tuple((name, base64.b64decode(each)) for name, each in headers),
        )


def raw_records(stack: Stack, topic: str, since_ns: int = 0) -> Iterator[oracle.Raw]:
    """The same as the oracle takes them."""
    for record in records(stack, topic, since_ns=since_ns):
        yield record.append_time_ns, record.value, any(name == "repeated" for name, _ in record.headers)


def rows(
    stack: Stack, urls: Collection[str], tables: Collection[str], since_ns: int = SINCE_EVER
) -> dict[str, dict[str, list[dict]]]:
    """What stores have in tables from that time on: by URL and name."""
    found: dict[str, dict[str, list[dict]]] = {url: {table: [] for table in tables} for url in urls}
    said = stack.lines("display", ROWS.format(urls=list(urls), tables=list(tables), since_ns=since_ns))
    for url, table, row in map(json.loads, said):
        found[url][table].append(row)
    return found


def windows(stack: Stack, url: str, since_ns: int = SINCE_EVER) -> dict[int, dict]:
    """The windows of random numbers in a store, by their start."""
    name = RANDOM_NUMBERS_WINDOWS.name
    return {row["window_start_ns"]: row for row in rows(stack, [url], [name], since_ns)[url][name]}


def census_rows(stack: Stack, url: str) -> dict[str, int]:
    """How many rows of each of the census's tables a store has."""
    return {name: len(found) for name, found in rows(stack, [url], CENSUS_ROWS)[url].items()}


def behind(stack: Stack) -> list[str]:
    """The streaming queries that have not committed all that their topics hold now, or whose rows wait for a store."""
    return stack.python("spark-worker", BEHIND).split()


def accounts(stack: Stack) -> list[dict]:
    """What the auditor says; its status is 1 when the books differ, and its lines are as good then."""
    code = "pipeline audit --json || true"
    return [json.loads(line) for line in stack.command("exec", "-T", "display", "bash", "-c", code).splitlines()]


def ledger(stack: Stack, source: str) -> list[dict]:
    """All entries of a source's producers, read beside a producer that shares their volume."""
    return [json.loads(line) for line in stack.lines("input-monitoring", LEDGERS.format(source=source))]
