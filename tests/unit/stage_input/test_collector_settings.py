"""The names of the service before this one fill the collector's settings, in any case."""

from __future__ import annotations

import pytest
from pipeline_input.collector.settings import CollectorSettings
from pipeline_queue.settings import BadSetting, filled


@pytest.mark.parametrize("name", ["EVENTS_PORT", "DEFAULT_APP_PORT", "PORT", "default_app_port", "port"])
def test_the_port_has_its_old_names(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "8123")
    assert filled(CollectorSettings).port == 8123


@pytest.mark.parametrize("name", ["INPUT_MAX_LEN", "input_max_len"])
def test_the_longest_event_has_its_old_name(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "100")
    assert filled(CollectorSettings).length_max == 100


def test_two_names_of_the_port_that_differ_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEFAULT_APP_PORT", "1")
    monkeypatch.setenv("PORT", "2")
    with pytest.raises(BadSetting, match="DEFAULT_APP_PORT is '1' and PORT is '2', but they are one setting"):
        filled(CollectorSettings)


@pytest.mark.parametrize(("name", "meant"), [("INPUT_MAX_LENN", "INPUT_MAX_LEN"), ("QUEUE_URI", "QUEUE_URL")])
def test_what_is_nearly_a_setting_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, meant: str) -> None:
    monkeypatch.setenv(name, "100")
    with pytest.raises(BadSetting, match=f"{name} is no setting; did you mean {meant}"):
        filled(CollectorSettings)
