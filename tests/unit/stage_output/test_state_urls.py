"""Where the state store can be, and what a wrong place is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from pipeline_output.errors import BadStateUrl, StoreUnavailable
from pipeline_output.state import open_definitions


@pytest.mark.parametrize(
    "url",
    [
        *("", "data", "sqlite:relative", "sqlite://data/tasks", "sqlite:///x?y=1", "kafka://a:1", "http://[::1"),
        "postgresql://me:se@cret@host/tasks",
    ],
)
def test_other_forms_are_refused_and_not_shown(url: str) -> None:
    with pytest.raises(BadStateUrl, match="TASKS_STATE_URL") as refused:
        open_definitions(url)
    assert "cret" not in str(refused.value)


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match="did not answer while opening it"):
        open_definitions(f"sqlite://{tmp_path}/file/tasks")


def test_the_store_is_one_file_in_its_folder(tmp_path: Path) -> None:
    open_definitions(f"sqlite://{tmp_path}/tasks").close()
    assert [path.name for path in (tmp_path / "tasks").iterdir()] == ["definitions.db"]
