"""One demo for all end-to-end tests: it ran, was interrupted, and runs again."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass

import oracle
import pytest
from running_demo import Demo, ended, start
from waiting import until

START_WITHIN_S = 300


@dataclass(frozen=True)
class TwoRuns:
    """The running second run, and what is known of the first."""

    demo: Demo
    first_acknowledged: set[str]
    first_ended_in_s: float


@pytest.fixture(scope="session")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoRuns]:
    folder = tmp_path_factory.mktemp("demo")
    first = start(folder)
    assert until(lambda: len(first.windows("disk")) > 3, START_WITHIN_S), (folder / "logs/processing.log").read_text()[
        -3000:
    ]
    seconds = ended(first, signal.SIGINT)
    ids = oracle.acknowledged(folder / "ledger", "random-numbers")
    second = start(folder)
    yield TwoRuns(demo=second, first_acknowledged=ids, first_ended_in_s=seconds)
    ended(second, signal.SIGKILL)


@pytest.fixture(scope="session")
def demo(two_runs: TwoRuns) -> Demo:
    return two_runs.demo
