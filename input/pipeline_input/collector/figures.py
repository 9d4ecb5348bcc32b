"""The figures of all processes of a collector, as one.

In:   files that prometheus_client keeps up to date, some for each process, in a folder that they share.
Out:  the sums in Prometheus' text format. A process that dies leaves its files, so no sum ever falls.
The library looks for the folder when it is imported, so the first process names it before there are others.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import Metric

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


@contextmanager
def shared_folder() -> Iterator[None]:
    """Named to the processes that are started meanwhile."""
    with TemporaryDirectory(prefix="pipeline-collector-") as folder:
        os.environ[FOLDER_VARIABLE] = folder
        yield


def figures_of_all() -> bytes:
    """What the processes count, those that are gone included."""
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry()
    registry.register(_Files(Path(os.environ[FOLDER_VARIABLE])))
    return generate_latest(registry)


class _Files:
    """As the library collects them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        from prometheus_client.multiprocess import MultiProcessCollector

        # A file is empty for the moment in which it is made, and the library cannot read it then.
        files = [str(each) for each in self._folder.glob("*.db") if each.stat().st_size]
        return MultiProcessCollector.merge(files)
