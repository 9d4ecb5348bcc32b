"""How many points came in, by database, retention policy and measurement, since this process began.

In:   blocks of the topic `points`, each once.
Out:  counts. Any thread may count or ask.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from pipeline_processing.points.reading import SharedBlock


class Measured(NamedTuple):
    database: str
    retention_policy: str
    measurement: str


class Ingress:
    def __init__(self) -> None:
        self._counts: Counter[Measured] = Counter()
        self._lock = threading.Lock()

    def count(self, block: SharedBlock) -> None:
        rows = np.bincount(block.series)
        with self._lock:
            for series in np.flatnonzero(rows).tolist():
                name = block.reader.series[series].name
                self._counts[Measured(block.database, block.retention_policy, name)] += int(rows[series])

    def counts(self) -> Mapping[Measured, int]:
        with self._lock:
            return dict(self._counts)
