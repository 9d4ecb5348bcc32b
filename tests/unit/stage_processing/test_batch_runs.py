"""When a batch job runs and into which stores; what it computes is a stand-in's, queue and stores are real."""

from __future__ import annotations

import itertools
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pipeline_output.stores import open_store
from pipeline_output.tables import CENSUS_AGE, arrow_schema
from pipeline_processing.batch_runs import SETTLED_S, BatchRuns
from pipeline_processing.jobs import BatchJob, Computed, Snapshot
from pipeline_processing.settings import ProcessingSettings
from pipeline_queue.brokers import Message, open_broker
from pipeline_queue.clock import ManualClock
from pipeline_queue.topics import CENSUS_INCOME, CENSUS_POPULATION

NOON_NS = 1_795_348_800_000_000_000
TOPICS = (CENSUS_POPULATION, CENSUS_INCOME)


@dataclass
class Job:
    """Computes one row, and can be told to fail or to take its time."""

    clock: ManualClock
    ran: list[Snapshot] = field(default_factory=list)
    error: Exception | None = None

    def compute(self, _spark: Any, snapshot: Snapshot) -> Computed:
        self.ran.append(snapshot)
        self.clock.sleep(2.34)
        if self.error:
            raise self.error
        row = {"year_start_ns": 0, "year": 1970, "sex": "all", "people": len(self.ran), "mean": 1.0}
        rows = [row | {"standard_deviation": 0.0, "written_ns": snapshot.now_ns}]
        return Computed(
            events=(4242, 520), dead=0, rows={"census_age": pa.Table.from_pylist(rows, arrow_schema(CENSUS_AGE))}
        )


class Place:
    """A queue, two stores and the runs of one job over them; looking again takes a second."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.now = folder, 100.0
        self.clock = ManualClock(NOON_NS)
        self.job = Job(self.clock)
        self.url = f"memory://{name}"
        self.broker = open_broker(self.url)
        self.broker.create(TOPICS)
        self.disk, self.sqlite = f"disk://{folder}/disk", f"sqlite://{folder}/store.db"
        self.runs = self.started()

    def started(self) -> BatchRuns:
        job = BatchJob(
            name="census",
            title="",
            topics=tuple(topic.name for topic in TOPICS),
            tables=("census_age",),
            compute=self.job.compute,
        )
        settings = ProcessingSettings(
            queue_url=self.url, stores=f"{self.disk},{self.sqlite}", checkpoint_dir=self.folder / "checkpoints"
        )
        return BatchRuns(None, job, settings, self.clock)  # type: ignore[arg-type]

    def publish(self) -> None:
        self.broker.publish(CENSUS_POPULATION.name, [Message(value=b"{}")])

    def look(self, times: int) -> int:
        """How often it ran meanwhile."""
        before = len(self.job.ran)
        for _ in range(times):
            self.runs.look(self.now)
            self.now += 1.0
        return len(self.job.ran) - before

    def people(self, url: str) -> list[int]:
        with closing(open_store(url)) as store:
            return store.read(CENSUS_AGE)["people"].to_pylist()


@pytest.fixture
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Place:
    return Place(tmp_path, request.node.name)


def test_it_runs_once_when_its_topics_have_grown_and_stand_still(place: Place) -> None:
    place.publish()
    ran = [place.look(1) for _ in range(5)]
    assert (ran, place.people(place.disk), place.people(place.sqlite)) == ([0, 0, 1, 0, 0], [1], [1])
    assert SETTLED_S == 2.0


def test_it_waits_while_its_topics_still_grow(place: Place) -> None:
    ran = []
    for _ in range(6):
        place.publish()
        ran.append(place.look(1))
    assert (ran, place.look(3)) == ([0] * 6, 1)


def test_it_never_runs_by_itself_over_empty_topics(place: Place) -> None:
    assert place.look(20) == 0


def test_it_runs_again_when_more_comes_and_the_later_run_stands(place: Place) -> None:
    place.publish()
    place.look(5)
    place.publish()
    assert (place.look(5), place.people(place.disk)) == (1, [2])


def test_after_a_restart_it_knows_how_far_it_was(place: Place) -> None:
    place.publish()
    place.look(5)
    place.runs = place.started()
    assert place.look(5) == 0
    place.publish()
    assert place.look(5) == 1


def test_a_request_runs_it_at_once_and_is_answered_with_what_was_done(place: Place) -> None:
    place.publish()
    place.runs.ask("r")
    assert place.look(1) == 1
    (answer,) = place.runs.answers()
    assert (answer.request_id, answer.state, answer.message) == (
        "r",
        "finished",
        "4,242 + 520 events, 1 rows into disk, sqlite in 2.3 s",
    )
    assert (place.look(5), place.runs.answers()) == (0, [])


def test_requests_that_come_together_share_a_run(place: Place) -> None:
    for request_id in ("a", "b"):
        place.runs.ask(request_id)
    assert (place.look(1), [each.request_id for each in place.runs.answers()]) == (1, ["a", "b"])


def test_a_store_that_is_away_stops_no_other_and_the_answer_says_which_and_why(place: Place) -> None:
    (place.folder / "store.db").mkdir()
    place.runs.ask("r")
    place.look(1)
    (answer,) = place.runs.answers()
    done, _, reason = answer.message.partition("; ")
    assert (answer.state, done, place.people(place.disk)) == (
        "failed",
        "4,242 + 520 events, 1 rows into disk in 2.3 s",
        [1],
    )
    assert ("not into sqlite: " in reason, "unable to open" in reason) == (True, True)


def test_a_store_that_comes_back_gets_its_rows_and_the_other_is_left_alone(place: Place) -> None:
    (place.folder / "store.db").mkdir()
    place.publish()
    place.look(3)
    waiting = place.runs.troubles()
    (place.folder / "store.db").rmdir()
    ran = place.look(5)
    assert (len(waiting), "census into sqlite waits" in waiting[0], place.runs.troubles()) == (1, True, [])
    assert (ran, place.people(place.sqlite), place.people(place.disk)) == (1, [2], [1])


def test_nothing_is_computed_while_no_store_answers_and_the_pauses_double(place: Place) -> None:
    (place.folder / "store.db").mkdir()
    (place.folder / "disk").write_text("in the way")
    place.publish()
    place.look(2)
    tries = []
    for _ in range(80):
        failures = place.runs._targets[0].failures
        place.look(1)
        tries += [place.now] * (place.runs._targets[0].failures - failures)
    gaps = [later - earlier for earlier, later in itertools.pairwise(tries)]
    assert (gaps, place.job.ran) == ([1, 2, 4, 8, 16, 30], [])


def test_a_failed_computation_is_told_for_every_store_and_tried_again(place: Place) -> None:
    place.job.error = ValueError("no such column")
    place.publish()
    place.look(3)
    troubles = place.runs.troubles()
    place.job.error = None
    ran = place.look(3)
    assert troubles == [f"census into {name} waits: no such column" for name in ("disk", "sqlite")]
    assert (ran, place.runs.troubles(), place.people(place.disk)) == (1, [], [2])


def test_a_queue_that_was_made_anew_is_computed_anew(place: Place) -> None:
    for _ in range(3):
        place.publish()
    place.look(5)
    place.url, place.runs._broker = f"{place.url}-anew", None
    place.broker = open_broker(place.url)
    place.broker.create(TOPICS)
    place.publish()
    place.runs = place.started()
    assert place.look(5) == 1


def test_the_version_is_the_time_of_the_run_so_an_older_run_never_wins(place: Place) -> None:
    place.runs.ask("new")
    place.look(1)
    place.clock.time_ns -= 3600 * 10**9
    place.runs.ask("old")
    place.look(1)
    assert (len(place.job.ran), place.people(place.disk), place.people(place.sqlite)) == (2, [1], [1])
