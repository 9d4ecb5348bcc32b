"""The sketch against numpy's own quantiles."""

from __future__ import annotations

import math

import numpy as np
import pytest
from pipeline_processing.errors import BadSketch
from pipeline_processing.sketch import ACCURACY, Sketch

FRACTIONS = [0.0, 0.01, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0]
ROUNDING = 1e-12
"""A value on a bucket's edge may fall to either side."""
SMALLEST = 5e-324


def samples(seed: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    return {
        "normal": random.normal(size=5_000),
        "one value": np.array([random.normal()]),
        "uniform far from zero": random.uniform(1e6, 1e6 + 1, size=1_000),
        "of all sizes": random.choice([-1, 1], size=2_000) * 10 ** random.uniform(-300, 300, size=2_000),
        "mostly zero": np.where(random.random(1_000) < 0.9, 0.0, random.normal(size=1_000)),
        "doubles at their limits": np.array([5e-324, -5e-324, 1.7e308, -1.7e308, 0.0, -0.0, 2.2e-308]),
    }


@pytest.mark.parametrize("seed", range(5))
def test_every_quantile_is_within_one_percent_of_the_value_at_its_rank(seed: int) -> None:
    for name, values in samples(seed).items():
        expected = np.quantile(values, FRACTIONS, method="lower")
        found = np.array(Sketch.of(values).quantiles(FRACTIONS))
        near = np.maximum(np.abs(expected) * (ACCURACY + ROUNDING), SMALLEST)
        assert (np.abs(found - expected) <= near).all(), name


@pytest.mark.parametrize("seed", range(5))
def test_any_split_in_any_order_merges_to_the_same_bytes(seed: int) -> None:
    random = np.random.default_rng(seed)
    for values in samples(seed).values():
        cuts = np.sort(random.integers(0, len(values) + 1, size=4))
        parts = [Sketch.of(part) for part in np.split(random.permutation(values), cuts)]
        random.shuffle(parts)
        assert Sketch.merged(parts).to_bytes() == Sketch.of(values).to_bytes()


@pytest.mark.parametrize("seed", range(5))
def test_bytes_read_back_are_the_same_sketch(seed: int) -> None:
    for values in samples(seed).values():
        sketch = Sketch.of(values)
        again = Sketch.from_bytes(sketch.to_bytes())
        assert (again.count, again.quantiles(FRACTIONS)) == (len(values), sketch.quantiles(FRACTIONS))


def test_counts_beyond_one_byte_survive_their_encoding() -> None:
    many = Sketch.merged([Sketch.of(np.ones(1_000))] * 300)
    assert Sketch.from_bytes(many.to_bytes()).count == 300_000


def test_nothing_merged_is_an_empty_sketch_without_quantiles() -> None:
    empty = Sketch.from_bytes(Sketch.merged([]).to_bytes())
    assert empty.count == 0
    assert math.isnan(empty.quantiles([0.5])[0])


def test_a_second_of_a_hundred_numbers_takes_less_than_half_a_kilobyte() -> None:
    assert len(Sketch.of(np.random.default_rng(0).normal(size=100)).to_bytes()) < 500


THREE = Sketch.of(np.ones(3)).to_bytes()


@pytest.mark.parametrize("broken", [b"", b"\x02" * 20, b"\x01\x03\x01" + bytes(8), THREE + b"x"])
def test_bytes_that_are_no_sketch_are_refused(broken: bytes) -> None:
    with pytest.raises(BadSketch):
        Sketch.from_bytes(broken)
