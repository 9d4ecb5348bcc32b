"""What operators meet, in one order: points or batches, of one parent or several, the clock's moves, answers from outside.

A clock's move comes by itself, between points: when each point came is part of the story, where steps begin is not.
"""

from __future__ import annotations

import itertools
import pickle
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from frames import Plain, batches, cut, frame, points
from operator_examples import Case
from pipeline_processing.alerts.event import AlertEvent, Inhibition
from pipeline_processing.operators.http_out import HttpOut, result_of
from pipeline_processing.operators.operator import Data, Step, Tick
from pipeline_processing.points.barriers import Barriers
from pipeline_processing.points.keys import Keys
from random_points import random_batches, random_points

MOVES = 8
OF_ORDER = {"cause", "ordinal", "unit"}
"""What of an event says where it came among those of all groups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Before the point or batch at this position the clock goes on, and requests for those before `answered` have answers."""

    at: int
    now_ns: int
    answered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    data: Data
    parent: np.ndarray
    """Of each point or batch."""
    moves: tuple[Move, ...]

    def of(self, group: int) -> Story:
        """What of it is of one group, when it was."""
        kept = self.data.group == group
        before = np.cumsum([0, *kept]).tolist()
        moves = [Move(at=before[each.at], now_ns=each.now_ns, answered=before[each.answered]) for each in self.moves]
        return Story(data=self.data.take(kept), parent=self.parent[kept], moves=tuple(moves))


def random_story(case: Case, keys: Keys, seed: int) -> Story:
    rng = random.Random(seed)
    if case.edge == "batch":
        data: Data = batches(keys, list(random_batches(rng)))
    else:
        data = frame(keys, list(random_points(rng)))
    parent = np.array([rng.randrange(case.parents) for _ in range(len(data))], dtype=np.int64)
    moves = [Move(at=0, now_ns=1, answered=0)]
    for at in sorted(rng.randrange(len(data) + 1) for _ in range(MOVES)):
        now_ns = moves[-1].now_ns + rng.choice([0, 2, 5, 12, 20])
        moves.append(Move(at=at, now_ns=now_ns, answered=rng.randint(moves[-1].answered, at)))
    return Story(data=data, parent=parent, moves=tuple(moves))


@dataclass(slots=True)
class Outcome:
    out: list[Plain] = field(default_factory=list)
    """Points, batches and barriers, in order."""
    left: list[Plain] = field(default_factory=list)
    read: list[Plain] = field(default_factory=list)
    """What an endpoint said after each move of the clock."""
    cause: list[int] = field(default_factory=list)
    lost: Counter[str] = field(default_factory=Counter)
    counted: Counter[str] = field(default_factory=Counter)

    def exactly(self) -> str:
        """Types and -0 count, too."""
        return repr(
            (self.out, self.left, self.read, self.cause, sorted(self.lost.items()), sorted((+self.counted).items()))
        )

    def of(self, node: str) -> tuple[list[Plain], ...]:
        """What the group made: an operator that changes groups keeps the tag that they are named by."""
        return tuple(
            [{name: value for name, value in each.items() if name not in OF_ORDER} for each in found if of(each, node)]
            for found in (self.out, self.left, self.read)
        )


def of(found: Plain, node: str) -> bool:
    return dict(found["tags"]).get("node", "") == node


class Telling:
    """A story as it is told; the state may go through a snapshot after each step."""

    def __init__(self, case: Case, keys: Keys, *, restore: bool) -> None:
        self.case, self.keys, self.restore = case, keys, restore
        self.states = [each.initial() for each in case.operators]
        self.outcome = Outcome()

    def step(self, data: Data, parent: np.ndarray, tick: Tick) -> None:
        inputs = [data.take(parent == each) for each in range(self.case.parents)]
        for at, operator in enumerate(self.case.operators):
            step = operator.step(self.states[at], inputs, tick, self.keys)
            self.states[at], inputs = step.state, [step.out]
            self.note(step)
        self.outcome.out += [*points(inputs[0], self.keys), *told(inputs[0].barriers, self.keys)]
        self.outcome.cause += inputs[0].cause.tolist()
        if self.restore:
            self.states, self.keys = pickle.loads(pickle.dumps((self.states, self.keys), protocol=5))

    def note(self, step: Step) -> None:
        self.outcome.lost.update(step.errors)
        self.outcome.counted.update(step.counted)
        self.outcome.left += [each for item in step.emitted for each in each_of(item, self.keys)]

    def read(self) -> None:
        for operator, state in zip(self.case.operators, self.states, strict=True):
            if isinstance(operator, HttpOut):
                self.outcome.read += [each for data in result_of(state) for each in points(data, self.keys)]


def outcome(case: Case, story: Story, keys: Keys, *, borders: Iterable[int] = (), restore: bool = False) -> Outcome:
    """What comes of it if steps begin at the borders, too, and the task ends after it."""
    telling = Telling(case, keys, restore=restore)
    answers = any(getattr(each, "awaits_answers", False) for each in case.operators)
    now_ns, at, answered = 0, 0, 0
    for stop, move in _events(story, borders):
        telling.step(cut(story.data, at, stop), story.parent[at:stop], Tick(now_ns=now_ns))
        at = stop
        if move is not None:
            codes = tuple(200 + story.data.cause[answered : move.answered]) if answers else ()
            now_ns, answered = move.now_ns, move.answered
            telling.step(cut(story.data, 0, 0), story.parent[:0], Tick(now_ns=now_ns, answers=codes))
            telling.read()
    telling.step(cut(story.data, at, len(story.data)), story.parent[at:], Tick(now_ns=now_ns))
    telling.step(cut(story.data, 0, 0), story.parent[:0], Tick(now_ns=now_ns, closing=True))
    telling.read()
    return telling.outcome


def _events(story: Story, borders: Iterable[int]) -> Iterator[tuple[int, Move | None]]:
    """Where steps end, and what happens then; borders come before moves."""
    found = [*((border, -1, None) for border in borders), *((each.at, n, each) for n, each in enumerate(story.moves))]
    return ((at, move) for at, _, move in sorted(found, key=lambda each: each[:2]))


def told(barriers: Barriers | None, keys: Keys) -> list[Plain]:
    if barriers is None:
        return []
    return [
        {
            "barrier": int(barriers.time_ns[at]),
            "tags": dict(keys.groups[barriers.group[at]].tags),
            "cause": int(barriers.cause[at]),
            "forget": bool(barriers.forget[at]),
        }
        for at in range(len(barriers))
    ]


def each_of(item: Any, keys: Keys) -> list[Plain]:
    """Events as they are; of what leaves as many points or batches together, each with what they have in common."""
    plain = {each.name: getattr(item, each.name) for each in fields(item) if each.name != "unit"}
    if isinstance(item, (AlertEvent, Inhibition)):
        return [plain]
    data = plain.pop("points" if "points" in plain else "data")
    return [{"kind": type(item).__name__, **plain, **each} for each in points(data, keys)]


def borders_at_random(story: Story, seed: int) -> list[int]:
    rng = random.Random(seed)
    return [rng.randrange(len(story.data) + 1) for _ in range(rng.choice([1, 5, 30]))]


def groups_of(story: Story, keys: Keys) -> list[tuple[int, str]]:
    """Each with its tag `node`."""
    return [
        (each, dict(keys.groups[each].tags)["node"]) for each in sorted(set(itertools.chain(story.data.group.tolist())))
    ]
