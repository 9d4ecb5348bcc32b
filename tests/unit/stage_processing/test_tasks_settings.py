"""What the task service takes from its environment, which it may share with others."""

from __future__ import annotations

import pytest
from pipeline_cli.tasks_engine import influx_authorization
from pipeline_processing.tasks.settings import TasksSettings
from pipeline_queue.errors import BadSetting
from pipeline_queue.settings import filled


def test_where_others_find_the_task_api_is_no_misspelt_setting_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKS_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("TASKS_PORT", "1234")
    assert filled(TasksSettings).port == 1234


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"influx_url": "http://us:secret@host:8086"}, "TASKS_INFLUX_USER and TASKS_INFLUX_PASSWORD are for that"),
        ({"influx_url": "host:8086"}, "not of the form `http://host:port`"),
        ({"influx_user": "us"}, "go together, and one of them is not set"),
        ({"influx_password": "secret"}, "go together, and one of them is not set"),
        ({"influx_user": "us", "influx_password": "secret", "influx_token": "secret"}, "leave one of them out"),
    ],
)
def test_who_writes_into_the_influxdb_is_said_in_one_way_and_no_refusal_shows_a_password(
    given: dict[str, str], refusal: str
) -> None:
    with pytest.raises(BadSetting, match=refusal) as refused:
        filled(TasksSettings, **given)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "header"),
    [
        ({}, ""),
        ({"influx_token": "t"}, "Token t"),
        ({"influx_user": "us", "influx_password": "p:w"}, "Basic dXM6cDp3"),
    ],
)
def test_the_influxdb_is_told_who_writes(given: dict[str, str], header: str) -> None:
    assert influx_authorization(filled(TasksSettings, **given)) == header


def test_what_is_said_of_silence_is_read_before_a_task_needs_it() -> None:
    with pytest.raises(BadSetting, match=r"deadman_id is .*: value error, template: deadman:1: "):
        filled(TasksSettings, deadman_id="{{ .TaskName")
    said = filled(TasksSettings, deadman_everywhere=True, deadman_threshold=2.5, deadman_interval_s=0.5).deadman
    assert said.statement == "stream|deadman(2.500000, 500ms)"
    assert filled(TasksSettings).deadman.statement == ""
