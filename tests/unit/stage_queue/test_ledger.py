"""The ledger: true books, also after a kill."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

from pipeline_queue.ledger import Entry, FileLedger, NoLedger, read_ledgers


def entry(first: int, last: int, *, what: str = "made", producer: str = "p") -> Entry:
    return Entry(producer=producer, what=what, first_seq=first, last_seq=last, time_ns=7)  # type: ignore[arg-type]


def test_entries_come_back_in_order(tmp_path: Path) -> None:
    noted = [entry(0, 4), entry(0, 4, what="repeated"), entry(0, 4, what="acknowledged"), entry(6, 6)]
    with closing(FileLedger(tmp_path, "p")) as ledger:
        for each in noted:
            ledger.note(each)
    assert list(read_ledgers(tmp_path)) == noted


def test_ranges_that_continue_each_other_grow_in_their_place(tmp_path: Path) -> None:
    with closing(FileLedger(tmp_path, "p")) as ledger:
        for seq in range(1000):
            ledger.note(entry(seq, seq))
            ledger.note(entry(seq, seq, what="acknowledged"))
    assert list(read_ledgers(tmp_path)) == [entry(0, 999), entry(0, 999, what="acknowledged")]


def test_entries_since_a_time_are_those_whose_last_event_is_as_young(tmp_path: Path) -> None:
    minute_ns = 60_000_000_000
    noted = [
        Entry(producer="p", what=what, first_seq=10 * minute, last_seq=10 * minute + 5, time_ns=minute * minute_ns)
        for minute in range(100)
        for what in ("made", "acknowledged")
    ]
    with closing(FileLedger(tmp_path, "p")) as ledger:
        for each in noted:
            ledger.note(each)
    for minute in (0, 1, 57, 99, 100):
        since_ns = minute * minute_ns
        assert list(read_ledgers(tmp_path, since_ns)) == [each for each in noted if each.time_ns >= since_ns]


def test_an_entry_counts_both_ends() -> None:
    assert (entry(3, 3).count, entry(0, 99).count) == (1, 100)


def test_a_ledger_opened_again_goes_on(tmp_path: Path) -> None:
    for seq in range(3):
        with closing(FileLedger(tmp_path, "p")) as ledger:
            ledger.note(entry(seq, seq))
    assert [each.first_seq for each in read_ledgers(tmp_path)] == [0, 1, 2]


def test_each_producer_has_books_of_its_own(tmp_path: Path) -> None:
    for producer in ("b", "a"):
        with closing(FileLedger(tmp_path / "deep" / "down", producer)) as ledger:
            ledger.note(entry(0, 0, producer=producer))
    assert [each.producer for each in read_ledgers(tmp_path / "deep" / "down")] == ["a", "b"]


def test_the_books_of_those_alone_whose_name_fits_are_read(tmp_path: Path) -> None:
    for producer in ("numbers-1", "census-1", "census-2"):
        with closing(FileLedger(tmp_path, producer)) as ledger:
            ledger.note(entry(0, 0, producer=producer))
    assert [each.producer for each in read_ledgers(tmp_path, producers="census-*")] == ["census-1", "census-2"]


def test_a_line_that_a_kill_cut_off_is_left_out(tmp_path: Path) -> None:
    with closing(FileLedger(tmp_path, "p")) as ledger:
        ledger.note(entry(0, 4))
    path = tmp_path / "p.ndjson"
    path.write_bytes(path.read_bytes() + b'{"producer":"p","wha')
    assert list(read_ledgers(tmp_path)) == [entry(0, 4)]


def test_a_noted_entry_survives_a_sigkill_right_after(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from pipeline_queue.ledger import Entry, FileLedger\n"
        "noted = Entry(producer='p', what='made', first_seq=0, last_seq=4, time_ns=7)\n"
        "FileLedger(Path(sys.argv[1]), 'p').note(noted)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    assert list(read_ledgers(tmp_path)) == [entry(0, 4)]


def test_no_folder_holds_no_entry(tmp_path: Path) -> None:
    assert list(read_ledgers(tmp_path / "nowhere")) == []


def test_who_keeps_no_books_notes_nothing() -> None:
    NoLedger().note(entry(0, 0))
