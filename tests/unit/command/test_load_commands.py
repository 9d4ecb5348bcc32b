"""`pipeline load` over an embedded queue and a database in a file."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pipeline_cli.main import app
from pipeline_output.loader.service import run_until
from pipeline_output.loader.settings import LoaderSettings
from pipeline_queue import dead_letters
from pipeline_queue.brokers import Broker, Message, open_broker
from pipeline_queue.clock import ManualClock
from pipeline_queue.codec import blocks
from pipeline_queue.events import event_type
from pipeline_queue.service_events import event_types
from pipeline_queue.settings import filled
from pipeline_queue.topics import TOPICS
from typer.testing import CliRunner

CRASHES = event_types()["crash_report"].topic()
runner = CliRunner()


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Broker:
    url = f"sqlite://{tmp_path}/log"
    monkeypatch.setenv("QUEUE_URL", url)
    monkeypatch.setenv("DATABASE_URL", f"sqlite://{tmp_path}/events.db")
    monkeypatch.setenv("NO_COLOR", "1")
    opened = open_broker(url)
    opened.create([*TOPICS.values(), CRASHES])
    return opened


def publish(broker: Broker, count: int) -> None:
    given = {"client": "a", "producer": "p", "user_id": 1, "timestamp": 2, "message": "it broke,\nat two lines"}
    make = event_type(CRASHES)
    events = [make(event_id=f"p-{seq}", time_ns=time.time_ns(), seq=seq, **given) for seq in range(count)]
    broker.publish(CRASHES.name, blocks(CRASHES, events, events_max=10))


def crashes(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "events.db")) as file:
        return file.execute("select count(*) from crash_report").fetchone()[0]


def standing() -> dict[str, object]:
    lines = runner.invoke(app, ["load", "status", "--json"]).stdout.splitlines()
    return next(found for line in lines if (found := json.loads(line))["type"] == "crash_report")


def test_once_loads_what_is_there_says_what_that_was_and_ends(broker: Broker, tmp_path: Path) -> None:
    publish(broker, 25)
    done = runner.invoke(app, ["load", "--once"])
    assert done.stdout == "crash_report: 25 events, 25 of them new, 0 dead letters, 0 messages gone\n"
    assert (done.exit_code, crashes(tmp_path), runner.invoke(app, ["load", "--once"]).stdout) == (0, 25, "")


def test_a_dry_run_says_what_waits_and_writes_nothing(broker: Broker, tmp_path: Path) -> None:
    publish(broker, 25)
    done = runner.invoke(app, ["load", "--dry-run"])
    assert "crash_report: 25 events wait, 0 dead letters, 0 messages gone" in done.stdout.splitlines()
    assert not (tmp_path / "events.db").exists()


def test_the_status_before_and_after_a_load(broker: Broker) -> None:
    publish(broker, 25)
    before = standing()
    runner.invoke(app, ["load", "--once"])
    after = standing()
    assert [(found["lag_events"], found["events"], found["dead"]) for found in (before, after)] == [
        (25, 0, 0),
        (0, 25, 0),
    ]
    assert before["loaded_at_ns"] == 0 < after["loaded_at_ns"]  # type: ignore[operator]


def test_the_status_of_a_database_that_was_never_loaded_makes_none(broker: Broker, tmp_path: Path) -> None:
    publish(broker, 25)
    assert (standing()["lag_events"], (tmp_path / "events.db").exists()) == (25, False)


def test_a_table_that_is_held_up_is_said_and_the_exit_status_tells(broker: Broker, tmp_path: Path) -> None:
    publish(broker, 25)
    runner.invoke(app, ["load", "--once"])
    publish(broker, 25)
    with closing(sqlite3.connect(tmp_path / "events.db")) as file:
        file.execute("create trigger gone before insert on crash_report begin insert into nowhere values (1); end")
    done = runner.invoke(app, ["load", "--once"])
    assert (done.exit_code, "does not let `crash_report` be loaded: no such table" in done.stderr) == (1, True)


def test_the_status_has_a_line_for_each_type(broker: Broker) -> None:
    lines = runner.invoke(app, ["load", "status"]).stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["type", *event_types()]


def test_a_database_that_is_not_there_is_said_with_its_address(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:secret@127.0.0.1:9/events")
    error = runner.invoke(app, ["load", "--once"]).exception
    assert str(error).startswith("the database at `postgresql://127.0.0.1:9/events` did not answer while connecting:")


def test_the_service_loads_until_it_is_stopped(broker: Broker, tmp_path: Path) -> None:
    publish(broker, 25)
    rounds = iter([False] * 8)
    run_until(lambda: next(rounds, True), filled(LoaderSettings), ManualClock(time.time_ns()))
    assert crashes(tmp_path) == 25


@pytest.fixture
def parquet_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DB_LOAD_PARQUET", str(tmp_path / "parquet"))
    return tmp_path / "parquet"


def in_parquet(folder: Path) -> int:
    return sum(pq.read_metadata(path).num_rows for path in (folder / "crash_report").glob("*.parquet"))


def test_both_places_are_loaded_each_from_where_it_was_and_a_dead_letter_is_buried_once(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(broker, 25)
    runner.invoke(app, ["load", "--once"])
    broker.publish(CRASHES.name, [Message(key=b"p", value=b"no JSON")])
    monkeypatch.setenv("DB_LOAD_PARQUET", str(tmp_path / "parquet"))
    done = runner.invoke(app, ["load", "--once"])
    assert done.stdout.splitlines() == [
        "crash_report: 0 events, 0 of them new, 1 dead letters, 0 messages gone",
        "crash_report in Parquet: 25 events, 25 of them new, 1 dead letters, 0 messages gone",
    ]
    assert (crashes(tmp_path), in_parquet(tmp_path / "parquet")) == (25, 25)
    assert len([*dead_letters.letters(broker)]) == 1


def test_a_database_that_is_away_does_not_stop_the_folder(
    broker: Broker, parquet_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(broker, 25)
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:9/events")
    error = runner.invoke(app, ["load", "--once"]).exception
    assert (in_parquet(parquet_dir), "did not answer while connecting" in str(error)) == (25, True)


def test_a_folder_that_cannot_be_written_does_not_stop_the_database(
    broker: Broker, parquet_dir: Path, tmp_path: Path
) -> None:
    publish(broker, 25)
    parquet_dir.write_text("no folder")
    error = runner.invoke(app, ["load", "--once"]).exception
    assert (crashes(tmp_path), str(error).startswith(f"the database at `parquet://{parquet_dir}` did")) == (25, True)


def test_the_service_loads_both_until_it_is_stopped(broker: Broker, parquet_dir: Path, tmp_path: Path) -> None:
    publish(broker, 25)
    ends_at = time.monotonic() + 20

    def stopped() -> bool:
        with suppress(sqlite3.OperationalError):  # no table yet
            return time.monotonic() > ends_at or (crashes(tmp_path) == 25 == in_parquet(parquet_dir))
        return False

    run_until(stopped, filled(LoaderSettings), ManualClock(time.time_ns()))
    assert (crashes(tmp_path), in_parquet(parquet_dir)) == (25, 25)


def test_the_status_has_a_line_for_each_type_in_each_place(broker: Broker, parquet_dir: Path) -> None:
    lines = runner.invoke(app, ["load", "status", "--json"]).stdout.splitlines()
    types = [*event_types()]
    assert [json.loads(line)["type"] for line in lines] == [*types, *(f"{each} in Parquet" for each in types)]
    assert not parquet_dir.exists()


@pytest.fixture
def passwords(tmp_path: Path) -> Path:
    """A folder of nothing else."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    return folder


def made(file: Path) -> str:
    assert runner.invoke(app, ["load", "password", str(file)]).exit_code == 0
    return file.read_text()


def test_a_password_that_is_there_is_kept(passwords: Path) -> None:
    (passwords / "kept").write_text("ours\n")
    assert made(passwords / "kept") == "ours\n"
    assert made(passwords / "made") == made(passwords / "made")


def test_a_password_is_made_whole_for_the_database_to_read_and_for_nobody_to_guess(passwords: Path) -> None:
    one, other = made(passwords / "one"), made(passwords / "other")
    assert (len(one) > 30, one != other, (passwords / "one").stat().st_mode & 0o777) == (True, True, 0o444)
    assert {each.name for each in passwords.iterdir()} == {"one", "other"}
