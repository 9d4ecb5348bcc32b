"""Points and batches as plain dictionaries (see frames.py), at random, that move what is in operator_examples.py."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from frames import Plain

POINTS = 60
NODES = ("a", "b", "c", "")


def random_points(rng: random.Random) -> Iterator[Plain]:
    """Of four groups; times go on, stand still, and sometimes back; fields lack, and change their types."""
    time = 0
    for _ in range(POINTS):
        time += rng.choice([0, 0, 1, 1, 2, 3, 9, -2])
        tags = {"node": rng.choice(NODES)} | ({"zone": rng.choice("yz")} if rng.random() < 0.7 else {})
        yield {"time": time, "name": "m", "tags": tags, "group": ["node"], "fields": random_fields(rng)}


def random_fields(rng: random.Random) -> dict[str, Any]:
    values = {
        "v": rng.choice([1.5, -2.5, 0.5, 4.0, rng.uniform(-9, 9), 3, "x"]),
        "w": rng.choice([1, 2]),
        "s": rng.choice(["up", "down"]),
    }
    return {name: value for name, value in values.items() if rng.random() < 0.85}


def random_batches(rng: random.Random) -> Iterator[Plain]:
    rows = list(random_points(rng))
    while rows:
        some = [rows.pop() for _ in range(min(len(rows), rng.choice([0, 1, 4, 7])))]
        own = [{"time": each["time"], "tags": {}, "fields": each["fields"]} for each in some]
        yield {"tmax": rng.randrange(100), "name": "m", "tags": {"node": rng.choice(NODES)}, "points": own}
