"""`pipeline audit` and `pipeline trace` beside a running demo."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from running_demo import ROOT, Demo
from waiting import until


def said(demo: Demo, *words: str) -> subprocess.CompletedProcess[str]:
    """What the command printed; a colourless terminal as wide as its lines."""
    environment = os.environ | {
        "QUEUE_URL": f"sqlite://{demo.folder}/queue",
        "STORES": f"disk://{demo.folder}/disk,sqlite://{demo.folder}/cassandra-stand-in.db",
        "LEDGER_DIR": f"{demo.folder}/ledger",
    }
    command = [sys.executable, "-m", "pipeline_cli", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)


def accounts(demo: Demo) -> list[dict]:
    return [json.loads(line) for line in said(demo, "audit", "--json").stdout.splitlines()]


def test_every_acknowledged_event_is_in_every_store_or_on_the_way(demo: Demo) -> None:
    found: list[dict] = []

    def all_stored() -> bool:
        """What is lost or twice stays so; who reads two buckets while they are written may miss some for a moment."""
        found[:] = accounts(demo)
        is_sound = not any(each["lost"] or each["twice"] for each in found)
        return len(found) == 6 and all(each["stored"] for each in found) and is_sound

    assert until(all_stored, 300, pause_s=1), found
    assert {(each["source"], each["store"]) for each in found} == {
        (source, store)
        for source in ("random-numbers", "monitoring", "census-population")
        for store in ("disk", "sqlite")
    }
    assert [(each["lost"], each["twice"]) for each in found] == [(0, 0)] * 6
    assert [each["acknowledged"] for each in found] == [each["stored"] + each["on_the_way"] for each in found]


@pytest.mark.parametrize(
    ("source", "behind_the_queue"),
    [
        ("random-numbers", ["processing"] + ["output"] * 2 + ["display"]),
        ("monitoring", ["processing"] * 5 + ["output"] * 10 + ["display"]),
        ("census-population", ["processing"] + ["output"] * 6),
    ],
)
def test_an_event_is_followed_through_every_stage(demo: Demo, source: str, behind_the_queue: list[str]) -> None:
    line = said(demo, "topics", "tail", source, "-n", "1").stdout
    event_id = json.loads(line)["event_id"]

    def stages() -> list[str]:
        return [json.loads(each)["stage"] for each in said(demo, "trace", event_id, "--json").stdout.splitlines()]

    expected = ["input"] * 3 + ["queue"] + behind_the_queue
    assert until(lambda: stages() == expected, 300, pause_s=1), stages()


def test_an_id_that_is_none_and_an_event_that_nobody_knows_are_told_apart(demo: Demo) -> None:
    answers = [said(demo, "trace", each) for each in ("nonsense", "random-numbers-00000000-000000000001")]
    assert [answer.returncode for answer in answers] == [1, 1]
    assert ["is no event's id" in answers[0].stderr, "neither a ledger nor a topic" in answers[1].stderr] == [
        True,
        True,
    ]
