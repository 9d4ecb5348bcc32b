"""Rows for an InfluxDB, gathered until there are enough of them or they have waited long enough.

In:      points.
Out:     posts of line protocol to /write, through a sender that keeps them until they are taken.
Where the InfluxDB is the operator's the posts have no host: where it is and who asks may change while they wait (posting.Reach).
A row that comes again, after a crash, is the same point, and InfluxDB has it once.
"""

from __future__ import annotations

import hashlib
import threading
import urllib.parse
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from pipeline_queue.points.lines import to_lines

from pipeline_processing.engine.courier import Post
from pipeline_processing.engine.sender import Sender
from pipeline_processing.operators.outside import Rows
from pipeline_processing.points.keys import Keys
from pipeline_processing.points.writing import Names, points_of


class Target(NamedTuple):
    database: str
    retention_policy: str
    precision: str
    consistency: str

    @property
    def parameters(self) -> dict[str, str]:
        given = {"db": self.database, "rp": self.retention_policy, "consistency": self.consistency}
        return {name: value for name, value in given.items() if value} | {"precision": self.precision}


@dataclass(slots=True)
class Influx:
    url: str
    """Empty is the operator's."""
    sender: Sender
    task: str
    _rows: dict[Target, list[bytes]] = field(default_factory=dict)
    _counts: Counter[Target] = field(default_factory=Counter)
    _created: set[str] = field(default_factory=set)
    _timer: threading.Timer | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def write(self, rows: Rows, keys: Keys) -> None:
        names = Names(database=rows.database, retention_policy=rows.retention_policy, measurement=rows.measurement)
        with self._lock:
            for origin, points in points_of(rows.points, keys, names):
                target = Target(origin.database, rows.retention_policy, rows.precision or "n", rows.write_consistency)
                if rows.create and origin.database not in self._created:
                    self._created.add(origin.database)
                    self._put("/query", {"q": f'CREATE DATABASE "{origin.database}"'}, b"", points=0)
                self._rows.setdefault(target, []).append(to_lines(points, precision=target.precision))
                self._counts[target] += len(points)
            if self.waiting() >= rows.buffer:
                self.flush()
            elif self._timer is None:
                self._timer = threading.Timer(rows.flush_interval_ns / 1e9, self.flush)
                self._timer.daemon = True
                self._timer.start()

    def flush(self) -> None:
        """Hand over what is gathered."""
        with self._lock:
            if self._timer:
                self._timer.cancel()
                self._timer = None
            for target, written in self._rows.items():
                self._put("/write", target.parameters, b"".join(written), points=self._counts[target])
            self._rows.clear()
            self._counts.clear()

    def waiting(self) -> int:
        """Points that are gathered; whoever asks waits for nobody who writes."""
        return sum(list(self._counts.values()))

    def _put(self, path: str, parameters: dict[str, str], body: bytes, *, points: int) -> None:
        url = f"{self.url.rstrip('/')}{path}?{urllib.parse.urlencode(parameters)}"
        key = f"{self.task}.{_digest(url, body)}"
        self.sender.put(Post(url=url, body=body, key=key, is_captured=True, points=points))


def _digest(url: str, body: bytes) -> str:
    """After a crash rows are gathered anew, and not in the same posts: only a post that is the same may have the same key."""
    return hashlib.blake2b(url.encode() + b"\n" + body, digest_size=16).hexdigest()
