"""What every store promises, held over each of them: disk, SQLite and a real Cassandra.

The oracle is a dictionary from key to the newest version's row. Several processes are several processes: each child
gets its writes on standard input and says on standard output which it has made.
"""

from __future__ import annotations

import itertools
import pickle
import random
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pipeline_output.errors import BadRows, BadStoreUrl, StoreUnavailable, TableDiffers, TableMissing
from pipeline_output.stores import Store, create_all, expire_all, open_store
from pipeline_output.tables import NS_PER_S, Table, arrow_schema
from pipeline_queue.topics import Column
from waiting import PATIENCE_S

READINGS = Table(
    name="readings",
    doc="A value of every kind, by host and time",
    topic="readings",
    columns=(
        Column(name="host", kind="string", doc="where"),
        Column(name="time_ns", kind="int64", doc="when"),
        Column(name="count", kind="int64", doc="required"),
        Column(name="value", kind="float64", doc="optional"),
        Column(name="up", kind="boolean", doc="optional"),
        Column(name="in", kind="string", doc="optional, and a word of SQL, CQL and Python"),
    ),
    key=("host", "time_ns"),
    time="time_ns",
    optional=frozenset({"value", "up", "in"}),
    bucket_s=60,
    ttl_s=3600,
)
YEAR_S = 366 * 24 * 3600
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
NUMBERS = itertools.count()

Row = dict[str, Any]
Write = tuple[int, pa.Table]

CHILD = """
import pickle, sys
from pipeline_output.stores import open_store

url, table, writes = pickle.load(sys.stdin.buffer)
store = open_store(url)
for version, rows in writes:
    store.write(table, rows, version)
    print(version, flush=True)
"""


@pytest.fixture(params=["disk", "sqlite", pytest.param("cassandra", marks=pytest.mark.engine)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "cassandra":
        return f"{request.getfixturevalue('cassandra_url')}/laws"
    return {"disk": f"disk://{tmp_path}/disk", "sqlite": f"sqlite://{tmp_path}/store.sqlite"}[request.param]


@pytest.fixture
def table() -> Table:
    """A table that no other law has written to."""
    return replace(READINGS, name=f"readings_{next(NUMBERS)}")


@pytest.fixture
def store(url: str, table: Table) -> Iterator[Store]:
    create_all([url], [table])
    opened = open_store(url)
    yield opened
    opened.close()


def reading(second: float, host: str = "a", **values: Any) -> Row:
    row = {"host": host, "time_ns": int(second * NS_PER_S), "count": 1, "value": 0.5, "up": True, "in": "x"}
    return row | values


def arrow(rows: Iterable[Row]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=arrow_schema(READINGS))


def everything(store: Store, table: Table) -> list[Row]:
    return store.read(table).to_pylist()


def in_order(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row["time_ns"], row["host"]))


def test_what_is_written_is_read_by_time_in_the_declared_schema(store: Store, table: Table) -> None:
    rows = [reading(90, "b"), reading(3), reading(90, "a"), reading(-7000)]
    store.write(table, arrow(rows), 1)
    found = store.read(table)
    assert (found.schema, found.to_pylist()) == (arrow_schema(table), in_order(rows))


def test_a_repeated_batch_changes_nothing(store: Store, table: Table) -> None:
    rows = [reading(second) for second in range(100)]
    for _ in range(3):
        store.write(table, arrow(rows), 1)
    assert everything(store, table) == rows


def test_a_newer_version_replaces_the_whole_row_and_no_other(store: Store, table: Table) -> None:
    store.write(table, arrow([reading(1), reading(2), reading(3)]), 1)
    changed = reading(2, count=7, value=None, up=False, **{"in": None})
    store.write(table, arrow([changed]), 2)
    assert everything(store, table) == [reading(1), changed, reading(3)]


def test_an_older_version_never_overwrites_and_still_adds_what_is_not_there(store: Store, table: Table) -> None:
    store.write(table, arrow([reading(1, count=10), reading(2, count=10)]), 10)
    store.write(table, arrow([reading(2, count=9), reading(3, count=9), reading(61, count=9)]), 9)
    store.write(table, arrow([reading(3, count=8), reading(61, count=11)]), 8)
    assert [row["count"] for row in everything(store, table)] == [10, 10, 9, 9]


@pytest.mark.parametrize("seed", range(5))
def test_any_split_and_order_of_batches_gives_the_same_rows(store: Store, table: Table, seed: int) -> None:
    dice = random.Random(seed)
    versions = {version: [a_reading(dice) for _ in range(dice.randrange(1, 60))] for version in range(1, 11)}
    expected = {}
    pieces: list[Write] = []
    for version, drawn in versions.items():
        unique = {(row["time_ns"], row["host"]): row for row in drawn}
        expected |= unique
        pieces += split(dice, version, list(unique.values()))
    pieces += dice.sample(pieces, len(pieces) // 3)
    dice.shuffle(pieces)
    for version, rows in pieces:
        store.write(table, rows, version)
    assert everything(store, table) == in_order(expected.values())


def a_reading(dice: random.Random) -> Row:
    """One of some 80 keys over five buckets."""
    values = {"count": dice.randrange(1000), "value": dice.choice([None, dice.random()]), "up": dice.random() < 0.5}
    return reading(dice.randrange(-2, 3) * 60 + dice.randrange(8), dice.choice("ab"), **values)


def split(dice: random.Random, version: int, rows: Sequence[Row]) -> list[Write]:
    cuts = sorted({0, len(rows), *(dice.randrange(len(rows)) for _ in range(3))})
    return [(version, arrow(rows[begin:end])) for begin, end in itertools.pairwise(cuts)]


def test_a_read_begins_at_its_point_and_ends_at_its_limit(store: Store, table: Table) -> None:
    store.write(table, arrow(reading(second) for second in range(-100, 200)), 1)
    found = store.read(table, 30 * NS_PER_S, 100)
    assert found["time_ns"].to_pylist() == [second * NS_PER_S for second in range(30, 130)]


def test_a_read_past_the_newest_row_is_empty_and_has_the_schema(store: Store, table: Table) -> None:
    store.write(table, arrow([reading(5)]), 1)
    assert store.read(table, 5 * NS_PER_S + 1) == arrow_schema(table).empty_table()


def test_a_reader_sees_at_once_what_another_store_object_wrote(store: Store, table: Table, url: str) -> None:
    counts = []
    reader = open_store(url)
    for version in range(1, 6):
        store.write(table, arrow([reading(1, count=version), reading(61, count=version)]), version)
        counts.append([row["count"] for row in everything(reader, table)])
    assert counts == [[version, version] for version in range(1, 6)]


def test_the_limits_of_every_kind_come_back_as_they_went(store: Store, table: Table) -> None:
    rows = [
        reading(0, "", time_ns=INT64_MIN, count=INT64_MIN, value=-1.7976931348623157e308, **{"in": ""}),
        reading(0, "ß\n'\"\\\0", count=0, value=5e-324, **{"in": "日" * 1024}),
        reading(0, "z", time_ns=INT64_MAX, count=INT64_MAX, value=1.7976931348623157e308, up=None),
    ]
    store.write(table, arrow(rows), 2**63 - 1)
    assert everything(store, table) == rows


def test_rows_of_very_different_sizes_are_one_write(store: Store, table: Table) -> None:
    """A row of 100 KB is twice the batch that Cassandra refuses where several partitions are in it."""
    texts = {7: "x" * 100_000, 11: None, 23: "y" * 20_000, 24: ""}
    rows = [reading(i / 10, **{"in": texts.get(i, "z" * (i % 50))}) for i in range(500)]
    store.write(table, arrow(rows), 1)
    assert everything(store, table) == rows


def test_an_empty_batch_is_written_and_changes_nothing(store: Store, table: Table) -> None:
    store.write(table, arrow([reading(1)]), 1)
    store.write(table, arrow([]), 2)
    assert everything(store, table) == [reading(1)]


@pytest.mark.parametrize(
    "bad",
    [
        arrow([reading(1), reading(2, value=float("nan"))]),
        arrow([reading(1), reading(2, value=float("-inf"))]),
        arrow([reading(1), reading(2, count=None)]),
        arrow([reading(1), reading(2), reading(1)]),
        arrow([reading(1)]).drop_columns(["up"]),
        arrow([reading(1)]).append_column("more", pa.array([1])),
        arrow([reading(1)]).set_column(2, "count", pa.array(["one"])),
        arrow([reading(1)]).set_column(2, "count", pa.array([2**63], pa.uint64())),
    ],
    ids=["NaN", "infinity", "empty count", "key twice", "column missing", "column too many", "no number", "too great"],
)
def test_rows_that_do_not_fit_are_refused_whole(store: Store, table: Table, bad: pa.Table) -> None:
    with pytest.raises(BadRows):
        store.write(table, bad, 1)
    assert everything(store, table) == []


@pytest.mark.parametrize("version", [-1, 2**63])
def test_a_version_that_is_no_counting_number_is_refused(store: Store, table: Table, version: int) -> None:
    with pytest.raises(BadRows):
        store.write(table, arrow([reading(1)]), version)


def test_columns_may_come_in_any_order(store: Store, table: Table) -> None:
    store.write(table, arrow([reading(1)]).select(["in", "up", "time_ns", "value", "host", "count"]), 1)
    assert everything(store, table) == [reading(1)]


def test_a_table_that_was_never_created_is_missing_for_reader_and_writer(store: Store) -> None:
    never = replace(READINGS, name="never_created")
    with pytest.raises(TableMissing):
        store.read(never)
    with pytest.raises(TableMissing):
        store.write(never, arrow([reading(1)]), 1)


def test_creating_again_keeps_the_rows(store: Store, table: Table, url: str) -> None:
    store.write(table, arrow([reading(1)]), 1)
    create_all([url], [table])
    assert everything(store, table) == [reading(1)]


def test_a_table_made_from_another_declaration_is_not_taken_over(store: Store, table: Table) -> None:
    with pytest.raises(TableDiffers):
        store.create([replace(table, columns=(*table.columns, Column(name="more", kind="int64", doc="new")))])


def test_writers_in_several_processes_agree_on_the_newest_row_of_each_key(store: Store, table: Table, url: str) -> None:
    children = []
    for writer in range(3):
        versions = range(1 + writer, 91, 3)
        writes = [
            (version, arrow(reading(s, count=version) for s in range(version % 7, 130, 5))) for version in versions
        ]
        children.append(started(url, table, writes))
    assert [child.wait(timeout=PATIENCE_S) for child in children] == [0, 0, 0]
    newest = {s: max(v for v in range(1, 91) if s in range(v % 7, 130, 5)) for s in range(130) if s % 5 + 5 < 12}
    assert {row["time_ns"] // NS_PER_S: row["count"] for row in everything(store, table)} == newest


@pytest.mark.parametrize("seed", range(3))
def test_a_writer_killed_at_any_instant_leaves_what_it_acknowledged_and_a_table_that_goes_on(
    store: Store, table: Table, url: str, seed: int
) -> None:
    """A line of its own says 4,000 characters: so a child cannot be more writes ahead of its reader than a pipe holds."""
    seconds = range(0, 200, 3)
    writes = [(version, arrow(reading(s, count=version) for s in seconds)) for version in range(1, 1000)]
    child = started(url, table, writes, program=CHILD.replace("print(version", "print(f'{version:4000}'"))
    assert child.stdout is not None
    acknowledged = [int(child.stdout.readline()) for _ in range(random.Random(seed).randrange(5, 40))][-1]
    child.kill()
    acknowledged = max([acknowledged, *map(int, child.stdout.read().split())])
    child.wait()
    counts = {row["time_ns"]: row["count"] for row in everything(store, table)}
    assert set(counts) == {s * NS_PER_S for s in seconds}
    assert set(counts.values()) <= {acknowledged, acknowledged + 1}
    store.write(table, writes[acknowledged][1], acknowledged + 1)
    assert everything(store, table) == writes[acknowledged][1].to_pylist()


def started(url: str, table: Table, writes: Sequence[Write], *, program: str = CHILD) -> subprocess.Popen[bytes]:
    child = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdin is not None
    child.stdin.write(pickle.dumps((url, table, writes)))
    child.stdin.close()
    return child


def test_expiry_forgets_what_is_older_than_its_time_to_live_and_keeps_the_rest(
    store: Store, table: Table, url: str
) -> None:
    if url.startswith("cassandra"):
        pytest.skip("Cassandra expires rows by itself, by the clock of its own node")
    now_s = 1_000_000
    seconds = range(now_s - table.ttl_s - 600, now_s, 10)
    store.write(table, arrow(reading(second) for second in seconds), 1)
    store.expire([table], now_s * NS_PER_S)
    kept = [row["time_ns"] // NS_PER_S for row in everything(store, table)]
    assert kept == [second for second in seconds if second >= kept[0]]
    assert now_s - table.ttl_s - table.bucket_s <= kept[0] <= now_s - table.ttl_s


def test_a_table_without_a_time_to_live_forgets_nothing(store: Store, table: Table) -> None:
    kept = replace(table, name=f"{table.name}_kept", ttl_s=None)
    store.create([kept])
    rows = [reading(second) for second in (-YEAR_S, 0, 60)]
    store.write(kept, arrow(rows), 1)
    store.expire([kept], 300 * YEAR_S * NS_PER_S // 2)
    assert everything(store, kept) == rows


def test_a_table_that_is_not_there_keeps_no_other_from_forgetting(store: Store, table: Table, url: str) -> None:
    if url.startswith("cassandra"):
        pytest.skip("Cassandra expires rows by itself, by the clock of its own node")
    store.write(table, arrow([reading(1)]), 1)
    expire_all([url], YEAR_S * NS_PER_S, [replace(table, name="never_created"), table])
    assert everything(store, table) == []


def test_a_bucket_of_a_century_holds_years_before_and_after_1970_in_order(store: Store, table: Table) -> None:
    wide = replace(table, name=f"{table.name}_wide", bucket_s=100 * 366 * 24 * 3600, ttl_s=None)
    store.create([wide])
    years = [datetime(year, 1, 1, tzinfo=UTC) for year in (2200, 1790, 2000, 1969, 2013, 1970, 2071)]
    rows = [reading(year.timestamp()) for year in years]
    store.write(wide, arrow(rows), 1)
    assert everything(store, wide) == in_order(rows)
    assert store.read(wide, rows[2]["time_ns"]).to_pylist() == in_order(rows)[3:]


@pytest.mark.parametrize(
    "wrong",
    [
        "disk://relative/folder",
        "sqlite://host/file",
        "sqlite:///file?x=1",
        "postgres://h/db",
        "cassandra://h:1",
        "cassandra:///k",
        "",
    ],
)
def test_a_url_of_no_known_form_is_refused(wrong: str) -> None:
    with pytest.raises(BadStoreUrl):
        open_store(wrong)


@pytest.mark.parametrize("scheme", ["disk", "sqlite"])
def test_a_write_that_finds_no_room_raises_and_is_whole_when_repeated(
    tmp_path: Path, table: Table, scheme: str
) -> None:
    url = f"{scheme}://{tmp_path}/store"
    create_all([url], [table])
    rows = arrow(reading(s, **{"in": random.Random(s).randbytes(s).hex()}) for s in range(600))
    limited = CHILD.replace("for", "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (16384, 16384))\nfor")
    child = subprocess.run(
        [sys.executable, "-c", limited], input=pickle.dumps((url, table, [(1, rows)])), capture_output=True, check=False
    )
    assert (child.returncode, child.stdout, StoreUnavailable.__name__ in child.stderr.decode()) == (1, b"", True)
    store = open_store(url)
    store.write(table, rows, 1)
    assert store.read(table).equals(rows)
