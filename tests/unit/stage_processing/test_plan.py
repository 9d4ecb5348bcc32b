"""Which queries there are, and what of them stays when the settings change."""

from __future__ import annotations

from pathlib import Path

from pipeline_processing.jobs import Context, Job
from pipeline_processing.plan import planned
from pipeline_processing.settings import ProcessingSettings

DISK, SQL, OTHER = "disk:///d", "sqlite:///s.db", "sqlite:///other.db"
JOB = Job(name="j", title="", topic="t", table="t", start=lambda spark, context: spark.start(context))


def contexts(folder: Path, *stores: str, now_us: int = 7) -> list[Context]:
    settings = ProcessingSettings(stores=",".join(stores), checkpoint_dir=folder)
    return [kept.context for kept in planned([JOB], settings, now_ns=now_us * 1000)]


def stores_by_query(folder: Path, *stores: str) -> dict[str, tuple[str, ...]]:
    return {context.query_name: context.store_urls for context in contexts(folder, *stores)}


def test_the_version_base_is_when_the_checkpoint_was_made_and_stays(tmp_path: Path) -> None:
    bases = [contexts(tmp_path, DISK, now_us=now)[0].first_version for now in (7_000, 9_000)]
    assert bases == [7_000, 7_000]


def test_a_store_that_comes_later_has_a_query_of_its_own_and_the_first_goes_on(tmp_path: Path) -> None:
    first = stores_by_query(tmp_path, DISK, SQL)
    later = stores_by_query(tmp_path, OTHER, DISK, SQL)
    assert (first, later) == ({"j-1": (DISK, SQL)}, {"j-1": (DISK, SQL), "j-2": (OTHER,)})


def test_a_store_that_was_taken_away_is_new_when_it_comes_back(tmp_path: Path) -> None:
    stores_by_query(tmp_path, DISK, SQL)
    without = stores_by_query(tmp_path, DISK)
    assert (without, stores_by_query(tmp_path, DISK, SQL)) == ({"j-1": (DISK,)}, {"j-1": (DISK,), "j-2": (SQL,)})


def test_a_query_without_stores_rests_and_its_number_is_not_given_again(tmp_path: Path) -> None:
    stores_by_query(tmp_path, DISK)
    assert stores_by_query(tmp_path, SQL) == {"j-2": (SQL,)}


def test_a_folder_whose_maker_was_killed_in_the_middle_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "j-1").mkdir()
    assert stores_by_query(tmp_path, DISK) == {"j-2": (DISK,)}
