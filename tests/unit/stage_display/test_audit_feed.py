"""The auditor as a feed: at once, then every ten seconds; a store that is away says so in its own place."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pipeline_display.feeds.audit import AuditReader
from pipeline_output.stores import create_all, open_store
from pipeline_output.tables import RANDOM_NUMBERS_WINDOWS, arrow_schema
from pipeline_queue.ledger import Entry, FileLedger
from running_display import window

PRODUCER = "random-numbers-0000000a"
NS = 1_000_000_000


@pytest.fixture
def note(tmp_path: Path) -> Callable[[str, int], None]:
    def noted(what: str, last_seq: int) -> None:
        with closing(FileLedger(tmp_path / "ledger", PRODUCER)) as ledger:
            entry = Entry(producer=PRODUCER, what=what, first_seq=0, last_seq=last_seq, time_ns=time.time_ns())  # type: ignore[arg-type]
            ledger.note(entry)

    return noted


def told(body: bytes) -> dict[str, Any]:
    (row,) = [row for row in json.loads(body)["rows"] if row.get("source") == "random-numbers"]
    return {name: row[name] for name in ("store", "made", "acknowledged", "stored", "on_the_way", "lost", "twice")}


def test_what_ledgers_and_stores_say_is_compared(tmp_path: Path, note: Callable[[str, int], None]) -> None:
    url = f"disk://{tmp_path}/disk"
    create_all([url])
    with closing(open_store(url)) as store:
        row = window(time.time_ns() // NS * NS) | {"count": 8, "ids": f"{PRODUCER}:0-7"}
        store.write(RANDOM_NUMBERS_WINDOWS, pa.Table.from_pylist([row], schema=arrow_schema(RANDOM_NUMBERS_WINDOWS)), 1)
    note("made", 9)
    note("acknowledged", 9)
    reader = AuditReader(tmp_path / "ledger", [url], sleep=lambda _s: None)
    (body,) = reader.look().bodies
    again = reader.look().bodies
    assert (told(body), again) == (
        {"store": "disk", "made": 10, "acknowledged": 10, "stored": 8, "on_the_way": 2, "lost": 0, "twice": 0},
        [],
    )


def test_a_store_that_is_away_says_why_and_one_that_is_not_laid_out_is_waited_for(
    tmp_path: Path, note: Callable[[str, int], None]
) -> None:
    note("made", 9)
    (tmp_path / "s.db").mkdir()
    urls = [f"disk://{tmp_path}/nothing", f"sqlite://{tmp_path}/s.db"]
    (body,) = AuditReader(tmp_path / "ledger", urls, sleep=lambda _s: None).look().bodies
    (row,) = json.loads(body)["rows"]
    assert (row["store"], "unable to open" in row["away"]) == ("sqlite", True)


def test_without_ledgers_there_is_nothing_to_compare(tmp_path: Path) -> None:
    (body,) = AuditReader(tmp_path / "none", [f"disk://{tmp_path}"]).look().bodies
    assert json.loads(body) == {"rows": []}
