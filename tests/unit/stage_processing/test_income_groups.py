"""Which income stands for a group."""

from __future__ import annotations

import pytest
from pipeline_processing.income_groups import midpoint


@pytest.mark.parametrize(
    ("group", "income"),
    [
        ("<10000", 5_000),
        ("10000 to 14999", 12_500),
        ("15000 to 24999", 20_000),
        ("35000 to 49999", 42_500),
        ("150000 to 199999", 175_000),
        ("200000+", 300_000),
    ],
)
def test_a_group_stands_for_its_midpoint_and_the_open_one_for_half_as_much_again(group: str, income: float) -> None:
    assert midpoint(group) == income


@pytest.mark.parametrize(
    "group", ["", "many", "10000", "<0", "20000 to 10000", "-1 to 5", "1e5+", "200000+ ", "9" * 30]
)
def test_other_words_are_refused(group: str) -> None:
    with pytest.raises(ValueError, match="is no income group"):
        midpoint(group)
