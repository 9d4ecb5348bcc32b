"""Settings from the environment: filled, or refused with the name, the value met and the way out."""

from __future__ import annotations

import pytest
from pipeline_input.random_numbers import RandomNumbersSettings
from pipeline_queue.settings import BadSetting, filled


def refusal() -> str:
    with pytest.raises(BadSetting) as refused:
        filled(RandomNumbersSettings)
    return str(refused.value)


def test_the_environment_fills_and_what_is_given_goes_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANDOM_NUMBERS_RATE", "7")
    monkeypatch.setenv("RANDOM_NUMBERS_SEED", "3")
    settings = filled(RandomNumbersSettings, rate=9)
    assert (settings.rate, settings.seed) == (9, 3)


def test_a_wrong_value_is_named_with_what_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANDOM_NUMBERS_RATE", "200000")
    assert refusal() == "RANDOM_NUMBERS_RATE is '200000': input should be less than or equal to 100000"


def test_a_misspelt_variable_under_our_prefix_is_refused_with_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANDOM_NUMBERS_RTAE", "7")
    assert refusal() == "RANDOM_NUMBERS_RTAE is no setting; did you mean RANDOM_NUMBERS_RATE?"
