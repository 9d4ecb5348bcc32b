"""Which events some partial result holds: runs of sequence numbers, by producer.

In:   producers and sequence numbers of events, as arrays, in any order.
Out:  inclusive ranges, a producer's ascending and as few as can be; whether an event is among them; bytes, of which the
      usual one run of a producer takes some forty.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

import msgspec
import numpy as np
from pipeline_queue.runs import joined

from pipeline_processing.sketch import Ints

_DECODER = msgspec.msgpack.Decoder(dict[str, list[tuple[int, int]]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """First and last sequence number of each run."""

    by_producer: Mapping[str, Sequence[tuple[int, int]]] = field(default_factory=dict)

    @classmethod
    def of(cls, producer: Ints, seq: Ints, producers: Sequence[str]) -> Runs:
        """`producer` says for each event its place in `producers`."""
        if not len(seq):
            return cls()
        order = np.lexsort((seq, producer))
        producer, seq = producer[order], seq[order]
        begins = np.flatnonzero((np.diff(producer) != 0) | (np.diff(seq) > 1)) + 1
        firsts, lasts = np.concatenate(([0], begins)), np.concatenate((begins - 1, [len(seq) - 1]))
        found = defaultdict(list)
        for place, first, last in zip(
            *(each.tolist() for each in (producer[firsts], seq[firsts], seq[lasts])), strict=True
        ):
            found[producers[place]].append((first, last))
        return cls(by_producer=found)

    @classmethod
    def merged(cls, parts: Iterable[Runs]) -> Runs:
        named = ((producer, run) for part in parts for producer, runs in part.by_producer.items() for run in runs)
        return cls(by_producer=joined(named)[0])

    def holds(self, producer: str, seq: int) -> bool:
        runs = self.by_producer.get(producer, ())
        before = bisect_right(runs, seq, key=itemgetter(0))
        return before > 0 and seq <= runs[before - 1][1]

    @property
    def first(self) -> tuple[str, int]:
        """Producer and sequence number of its first event; of one event, which event it is."""
        producer, runs = next(iter(self.by_producer.items()))
        return producer, runs[0][0]

    def to_bytes(self) -> bytes:
        return msgspec.msgpack.encode(self.by_producer)

    @classmethod
    def from_bytes(cls, encoded: bytes) -> Runs:
        return cls(by_producer=_DECODER.decode(encoded))
