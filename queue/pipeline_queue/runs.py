"""Sets of events as runs of sequence numbers: what a ledger notes and what a table's row says that it holds.

In:   runs (first, last), inclusive, of one producer each, in any order, touching or overlapping as they come.
Out:  sets as sorted runs that neither touch nor overlap, by producer; their union, difference and size, and what is in them
      more than once. As text `PRODUCER:FIRST-LAST`, a blank between two.
A producer's events have no gap in their sequence numbers, so a window of a million events is one run, and no question
here costs more than the number of runs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

Run: TypeAlias = tuple[int, int]
Runs: TypeAlias = Mapping[str, list[Run]]
"""By producer, sorted, apart."""


def joined(runs: Iterable[tuple[str, Run]]) -> tuple[Runs, int]:
    """All of them as sets, and how many sequence numbers came more than once (a number that came thrice counts twice)."""
    by_producer: dict[str, list[Run]] = defaultdict(list)
    for producer, run in runs:
        by_producer[producer].append(run)
    found, again = {}, 0
    for producer, of_producer in by_producer.items():
        found[producer], twice = _apart(sorted(of_producer))
        again += twice
    return found, again


def size(runs: Runs) -> int:
    """How many sequence numbers."""
    return sum(last - first + 1 for of_producer in runs.values() for first, last in of_producer)


def without(runs: Runs, others: Runs) -> Runs:
    """What is in `runs` and not in `others`."""
    left = {producer: list(_gaps(of_producer, others.get(producer, []))) for producer, of_producer in runs.items()}
    return {producer: of_producer for producer, of_producer in left.items() if of_producer}


def up_to_newest(runs: Runs, others: Runs) -> tuple[Runs, Runs]:
    """`runs` in two parts: up to the newest number that `others` has of the producer, and beyond it."""
    below, beyond = {}, {}
    for producer, of_producer in runs.items():
        newest = others[producer][-1][1] if others.get(producer) else -1
        below[producer] = [(first, min(last, newest)) for first, last in of_producer if first <= newest]
        beyond[producer] = [(max(first, newest + 1), last) for first, last in of_producer if last > newest]
    return below, beyond


def as_text(runs: Runs) -> str:
    return " ".join(f"{producer}:{first}-{last}" for producer in sorted(runs) for first, last in runs[producer])


def of_text(text: str) -> Iterator[tuple[str, Run]]:
    """What `as_text` wrote."""
    for word in text.split():
        producer, _, run = word.rpartition(":")
        first, _, last = run.partition("-")
        yield producer, (int(first), int(last))


def _apart(ordered: list[Run]) -> tuple[list[Run], int]:
    found: list[Run] = []
    again = 0
    for first, last in ordered:
        if found and first <= found[-1][1] + 1:
            again += max(0, min(last, found[-1][1]) - first + 1)
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found, again


def _gaps(runs: list[Run], others: list[Run]) -> Iterator[Run]:
    """Both sorted and apart; one walk through both."""
    at = 0
    for first, last in runs:
        while at < len(others) and others[at][1] < first:
            at += 1
        look = at
        while first <= last:
            if look == len(others) or others[look][0] > last:
                yield first, last
                break
            if others[look][0] > first:
                yield first, others[look][0] - 1
            first = others[look][1] + 1  # noqa: PLW2901 (what is left of the run)
            look += 1
