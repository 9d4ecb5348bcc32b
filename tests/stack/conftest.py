"""One stack for all stack tests: built, started, healthy; gone at the end. Laws of real servers run beside it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from running_stack import Stack, running_stack
from xdist.scheduler import LoadFileScheduling


class OneStack(LoadFileScheduling):
    """A worker runs a file; one runs all files of this folder, which wait more than they compute."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return "stack" if Path(file).parent.name == "stack" else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneStack:
    return OneStack(config, log)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with running_stack() as running:
        print(f"all healthy after {running.healthy_after_s:.0f} s")
        yield running
