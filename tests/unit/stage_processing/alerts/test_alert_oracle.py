"""A thousand random streams and batches: the same events as one point after the other, in steps of any size."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable

import numpy as np
import pytest
from alert_cases import SECOND_NS, TICK, Input, Running, expression, sigma
from alert_oracle import Oracle, Rules
from pipeline_processing.operators.alert import Alert
from pipeline_processing.points.batches import Batches
from pipeline_processing.points.frame import Frame

THRESHOLDS = {1: ("info", 3), 2: ("warn", 5), 3: ("crit", 7)}


def above(limit: float) -> Callable[[float], bool]:
    return lambda value: value > limit


def below(limit: float) -> Callable[[float], bool]:
    return lambda value: value < limit


def counting(of: int) -> Callable[[float], bool]:
    running = Running()

    def ask(value: float) -> bool:
        running.count += 1
        return running.count % of == 0

    return ask


def deviating(limit: float) -> Callable[[float], bool]:
    running = Running()
    return lambda value: sigma(running, value) > limit


def pair_of(rng: random.Random, *, stateful: bool) -> tuple[Alert, Rules]:
    """The same alert twice."""
    rules = Rules(asks={}, resets={}, batches=rng.random() < 0.5)
    fields: dict[str, object] = {}
    for level in rng.sample([1, 2, 3], rng.randint(1, 3)):
        name, limit = THRESHOLDS[level]
        kind = rng.choice(["count", "sigma", "above"]) if stateful else "above"
        text, rules.asks[level] = {
            "above": (f'"v" > {limit}.0', above(limit)),
            "count": (f"count() % {level + 1} == 0", counting(level + 1)),
            "sigma": ('sigma("v") > 0.9', deviating(0.9)),
        }[kind]
        fields[name] = expression(text)
        if rng.random() < 0.4:
            fields[f"{name}_reset"] = expression(f'"v" < {limit - 2}.0')
            rules.resets[level] = below(limit - 2)
    if rng.random() < 0.4:
        rules.history = rng.choice([1, 2, 3, 6, 21])
        rules.flapping = (0.2, 0.4)
        fields |= {"history": rules.history, "flapping": rules.flapping}
    if rng.random() < 0.4:
        rules.changes_only, rules.interval_s = True, rng.choice([0, 3, 20])
        fields["changes_only_ns"] = rules.interval_s * SECOND_NS
    rules.recoveries, rules.all_rows = rng.random() < 0.8, rng.random() < 0.3
    fields |= {"no_recoveries": not rules.recoveries, "all_rows": rules.all_rows, "details": ""}
    return Alert(**fields), rules


def units_of(data: Frame | Batches, points: Input) -> list[tuple[str, list[tuple[int, float]], int]]:
    rows = data.rows if isinstance(data, Batches) else data
    times = (rows.time_ns // SECOND_NS).tolist()
    values = rows.numbers("v")[0].tolist()
    pairs = list(zip(times, values, strict=True))
    if isinstance(data, Frame):
        return [(points.keys.groups[g].id, [pairs[at]], times[at]) for at, g in enumerate(data.group.tolist())]
    return [
        (points.keys.groups[g].id, pairs[data.start[at] : data.start[at + 1]], int(data.tmax_ns[at]) // SECOND_NS)
        for at, g in enumerate(data.group.tolist())
    ]


def told(alert: Alert, points: Input, data: Frame | Batches, rng: random.Random) -> list[tuple[str, int, int, int]]:
    """The events, in steps of random sizes between which the state is pickled."""
    state, found, at = alert.initial(), [], 0
    while at < len(data):
        size = rng.choice([1, 2, 5, 50])
        step = alert.step(state, [data.take(np.arange(at, min(at + size, len(data))))], TICK, points.keys)
        state, at = pickle.loads(pickle.dumps(step.state)), at + size
        found += [(e.group, e.level, e.time_ns // SECOND_NS, e.duration_ns) for e in step.emitted]
    return found


@pytest.mark.parametrize("stateful", [False, True])
def test_any_alert_makes_the_events_of_one_point_after_the_other(stateful: bool) -> None:
    for seed in range(250 if stateful else 500):
        rng = random.Random(seed)
        alert, rules = pair_of(rng, stateful=stateful)
        points = Input(by=["host"])
        times = sorted(rng.choices(range(60), k=rng.randint(1, 80)))
        data: Frame | Batches = points.frame(
            *(f"load,host={rng.choice('abc')} v={rng.randint(0, 9)} {time_s}" for time_s in times)
        )
        data = points.windows(data, 5) if rules.batches else data
        oracle = Oracle(rules)
        wanted = []
        for name, values, end_s in units_of(data, points):
            event = oracle.unit(name, values, end_s)
            if event:
                duration_ns = np.iinfo(np.int64).max if event[2] < 0 else event[2] * SECOND_NS
                wanted.append((name, event[0], event[1], duration_ns))
        assert told(alert, points, data, rng) == wanted, f"seed {seed}"
