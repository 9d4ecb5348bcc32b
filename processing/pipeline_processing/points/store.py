"""Rows that an operator holds back, each at a slot of its own.

What is added and freed costs what it is, not what is held: slots are used again, and arrays double. Who holds rows keeps
lists of slots; `next` has room for the one that follows each, so that a list a group needs no other memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pipeline_processing.points.frame import DTYPES, Column, Frame, Key

SLOTS_MIN = 64


@dataclass(slots=True)
class RowStore:
    time_ns: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    series: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int32))
    group: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int32))
    cause: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    next: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """The slot after each in its list; whoever makes lists fills it."""
    _fields: dict[Key, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    """Values, and whether each slot has one."""
    _free: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    _free_count: int = 0

    def __len__(self) -> int:
        return len(self.time_ns) - self._free_count

    def add(self, frame: Frame) -> np.ndarray:
        """The slots (int64) that now hold the frame's rows, by row."""
        slots = self._slots(len(frame))
        self.time_ns[slots] = frame.time_ns
        self.series[slots] = frame.series
        self.group[slots] = frame.group
        self.cause[slots] = frame.cause
        self.next[slots] = -1
        for key in frame.fields.keys() - self._fields.keys():
            self._fields[key] = (
                np.zeros(len(self.time_ns), dtype=DTYPES[key[1]]),
                np.zeros(len(self.time_ns), dtype=bool),
            )
        for key, (values, present) in self._fields.items():
            column = frame.fields.get(key)
            if column is None:
                present[slots] = False
            else:
                values[slots] = column.values
                present[slots] = True if column.present is None else column.present
        return slots

    def take(self, slots: np.ndarray) -> Frame:
        """The rows at these slots, in this order; a slot may come more than once."""
        fields: dict[Key, Column] = {}
        for key, (values, present) in self._fields.items():
            has = present[slots]
            if has.all():
                fields[key] = Column(values[slots])
            elif has.any():
                fields[key] = Column(values[slots], has)
        return Frame(
            time_ns=self.time_ns[slots],
            series=self.series[slots],
            group=self.group[slots],
            cause=self.cause[slots],
            fields=fields if len(slots) else {},
        )

    def slots(self) -> np.ndarray:
        """Those that hold a row."""
        holds = np.ones(len(self.time_ns), dtype=bool)
        holds[self._free[: self._free_count]] = False
        return np.flatnonzero(holds)

    def held_series(self) -> np.ndarray:
        return self.series[self.slots()]

    def free(self, slots: np.ndarray) -> None:
        """Give the slots back; what they held is gone."""
        self._free[self._free_count : self._free_count + len(slots)] = slots
        self._free_count += len(slots)
        for (_, type_), (values, _) in self._fields.items():
            if type_ == "string":
                values[slots] = None  # lets the texts go

    def _slots(self, count: int) -> np.ndarray:
        if self._free_count < count:
            self._grow(count - self._free_count)
        self._free_count -= count
        return self._free[self._free_count : self._free_count + count].copy()

    def _grow(self, count: int) -> None:
        before = len(self.time_ns)
        after = max(SLOTS_MIN, before + count, 2 * before)
        for name in ("time_ns", "series", "group", "cause", "next", "_free"):
            setattr(self, name, grown(getattr(self, name), after))
        for key, (values, present) in self._fields.items():
            self._fields[key] = grown(values, after), grown(present, after)
        fresh = np.arange(after - 1, before - 1, -1)
        self._free[self._free_count : self._free_count + len(fresh)] = fresh
        self._free_count += len(fresh)


def reset(array: np.ndarray, places: np.ndarray, fill: float | None = None) -> None:
    """These places hold `fill`, or zero, as new ones do; the array may end before some of them."""
    array[places[places < len(array)]] = 0 if fill is None else fill


def grown(array: np.ndarray, length: int, fill: float | None = None) -> np.ndarray:
    """`array` with room for `length`, at least doubled when it must grow; new places hold `fill`, or zero."""
    if len(array) >= length:
        return array
    wider = np.zeros(max(length, 2 * len(array), SLOTS_MIN), dtype=array.dtype)
    wider[: len(array)] = array
    if fill is not None:
        wider[len(array) :] = fill
    return wider
