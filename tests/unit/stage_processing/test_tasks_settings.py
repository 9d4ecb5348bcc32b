"""What the task service takes from its environment, which it may share with others."""

from __future__ import annotations

import pytest
from pipeline_processing.tasks.settings import TasksSettings
from pipeline_queue.settings import filled


def test_where_others_find_the_task_api_is_no_misspelt_setting_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKS_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("TASKS_PORT", "1234")
    assert filled(TasksSettings).port == 1234
