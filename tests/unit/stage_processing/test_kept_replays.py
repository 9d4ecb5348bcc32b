"""Replays of recordings: what came of them, at any speed and in any blocks."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pipeline_processing.engine import recorded_life, source
from pipeline_processing.engine.task_master import TaskMaster
from pipeline_processing.operators.http_out import HttpOut
from pipeline_processing.tasks.errors import NoRecording, NoReplay, Refused
from pipeline_processing.tasks.kept_recordings import KeptRecordings
from pipeline_processing.tasks.kept_replays import MASTERS_MAX, KeptReplays
from pipeline_processing.tasks.pacing import paced
from pipeline_processing.tasks.rehearsal import documents, rehearsed
from pipeline_processing.tasks.replays import Timing
from pipeline_processing.tickscript.errors import TickError
from pipeline_queue.brokers.memory import MemoryBroker
from pipeline_queue.clock import ManualClock, SystemClock
from pipeline_queue.recordings.lines import blocks_of_lines
from recorded_points import BEGIN_S, DBRP, SCRIPTS, blocks, definition

NOW_NS = 1_767_225_600_000_000_000
PATIENCE_S = 30.0
RECORDED = Timing(recording_time=True)


@pytest.fixture
def recordings(tmp_path: Path) -> KeptRecordings:
    kept = KeptRecordings(tmp_path, MemoryBroker, ManualClock(NOW_NS))
    kept.keep("rec", blocks(50))
    kept.wait("rec")
    return kept


@pytest.fixture
def replays(recordings: KeptRecordings) -> Iterator[KeptReplays]:
    kept = KeptReplays(recordings, TaskMaster(), ManualClock(NOW_NS))
    yield kept
    kept.close()


def outcome(replays: KeptReplays, replay_id: str) -> list[bytes]:
    told = replays.wait(replay_id, PATIENCE_S)
    assert (told.status, told.error, told.progress) == ("finished", "", 1.0)
    master = replays.task_master(replay_id)
    assert isinstance(master, TaskMaster)
    return list(documents(master, told.task))


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize("rows", [1, 7, 64])
def test_neither_speed_nor_the_borders_of_blocks_change_a_byte(tmp_path: Path, name: str, rows: int) -> None:
    clock = ManualClock(NOW_NS)
    recordings = KeptRecordings(tmp_path, MemoryBroker, clock)
    recordings.keep("rec", blocks(rows))
    recordings.wait("rec")
    replays = KeptReplays(recordings, TaskMaster(), clock)
    wanted = list(documents(rehearsed(definition(name), blocks(200)), name))
    assert len(wanted) > 5
    for clocked in ("fast", "real"):
        replays.create(clocked, definition(name), "rec", Timing(clock=clocked, recording_time=True))
        assert outcome(replays, clocked) == wanted


@pytest.mark.parametrize("rows", [1, 7, 200])
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_step_may_end_between_any_two_points(name: str, rows: int) -> None:
    assert list(documents(rehearsed(definition(name), blocks(rows)), name)) == list(
        documents(rehearsed(definition(name), blocks(31)), name)
    )


def test_silence_is_told_in_the_time_of_the_points() -> None:
    """One host is silent from 1 s to 40 s; the watch looks every 10 s and tells what it sees each time."""
    text = "cpu,host=a usage=1 0\ncpu,host=a usage=1 1\ncpu,host=a usage=1 40\ncpu,host=a usage=1 41\n"
    master = rehearsed(definition("silence"), blocks_of_lines(text, DBRP, "s"))
    told = [json.loads(each) for each in documents(master, "silence")]
    assert [(each["level"], each["time"][14:]) for each in told[:-1]] == [
        ("CRITICAL", "00:20Z"),
        ("CRITICAL", "00:30Z"),
        ("CRITICAL", "00:40Z"),
    ]


def test_a_replay_begins_now_unless_it_keeps_the_recorded_times(replays: KeptReplays) -> None:
    for name, timing in (("moved", Timing()), ("kept", RECORDED)):
        replays.create(name, definition("windows"), "rec", timing)
        replays.wait(name, PATIENCE_S)
    times = [
        min(
            json.loads(each)["series"][0]["values"][0][0]
            for each in outcome(replays, name)
            if each.startswith(b'{"httpOut"')
        )
        for name in ("moved", "kept")
    ]
    assert [each[:11] for each in times] == ["2026-01-01T", "2023-11-14T"]


def test_a_real_clock_gives_no_point_before_its_time() -> None:
    clock = ManualClock(NOW_NS)
    begin_ns = BEGIN_S * 10**9
    latest = 0
    for block in paced(blocks(64), Timing(clock="real"), clock, lambda: False):
        latest = max(latest, *block.batch.column(0).to_pylist())
        assert latest <= clock.now_ns()
    spans = [time - begin_ns for each in blocks(64) for time in each.batch.column(0).to_pylist()]
    assert 0 <= clock.now_ns() - NOW_NS - (max(spans) - spans[0]) <= 10_000_000


def test_what_came_of_a_replay_stays_to_be_read(replays: KeptReplays) -> None:
    replays.create("r", definition("windows"), "rec", RECORDED)
    told = replays.wait("r", PATIENCE_S)
    master = replays.task_master("r")
    assert master
    assert json.loads(master.get_output("windows", "mean"))["series"]
    assert told.stats["node-stats"]["from1"]["emitted"] == 200
    assert replays.every() == [told]


def test_only_the_newest_replays_are_kept_to_be_looked_into(replays: KeptReplays) -> None:
    for at in range(MASTERS_MAX + 2):
        replays.create(f"r{at}", definition("windows"), "rec", RECORDED)
        replays.wait(f"r{at}", PATIENCE_S)
    kept = [replays.task_master(f"r{at}") is not None for at in range(MASTERS_MAX + 2)]
    assert kept == [False] * 2 + [True] * MASTERS_MAX
    assert len(replays.every()) == MASTERS_MAX + 2


def test_a_replay_that_is_deleted_ends(recordings: KeptRecordings) -> None:
    replays = KeptReplays(recordings, TaskMaster(), SystemClock())
    replays.create("r", definition("windows"), "rec", Timing(clock="real"))
    assert replays.show("r").status == "running"
    replays.delete("r")
    assert (replays.every(), [each.name for each in threading.enumerate() if each.name == "replay-r"]) == ([], [])


def test_what_cannot_be_replayed_says_why(replays: KeptReplays) -> None:
    task = definition("windows")
    with pytest.raises(NoRecording, match="recording not found"):
        replays.create("r", task, "no", Timing())
    with pytest.raises(Refused, match="batch tasks do not run here"):
        replays.create_batch("r", task, Timing(), start_ns=0, stop_ns=1)
    with pytest.raises(Refused, match="no query that is recorded here"):
        replays.create_query("r", task, Timing(), query="drop database x")
    with pytest.raises(TickError):
        replays.create("r", replace(task, script="stream|no()"), "rec", Timing())
    with pytest.raises(NoReplay):
        replays.show("r")
    replays.create("r", task, "rec", RECORDED)
    with pytest.raises(Refused, match="replay r already exists"):
        replays.create("r", task, "rec", RECORDED)


def test_a_gap_of_years_costs_no_tick_for_each_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty years of an interval of 10 s would be 158 million looks."""
    monkeypatch.setattr(recorded_life, "TICKS_PER_GAP_MAX", 100)
    text = f"cpu,host=a usage=1 0\ncpu,host=a usage=1 {50 * 365 * 86_400}\n"
    master = rehearsed(definition("silence"), blocks_of_lines(text, DBRP, "s"))
    looks = master.stats("silence")["node-stats"]["stats2"]["emitted"]
    assert looks == 100


def test_a_task_that_breaks_fails_its_replay_and_holds_nobody_up(
    replays: KeptReplays, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "ROWS_MAX", 10)
    monkeypatch.setattr(HttpOut, "step", lambda *_: 1 // 0)
    replays.create("r", definition("windows"), "rec", RECORDED)
    told = replays.wait("r", PATIENCE_S)
    assert (told.status, "http_out5: ZeroDivisionError" in told.error) == ("failed", True)
