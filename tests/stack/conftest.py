"""One stack for all stack tests: built, started, healthy; gone at the end."""

from collections.abc import Iterator

import pytest
from running_stack import Stack, running_stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with running_stack() as running:
        print(f"all healthy after {running.healthy_after_s:.0f} s")
        yield running
