"""What lies inside a running stack, read there: its queue and its stores are not published."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import oracle
from running_stack import Stack

RECORDS = """
import base64, json
from pipeline_queue.brokers import open_broker
broker = open_broker("kafka://kafka:9092")
position, ends = broker.begin_offsets({topic!r}), broker.end_offsets({topic!r})
while any(position[each] < end for each, end in ends.items()):
    for record in broker.read({topic!r}, position, wait_s=5):
        position[record.partition] = record.offset + 1
        print(json.dumps([record.append_time_ns, base64.b64encode(record.value).decode()]))
"""
WINDOWS = """
import json
from pipeline_output.stores import open_store
from pipeline_output.tables import RANDOM_NUMBERS_WINDOWS
store = open_store({url!r})
for row in store.read(RANDOM_NUMBERS_WINDOWS).to_pylist():
    print(json.dumps(row))
store.close()
"""
LEDGERS = "import pathlib\nfor path in sorted(pathlib.Path('/data/ledger').glob('{source}-*.ndjson')): print(path.read_text(), end='')"


def raw_records(stack: Stack, topic: str) -> Iterator[oracle.Raw]:
    """All that the topic holds."""
    for line in stack.python("display", RECORDS.format(topic=topic)).splitlines():
        append_time_ns, value = json.loads(line)
        yield append_time_ns, base64.b64decode(value)


def windows(stack: Stack, url: str) -> dict[int, dict]:
    """The windows of random numbers in a store, by their start."""
    rows = map(json.loads, stack.python("display", WINDOWS.format(url=url)).splitlines())
    return {row["window_start_ns"]: row for row in rows}


def ledger(stack: Stack, source: str) -> list[dict]:
    """All entries of a source's producers, read beside a producer that shares their volume."""
    return [json.loads(line) for line in stack.python("input-monitoring", LEDGERS.format(source=source)).splitlines()]
