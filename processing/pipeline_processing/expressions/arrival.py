"""Rows in turns, so that each group's are computed in the order of their arrival although turns are computed whole."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numba import njit


def by_turn(group: np.ndarray, which: np.ndarray, groups: int, *, alone: bool) -> Iterator[tuple[int, np.ndarray]]:
    """What several rows can be computed together: of one number in `which`, and at their positions.

    A group's rows of one number that follow each other are one turn; with `alone` each row of a group is a turn of its own.
    Rows with a number below zero are left out.
    """
    turn = _turns(group, which, np.zeros(groups, dtype=np.int64), np.full(groups, -1, dtype=np.int64), alone)
    order = np.lexsort((which, turn))
    order = order[which[order] >= 0]
    starts = np.flatnonzero(np.diff(turn[order], prepend=-1) | np.diff(which[order], prepend=-1))
    for at in np.split(order, starts[1:]):
        if len(at):
            yield int(which[at[0]]), at


@njit(cache=True, nogil=True)
def _turns(group, which, turn, last, alone):
    turns = np.zeros(len(group), dtype=np.int64)
    for i in range(len(group)):
        if which[i] >= 0:
            g = group[i]
            if last[g] >= 0 and (alone or last[g] != which[i]):
                turn[g] += 1
            last[g] = which[i]
            turns[i] = turn[g]
    return turns
