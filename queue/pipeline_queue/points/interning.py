"""Names as dense numbers: a hash table of byte strings that numba kernels read and fill.

In:   a name as a range of a text, and its hash.
Out:  its number, the same each time until the table is emptied.
A name may stand for another (`same`): series whose tags are written in another order are one series.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from pipeline_queue.points.kernels import KERNEL

NONE = -1
HASH_BEGIN = np.uint64(0xCBF29CE484222325)
HASH_FACTOR = np.uint64(0x9E3779B97F4A7C15)
HASH_SHIFT = np.uint64(29)


class Table(NamedTuple):
    """`slots` has a power of two places, less than half of them taken; `used` counts names and bytes of `arena`."""

    slots: np.ndarray
    hashes: np.ndarray
    begins: np.ndarray
    ends: np.ndarray
    same: np.ndarray
    local: np.ndarray
    """A number of its user's for each name; NONE at first."""
    arena: np.ndarray
    used: np.ndarray


class Interned:
    """A table that grows. Its arrays are replaced then, so `table` is asked for anew before each kernel."""

    def __init__(self, *, names_max: int, bytes_max: int) -> None:
        self._names_max, self._bytes_max = names_max, bytes_max
        self.table = _new_table(names=1024, size=64 * 1024)

    def __len__(self) -> int:
        return int(self.table.used[0])

    def make_room(self, *, names: int, size: int) -> None:
        """For so many names more, of so many bytes together. A table that would grow beyond its bounds is emptied."""
        count, filled = self.table.used.tolist()
        if count + names > self._names_max or filled + size > self._bytes_max:
            self.table.used[:] = 0
            self.table.slots[:] = NONE
        self._grow(names, size)

    def number(self, name: bytes) -> int:
        """Of a name that is here, or is added; nothing is forgotten for it."""
        self._grow(1, len(name))
        return int(intern(self.table, np.frombuffer(name, dtype=np.uint8), 0, len(name)))

    def name(self, number: int) -> bytes:
        return self.table.arena[self.table.begins[number] : self.table.ends[number]].tobytes()

    def stands_for(self, name: bytes, number: int) -> None:
        """From now on `name` is another way to write the name of that number."""
        self.table.same[self.number(name)] = number

    def _grow(self, names: int, size: int) -> None:
        count, filled = self.table.used.tolist()
        if count + names > len(self.table.hashes) or filled + size > len(self.table.arena):
            wider = _new_table(
                names=max(count + names, len(self.table.hashes)), size=max(filled + size, len(self.table.arena))
            )
            for old, new in zip(self.table[1:], wider[1:], strict=True):
                new[: len(old)] = old
            _place_all(wider)
            self.table = wider


def _new_table(*, names: int, size: int) -> Table:
    names = 1 << (names - 1).bit_length()
    return Table(
        slots=np.full(2 * names, NONE, dtype=np.int32),
        hashes=np.zeros(names, dtype=np.uint64),
        begins=np.zeros(names, dtype=np.int64),
        ends=np.zeros(names, dtype=np.int64),
        same=np.zeros(names, dtype=np.int32),
        local=np.full(names, NONE, dtype=np.int32),
        arena=np.empty(1 << (size - 1).bit_length(), dtype=np.uint8),
        used=np.zeros(2, dtype=np.int64),
    )


@njit(**KERNEL)
def mixed(so_far: np.uint64, byte: np.uint8) -> np.uint64:
    """The hash of a text, one byte longer."""
    return (so_far ^ np.uint64(byte)) * HASH_FACTOR


@njit(**KERNEL)
def hashed(text: np.ndarray, begin: int, end: int) -> np.uint64:
    so_far = HASH_BEGIN
    for i in range(begin, end):
        so_far = mixed(so_far, text[i])
    return so_far


@njit(**KERNEL)
def find(table: Table, text: np.ndarray, where: tuple[int, int], hash_: np.uint64) -> int:
    """The number of the name, or NONE."""
    begin, end = where
    mask = len(table.slots) - 1
    slot = np.int64((hash_ ^ (hash_ >> HASH_SHIFT)) & np.uint64(mask))
    while True:
        number = table.slots[slot]
        if number == NONE:
            return NONE
        if table.hashes[number] == hash_ and is_name(table, number, text, begin, end):
            return number
        slot = (slot + 1) & mask


@njit(**KERNEL)
def is_name(table: Table, number: int, text: np.ndarray, begin: int, end: int) -> bool:
    at = table.begins[number]
    if table.ends[number] - at != end - begin:
        return False
    for i in range(end - begin):  # noqa: SIM110 - a kernel has no generators
        if table.arena[at + i] != text[begin + i]:
            return False
    return True


@njit(**KERNEL)
def add(table: Table, text: np.ndarray, where: tuple[int, int], hash_: np.uint64) -> int:
    """The number of a name that is not here yet; NONE where there is no room."""
    begin, end = where
    number, at = table.used[0], table.used[1]
    if number == len(table.hashes) or at + end - begin > len(table.arena):
        return NONE
    for i in range(end - begin):
        table.arena[at + i] = text[begin + i]
    table.hashes[number] = hash_
    table.begins[number], table.ends[number] = at, at + end - begin
    table.same[number] = number
    table.used[0], table.used[1] = number + 1, at + end - begin
    _place(table, number)
    return number


@njit(**KERNEL)
def intern(table: Table, text: np.ndarray, begin: int, end: int) -> int:
    hash_ = hashed(text, begin, end)
    number = find(table, text, (begin, end), hash_)
    return add(table, text, (begin, end), hash_) if number == NONE else number


@njit(**KERNEL)
def _place(table: Table, number: int) -> None:
    hash_, mask = table.hashes[number], len(table.slots) - 1
    slot = np.int64((hash_ ^ (hash_ >> HASH_SHIFT)) & np.uint64(mask))
    while table.slots[slot] != NONE:
        slot = (slot + 1) & mask
    table.slots[slot] = number


@njit(**KERNEL)
def _place_all(table: Table) -> None:
    for number in range(table.used[0]):
        _place(table, number)
