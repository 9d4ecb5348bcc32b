"""`scripts/demo.sh` as its user knows it: one command, all five stages, Ctrl-C, and on from where it was."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import oracle
import psutil
import pytest
from pipeline_queue.brokers import open_broker
from running_demo import ROOT, Demo, ended, free_port, start
from waiting import PATIENCE_S, until

if TYPE_CHECKING:
    from conftest import TwoRuns

START_WITHIN_S = 300


def test_ctrl_c_ends_everything_within_five_seconds(two_runs: TwoRuns) -> None:
    assert two_runs.first_ended_in_s < 5


@pytest.mark.parametrize("store", ["disk", "stand-in"])
def test_what_was_acknowledged_before_ctrl_c_is_in_the_stores_after_the_next_start(
    two_runs: TwoRuns, store: str
) -> None:
    demo, ids = two_runs.demo, two_runs.first_acknowledged
    raw = oracle.raw_records(open_broker(f"sqlite://{demo.folder}/queue"), "random-numbers")
    everything = list(oracle.events(raw))
    of_first = [(append_ns, event) for append_ns, event in everything if event["event_id"] in ids]
    assert len(of_first) == len(ids) > 0
    # What was not acknowledged any more when the first run ended may be in its last window as well.
    concerned = oracle.windows(of_first).keys()
    expected = {at: window for at, window in oracle.windows(everything).items() if at in concerned}

    def wrong() -> dict[int, tuple]:
        rows = {row["window_start_ns"]: row for row in demo.windows(store)}
        return {
            at: (window, rows.get(at))
            for at, window in expected.items()
            if not (at in rows and oracle.same(window, rows[at]))
        }

    assert until(lambda: not wrong(), START_WITHIN_S), wrong()


def test_the_index_lists_the_demos(demo: Demo) -> None:
    page = demo.page("/")
    assert [f'href="/{name}"' in page for name in ("demo1", "demo5", "demo6")] == [True, True, True]


def test_a_second_demo_in_the_same_folder_is_refused(demo: Demo) -> None:
    folder = demo.folder
    refused = subprocess.run(
        [ROOT / ".venv/bin/pipeline", "demo", "--data-dir", folder, "--port", str(free_port())],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (refused.returncode, f"another demo works in `{folder}`" in refused.stderr) == (1, True)


def test_a_held_port_is_refused_with_its_holder(demo: Demo, tmp_path: Path) -> None:
    refused = subprocess.run(
        [ROOT / ".venv/bin/pipeline", "demo", "--data-dir", tmp_path, "--port", str(demo.port)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (refused.returncode, "pipeline_cli serve" in refused.stderr) == (1, True)


def test_a_killed_producer_is_started_again(demo: Demo) -> None:
    killed = demo.named("produce monitoring")
    assert killed is not None
    killed.kill()
    assert until(lambda: (now := demo.named("produce monitoring")) is not None and now.pid != killed.pid, PATIENCE_S)


def test_the_census_is_sent_once_for_all_runs_and_is_in_both_stores(demo: Demo) -> None:
    def ours() -> int:
        with closing(open_broker(f"sqlite://{demo.folder}/queue")) as broker:
            records = broker.read("census-population", broker.begin_offsets("census-population"))
        lines = [line for record in records for line in record.value.splitlines()]
        return sum(b'"producer":"census-population-' in line for line in lines)  # another test sends garbage here

    assert until(lambda: demo.named("produce census") is None, START_WITHIN_S)
    assert ours() == 4242
    for store in ("disk", "stand-in"):
        assert until(lambda store=store: len(demo.rows(store, "census_population")) == 4242, START_WITHIN_S)
    assert (ours(), demo.named("produce census")) == (4242, None)


def test_nothing_is_left_when_the_supervisor_itself_is_killed(tmp_path: Path) -> None:
    demo = start(tmp_path)
    assert until(lambda: any(_is_java(process) for process in demo.processes()), START_WITHIN_S)
    ended(demo, signal.SIGKILL)
    assert demo.processes() == []


def _is_java(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return "java" in process.name()
    return False


def test_seconds_ends_it_by_itself_with_status_0(tmp_path: Path) -> None:
    demo = start(tmp_path, "--seconds", "4")
    assert demo.process.wait(START_WITHIN_S) == 0
    assert until(lambda: demo.processes() == [], PATIENCE_S), demo.processes()
