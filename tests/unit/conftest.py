"""No test sees the settings that this machine has in files."""

from __future__ import annotations

from pathlib import Path

import pytest
from pipeline_queue import setting_places


@pytest.fixture(autouse=True)
def system_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setting_places, "SYSTEM_FILE", Path("/nowhere/datapipe.json"))
    monkeypatch.delenv(setting_places.FILE_VARIABLE, raising=False)
