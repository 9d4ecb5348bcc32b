"""The auditor finds what is lost and what is twice, whichever way it was hidden."""

from __future__ import annotations

from typing import Any

from pipeline_output.audit import Account, account, books, kept
from pipeline_queue.ledger import Entry

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
