"""How many points came in, by database, retention policy and measurement, since this process began.

In:   blocks of the topic `points`, each once.
Out:  counts. Any thread may count or ask.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from pipeline_processing.points.keys import PerSeries
from pipeline_processing.points.reading import Reader, SharedBlock


class Measured(NamedTuple):
    database: str
    retention_policy: str
    measurement: str


class Ingress:
    def __init__(self) -> None:
        self._numbers: dict[Measured, int] = {}
        self._counts: list[int] = []
        self._reader: Reader | None = None
        self._number_of = PerSeries(self._number)
        self._lock = threading.Lock()

    def count(self, block: SharedBlock) -> None:
        with self._lock:
            if block.reader is not self._reader:
                self._reader, self._number_of = block.reader, PerSeries(self._number)
            rows = np.bincount(self._number_of.of(block.series))
            for number in np.flatnonzero(rows).tolist():
                self._counts[number] += int(rows[number])

    def counts(self) -> Mapping[Measured, int]:
        with self._lock:
            return {measured: self._counts[number] for measured, number in self._numbers.items()}

    def _number(self, series: int) -> int:
        found = self._reader.series[series]
        measured = Measured(found.database, found.retention_policy, found.name)
        if measured not in self._numbers:
            self._numbers[measured] = len(self._counts)
            self._counts.append(0)
        return self._numbers[measured]
