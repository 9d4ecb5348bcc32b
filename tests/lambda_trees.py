"""Trees of lambdas and points by chance, such as make errors too; the same seed makes the same."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
from pipeline_processing.expressions.tree import Call, Chain, Constant, Field, Node, Unary
from row_evaluator import COMPARISONS, SIGNATURES

KINDS = ("int", "float", "string", "bool", "duration")
VALUES: dict[str, list[Any]] = {
    "int": [0, 1, -1, 7, -8, 1000, 2**63 - 1, -(2**63)],
    "float": [0.0, -0.0, 1.0, 2.5, -3.75, 1e300, np.inf, -np.inf, np.nan],
    "string": ["", "a", "12", "-7", "true", "aXb"],
    "bool": [True, False],
    "duration": [0, 90_000_000_000, -5_000, 2**63 - 1],
}
MAKE = {"int": np.int64, "float": np.float64, "string": str, "bool": np.bool_, "duration": np.int64}
NAMES = {"int": "ij", "float": "fg", "string": ("s", "host"), "bool": "bc", "duration": "d", "time": ("time",)}
WRONG = ("nope", "mixed", "nothing", "both")
"""A field that no row has, one of several types, one that is null, one that is a tag too."""
ARITHMETIC = {
    "int": [("+", "int", "int"), ("-", "int", "int"), ("*", "int", "int"), ("/", "int", "int"), ("%", "int", "int")],
    "float": [("+", "float", "float"), ("-", "float", "float"), ("*", "float", "float"), ("/", "float", "float")],
    "string": [("+", "string", "string")],
    "duration": [("+", "duration", "duration"), ("*", "duration", "int"), ("/", "duration", "int")],
}


class Trees:
    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def tree(self) -> Node:
        return self._tree(self._chance.choice(KINDS), self._chance.randint(1, 4))

    def _tree(self, kind: str, depth: int) -> Node:
        chance = self._chance
        kind = chance.choice(KINDS) if chance.random() < 0.04 and kind != "time" else kind
        ways = [self._leaf, self._operators, self._operators, self._call, self._call, self._sign]
        return (chance.choice(ways) if depth else self._leaf)(kind, depth - 1)

    def _leaf(self, kind: str, depth: int) -> Node:
        chance = self._chance
        if kind == "missing" or chance.random() < 0.05:
            return Field(chance.choice(WRONG) if kind != "missing" else "nope")
        if kind == "time" or chance.random() < 0.7:
            return Field(chance.choice(NAMES[kind]))
        return Constant(kind, MAKE[kind](chance.choice(VALUES[kind])))

    def _operators(self, kind: str, depth: int) -> Node:
        chance = self._chance
        if kind in {"time", "missing"}:
            return self._leaf(kind, depth)
        if kind != "bool":
            sign, left, right = chance.choice(ARITHMETIC[kind])
            return Chain(self._tree(left, depth), ((sign, self._tree(right, depth)),))
        if chance.random() < 0.5:
            sign = chance.choice(["AND", "OR"])
            rest = tuple((sign, self._tree("bool", depth)) for _ in range(chance.randint(1, 3)))
            return Chain(self._tree("bool", depth), rest)
        of = chance.choice(["int", "float", "string", "duration"])
        return Chain(self._tree(of, depth), ((chance.choice(list(COMPARISONS)), self._tree(of, depth)),))

    def _call(self, kind: str, depth: int) -> Node:
        fitting = [(name, given) for name, all_ in SIGNATURES.items() for given, each in all_.items() if each == kind]
        if not fitting:
            return self._leaf(kind, depth)
        name, given = self._chance.choice(fitting)
        scope = self._chance.choice([0, 0, 0, 1])
        return Call(name, tuple(self._tree(each, depth) for each in given), scope)

    def _sign(self, kind: str, depth: int) -> Node:
        if kind not in {"int", "float", "duration", "bool"}:
            return self._leaf(kind, depth)
        return Unary("!" if kind == "bool" else "-", self._tree(kind, depth))

    def point(self) -> dict[str, Any]:
        """A group, fields by (kind, value), tags, and a time."""
        chance = self._chance
        fields = {
            name: (kind, chance.choice(VALUES[kind]))
            for kind in KINDS
            for name in NAMES[kind]
            if name != "host" and chance.random() < 0.9
        }
        of = chance.choice(KINDS)
        fields["mixed"] = (of, chance.choice(VALUES[of]))
        tags = {"host": chance.choice(["a", "b", "12"])} if chance.random() < 0.9 else {}
        if chance.random() < 0.2:
            fields["nothing"] = ("null", None)
        if chance.random() < 0.2:
            fields["both"] = ("int", 1)
        if chance.random() < 0.2:
            tags["both"] = "x"
        return {
            "group": chance.randrange(3),
            "fields": fields,
            "tags": tags,
            "time_ns": chance.randrange(-(10**18), 10**18),
        }
