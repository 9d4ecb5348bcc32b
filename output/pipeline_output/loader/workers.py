"""A load: workers that share any number of types fairly.

In:   the tables, oldest backlog first.
Out:  all that was on their topics when they were read last, in the database. Each worker takes the next table for one turn, and
      puts it at the end again if it has more: so a busy type delays the others by a turn, and memory grows with the workers
      and not with the types.
A table that is held up is told and left; it is no other's trouble. Raises the first trouble else that a worker met; what other
turns have committed stays.
A worker has its own connections, for one load: between two of them nothing is held.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import TypeAlias

from pipeline_output.errors import TableHeldUp
from pipeline_output.loader.event_table import EventTable
from pipeline_output.loader.turn import Loaded, Loading, take_turn

Told: TypeAlias = Callable[[EventTable, Loaded], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """Who loads: `opened` gives a worker its connections, `told` and `held_up` hear of each turn from the worker's thread, and no
    turn is begun once `stopped()`."""

    size: int
    opened: Callable[[], Loading]
    told: Told
    held_up: Callable[[EventTable, TableHeldUp], None]
    stopped: Callable[[], bool]


def load_all(tables: Iterable[EventTable], crew: Crew) -> None:
    """Return when nothing is left."""
    waiting = deque(tables)
    trouble = threading.Event()
    size = min(crew.size, len(waiting))
    with ThreadPoolExecutor(max(1, size)) as threads:
        running = [threads.submit(_work, waiting, crew, trouble) for _ in range(size)]
    for each in running:
        each.result()


def _work(waiting: deque[EventTable], crew: Crew, trouble: threading.Event) -> None:
    try:
        with closing(crew.opened()) as loading:
            while waiting and not trouble.is_set() and not crew.stopped():
                _take_next(waiting, loading, crew)
    except BaseException:
        trouble.set()
        raise


def _take_next(waiting: deque[EventTable], loading: Loading, crew: Crew) -> None:
    try:
        table = waiting.popleft()
    except IndexError:
        return  # another worker was faster
    try:
        loaded = take_turn(loading, table)
    except TableHeldUp as trouble:
        crew.held_up(table, trouble)
        return
    if loaded is not None:
        crew.told(table, loaded)
        if loaded.has_more:
            waiting.append(table)
