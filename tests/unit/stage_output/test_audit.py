"""The auditor finds what is lost and what is twice, whichever way it was hidden."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import census_rows
import pyarrow as pa
import pytest
from pipeline_output.audit import Account, Rows, account, account_of_rows, accounts, books, kept
from pipeline_output.stores import Store, create_all, open_store
from pipeline_output.tables import TABLES, arrow_schema
from pipeline_queue.ledger import Entry, FileLedger

P, Q = "numbers-0000000a", "numbers-0000000b"


def noted(*entries: tuple[str, str, int, int]) -> list[Entry]:
    return [
        Entry(producer=producer, what=what, first_seq=first, last_seq=last, time_ns=0)  # type: ignore[arg-type]
        for producer, what, first, last in entries
    ]


def row(ids: str, count: int, late: int = 0, **more: Any) -> dict[str, Any]:
    return {"ids": ids, "count": count, "late": late, **more}


ALL = noted((P, "made", 0, 29), (P, "acknowledged", 0, 19), (P, "acknowledged", 20, 24))


def told(*rows: dict[str, Any], entries: list[Entry] = ALL) -> tuple[int, int, int, int]:
    found = account("numbers", "disk", books(entries, "numbers"), kept(rows))
    return found.stored, found.on_the_way, found.lost, found.twice


def test_whole_books_and_whole_rows_agree_and_what_was_not_acknowledged_is_nobodys_loss() -> None:
    found = account("numbers", "disk", books(ALL, "numbers"), kept([row(f"{P}:0-9", 8, 2), row(f"{P}:10-26", 17)]))
    assert found == Account(
        source="numbers", store="disk", made=30, acknowledged=25, stored=25, late=2, on_the_way=0, lost=0, twice=0
    )


def test_what_was_acknowledged_was_made_though_the_entry_that_says_so_is_too_old_to_be_read() -> None:
    found = account("numbers", "disk", books(ALL[1:2], "numbers"), kept([row(f"{P}:0-19", 20)]))
    assert (found.made, found.acknowledged) == (20, 20)


def test_what_lies_beyond_the_newest_stored_event_is_on_the_way() -> None:
    assert told(row(f"{P}:0-9", 10)) == (10, 15, 0, 0)


def test_a_hole_below_the_newest_stored_event_is_a_loss_and_is_named() -> None:
    rows = [row(f"{P}:0-9", 10), row(f"{P}:13-24", 12)]
    found = account("numbers", "disk", books(ALL, "numbers"), kept(rows))
    assert (found.lost, found.missing, found.on_the_way) == (3, f"{P}:10-12", 0)


def test_an_event_that_two_rows_hold_is_twice() -> None:
    assert told(row(f"{P}:0-14", 15), row(f"{P}:10-24", 15)) == (25, 0, 0, 5)


def test_a_row_that_counts_more_than_it_holds_has_events_twice() -> None:
    assert told(row(f"{P}:0-24", 28)) == (25, 0, 0, 3)


def test_a_row_that_counts_less_than_it_holds_has_lost_events() -> None:
    assert told(row(f"{P}:0-24", 20, 2)) == (25, 0, 3, 0)


def test_a_loss_in_one_row_is_not_hidden_by_a_surplus_in_another() -> None:
    assert told(row(f"{P}:0-9", 12), row(f"{P}:12-24", 13)) == (23, 0, 2, 2)


def test_each_producer_is_its_own_measure_of_what_is_on_the_way() -> None:
    entries = [*ALL, *noted((Q, "acknowledged", 0, 4))]
    assert told(row(f"{P}:0-24", 25), entries=entries) == (25, 5, 0, 0)


def test_other_sources_and_rows_that_do_not_count_are_left_out() -> None:
    entries = [*ALL, *noted(("numbers-more-0000000a", "acknowledged", 0, 99))]
    rows = [row(f"{P}:0-24", 25, tumbling=True), row(f"{P}:3-24", 22, tumbling=False)]
    found = account("numbers", "disk", books(entries, "numbers"), kept(rows, "tumbling"))
    assert (found.acknowledged, found.stored, found.twice) == (25, 25, 0)


CENSUS, CHANGED = "census-population-0000000a", "census-population-0000000b"
SENT_NS = 1_000
IN_TWO = [
    Entry(producer=CENSUS, what=what, first_seq=first, last_seq=first + 49, time_ns=SENT_NS)  # type: ignore[arg-type]
    for first in (0, 50)
    for what in ("made", "acknowledged")
]


def counted(count: int, keys: int, complete_ns: int | None, entries: list[Entry] = IN_TWO) -> tuple[int, ...]:
    found = account_of_rows("census-population", "disk", entries, Rows(count=count, keys=keys, complete_ns=complete_ns))
    return found.made, found.acknowledged, found.stored, found.on_the_way, found.lost, found.twice


def test_rows_that_no_run_since_has_written_are_on_the_way() -> None:
    assert [counted(0, 0, None), counted(60, 60, SENT_NS)] == [(100, 100, 0, 100, 0, 0), (100, 100, 60, 40, 0, 0)]


def test_a_row_that_a_whole_run_since_has_not_written_is_lost() -> None:
    assert counted(99, 99, SENT_NS + 1) == (100, 100, 99, 0, 1, 0)


def test_a_key_that_has_two_rows_is_twice_and_hides_no_loss() -> None:
    assert counted(100, 98, SENT_NS + 1) == (100, 100, 98, 0, 2, 2)


def test_what_was_not_acknowledged_and_is_there_is_nobodys_loss_and_not_twice() -> None:
    assert counted(100, 100, SENT_NS + 1, IN_TWO[:3]) == (100, 50, 50, 0, 0, 0)


def test_a_changed_file_says_the_same_rows_anew() -> None:
    again = [Entry(producer=CHANGED, what=each.what, first_seq=0, last_seq=29, time_ns=SENT_NS + 5) for each in IN_TWO]
    assert counted(100, 100, SENT_NS + 1, IN_TWO + again) == (100, 100, 100, 0, 0, 0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite://{tmp_path}/store.db"
    create_all([url])
    with closing(open_store(url)) as opened:
        yield opened


def of_the_census(folder: Path, store: Store) -> tuple[int, ...]:
    (found,) = (
        each for each in accounts(folder, {"sqlite": store}, time.time_ns()) if each.source.startswith("census")
    )
    return found.acknowledged, found.stored, found.on_the_way, found.lost, found.twice


def test_the_census_is_compared_row_by_row_however_long_ago_it_was_sent(tmp_path: Path, store: Store) -> None:
    with closing(FileLedger(tmp_path / "ledger", CENSUS)) as ledger:
        ledger.note(Entry(producer=CENSUS, what="acknowledged", first_seq=0, last_seq=4241, time_ns=SENT_NS))
    seen = [of_the_census(tmp_path / "ledger", store)]
    for name, rows in census_rows.tables(SENT_NS + 1).items():
        kept_back = rows[:-2] if name == "census_population" else rows
        store.write(TABLES[name], pa.Table.from_pylist(kept_back, schema=arrow_schema(TABLES[name])), 1)
        seen.append(of_the_census(tmp_path / "ledger", store))
    assert seen == [(4242, 0, 4242, 0, 0), (4242, 4240, 2, 0, 0), (4242, 4240, 2, 0, 0), (4242, 4240, 0, 2, 0)]


def test_a_census_that_nobody_sent_wants_no_tables(tmp_path: Path) -> None:
    with closing(open_store(f"sqlite://{tmp_path}/store.db")) as store:
        store.create([TABLES["random_numbers_windows"], TABLES["monitoring_windows"]])
        assert of_the_census(tmp_path / "ledger", store) == (0, 0, 0, 0, 0)
