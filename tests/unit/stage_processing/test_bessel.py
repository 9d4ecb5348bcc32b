"""Bessel functions of large arguments, as Kapacitor 1.5.9 answered."""

from __future__ import annotations

import numpy as np
import pytest
from pipeline_processing.expressions import bessel
from scipy import special

KAPACITORS = {"j0": 2.1755917502468914e-06, "j1": -7.676508175684158e-06}
"""At 1e10."""


@pytest.mark.parametrize("name", KAPACITORS)
def test_ten_thousand_million_gives_what_kapacitor_gives(name: str) -> None:
    assert float(getattr(bessel, name)(np.array([1e10]))[0]) == pytest.approx(KAPACITORS[name], rel=1e-12)


@pytest.mark.parametrize("name", ["j0", "j1", "y0", "y1"])
def test_where_the_series_begins_it_meets_the_function(name: str) -> None:
    x = np.array([1.1e8, 1.7e8])
    assert getattr(bessel, name)(x) == pytest.approx(getattr(special, name)(x), abs=1e-11)
