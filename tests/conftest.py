"""Workers that test at the same time share the kernels that numba has compiled: one of them reads or writes at a time.

Numba numbers what it compiled of a function. Two that write at once may take the same number for different types, and one that
reads may find the new index and the old file: either would then run what was compiled for something else.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from numba.core.caching import IndexDataCacheFile


@pytest.fixture(scope="session", autouse=True)
def one_at_a_time() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("load", "save"):
            patch.setattr(IndexDataCacheFile, name, _locked(getattr(IndexDataCacheFile, name)))
        yield


def _locked(work: Callable[..., Any]) -> Callable[..., Any]:
    def locked(cache: IndexDataCacheFile, *arguments: Any) -> Any:
        with Path(__file__).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return work(cache, *arguments)

    return locked
