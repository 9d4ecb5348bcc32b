"""What end-to-end tests share: one demo, which ran, was interrupted, and runs again; a browser a module; a display a test."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import oracle
import pytest
from playwright.sync_api import Browser
from running_demo import Demo, ended, start
from running_display import Display, chromium, displaying
from waiting import until
from xdist.scheduler import LoadFileScheduling

BESIDE_THE_DEMO = {"test_audit", "test_bad_input", "test_demo", "test_demo_pages", "test_readme"}
START_WITHIN_S = 300


class OneDemo(LoadFileScheduling):
    """A worker runs a file; one runs all files of tests beside the demo, so that there is one demo."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return "demo" if Path(file).stem in BESIDE_THE_DEMO else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneDemo:
    return OneDemo(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests beside the demo come first."""
    items.sort(key=lambda item: not _is_beside_the_demo(item))
    assert {item.path.stem for item in items if _is_beside_the_demo(item)} <= BESIDE_THE_DEMO


def pytest_runtest_teardown(item: pytest.Function, nextitem: pytest.Item | None) -> None:
    """The demo does not outlive the last test beside it: its Spark takes half a core from all that come after."""
    demo = item.funcargs.get("demo")
    if demo and not _is_beside_the_demo(nextitem):
        ended(demo, signal.SIGKILL)


def _is_beside_the_demo(item: pytest.Item | None) -> bool:
    return "two_runs" in getattr(item, "fixturenames", ())


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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def display(tmp_path: Path) -> Iterator[Display]:
    with displaying(tmp_path) as display:
        yield display
