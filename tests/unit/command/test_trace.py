"""`pipeline trace`: which places an event was at, whose time is an estimate, and the census by its keys."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import Any

import census_rows
import pyarrow as pa
import pytest
from pipeline_cli.trace import Sighting, sightings, trace
from pipeline_input import census
from pipeline_output.stores import create_all, open_store
from pipeline_output.tables import RANDOM_NUMBERS_WINDOWS, TABLES, Table, arrow_schema
from pipeline_queue.brokers import open_broker
from pipeline_queue.codec import blocks
from pipeline_queue.events import event_id, event_type
from pipeline_queue.ledger import Entry, FileLedger
from pipeline_queue.topics import CENSUS_INCOME, CENSUS_POPULATION, HEARTBEATS, RANDOM_NUMBERS, Topic
from running_display import NS, window

PRODUCER = "random-numbers-0000000a"


class Place:
    """A queue, two stores and ledgers, each in its folder, as the command's environment names them."""

    def __init__(self, folder: Path, environment: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.queue_url = f"sqlite://{folder}/queue"
        self.urls = [f"disk://{folder}/disk", f"sqlite://{folder}/store.db"]
        named = {"QUEUE_URL": self.queue_url, "STORES": ",".join(self.urls), "LEDGER_DIR": f"{folder}/ledger"}
        for name, value in named.items():
            environment.setenv(name, value)
        create_all(self.urls)
        with closing(open_broker(self.queue_url)) as broker:
            broker.create([RANDOM_NUMBERS, CENSUS_POPULATION, CENSUS_INCOME, HEARTBEATS])

    def publish(self, topic: Topic, events: list[Any]) -> None:
        with closing(open_broker(self.queue_url)) as broker:
            broker.publish(topic.name, blocks(topic, events))
        first, last = events[0], events[-1]
        with closing(FileLedger(self.folder / "ledger", first.producer)) as ledger:
            for what in ("made", "acknowledged"):
                ledger.note(
                    Entry(
                        producer=first.producer,
                        what=what,  # type: ignore[arg-type]
                        first_seq=first.seq,
                        last_seq=last.seq,
                        time_ns=time.time_ns(),
                    )
                )

    def write(self, table: Table, rows: list[dict[str, Any]], *, into: int) -> None:
        with closing(open_store(self.urls[into])) as store:
            store.write(table, pa.Table.from_pylist(rows, schema=arrow_schema(table)), 1)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(tmp_path, monkeypatch)


def followed(found: list[Sighting]) -> list[tuple[str, str, bool]]:
    """Behind the queue: stage, the first words, and whether the time is an estimate."""
    behind = [each for each in found if each.stage not in {"input", "queue"}]
    return [(each.stage, each.where.split(";")[0], each.is_estimate) for each in behind]


def heartbeat(stage: str, latency_s: float) -> Any:
    """Of a service that its stage has the name of."""
    counts = dict.fromkeys(("events_in", "events_out", "dead", "late", "lag"), 0)
    own = {"event_id": event_id(stage, 0), "time_ns": time.time_ns(), "producer": stage, "seq": 0}
    told = {"service": stage, "stage": stage, "healthy": True, "latency_s": latency_s, "doing": "its work"}
    return event_type(HEARTBEATS)(**own, **counts, **told)


def number_of_now(place: Place) -> Any:
    now_ns = time.time_ns()
    row = {"event_id": event_id(PRODUCER, 7), "time_ns": now_ns, "producer": PRODUCER, "seq": 7, "value": 0.5}
    event = event_type(RANDOM_NUMBERS)(**row)
    place.publish(RANDOM_NUMBERS, [event])
    return event


def test_a_number_s_window_was_computed_when_the_newest_of_its_rows_says_and_stored_about_then(place: Place) -> None:
    event = number_of_now(place)
    start_ns = event.time_ns // NS * NS
    for into, written_ns in enumerate((start_ns + 1, start_ns + 2)):
        row = window(start_ns) | {"ids": f"{PRODUCER}:0-99", "written_ns": written_ns}
        place.write(RANDOM_NUMBERS_WINDOWS, [row, window(start_ns + NS)], into=into)
    place.publish(
        HEARTBEATS, [heartbeat(stage, latency_s) for stage, latency_s in (("processing", 0.5), ("display", 0.25))]
    )
    found = sightings(event.event_id)
    assert [(each.stage, each.time_ns - start_ns) for each in found if each.stage in {"processing", "output"}] == [
        ("processing", 2),
        ("output", 1),
        ("output", 2),
    ]
    assert [is_estimate for *_, is_estimate in followed(found)] == [False, True, True, True]
    assert [found[-1].stage, found[-1].time_ns - event.time_ns] == ["display", 250_000_000]


def test_an_estimate_is_called_one_in_the_table(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    event = number_of_now(place)
    row = window(event.time_ns // NS * NS) | {"ids": f"{PRODUCER}:0-99", "written_ns": event.time_ns + NS}
    place.write(RANDOM_NUMBERS_WINDOWS, [row], into=0)
    trace(event.event_id)
    lines = [line for line in capsys.readouterr().out.splitlines() if "1.000 s" in line]
    assert ["about 1.000 s" in line for line in lines] == [False, True]


@pytest.mark.parametrize(
    ("part", "seq", "rows"),
    [
        (0, 7, ["census_population, 2000, female, 7", "census_age, 2000, all", "census_age, 2000, female"]),
        (1, 0, ["census_income, 2013, region, south", "census_income, 2013, state, Alabama"]),
    ],
)
def test_an_event_of_the_census_is_found_by_its_keys_and_has_no_line_of_the_display(
    place: Place, part: int, seq: int, rows: list[str]
) -> None:
    sent = census.parts()[part]
    place.publish(sent.topic, list(sent.events(range(20), time.time_ns())))
    for name, of_table in census_rows.tables().items():
        for into in (0, 1):
            place.write(TABLES[name], of_table, into=into)
    found = sightings(event_id(sent.producer, seq))
    stored = [("output", f"{store}: {row}", True) for store in ("disk", "sqlite") for row in rows]
    assert followed(found) == [("processing", "job census: its run began", False), *stored]
