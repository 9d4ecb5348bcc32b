"""The SQLite log's folder may go at any instant; that is a queue that is away, and no bad code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pipeline_queue.brokers.sqlite import SqliteBroker
from pipeline_queue.errors import QueueUnavailable
from pipeline_queue.topics import HEARTBEATS


def test_a_folder_that_goes_while_it_is_read_is_a_queue_that_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(path: Path, _pattern: str) -> Iterator[Path]:
        yield path / "heartbeats.db"
        raise FileNotFoundError(path)

    with closing(SqliteBroker(tmp_path / "queue")) as broker:
        broker.create([HEARTBEATS])
        monkeypatch.setattr(Path, "glob", gone)
        with pytest.raises(QueueUnavailable, match="listing topics"):
            broker.end_offsets("no-topic-of-this-name")


def test_a_folder_that_cannot_be_made_is_told_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with (
        closing(SqliteBroker(tmp_path / "file" / "queue")) as broker,
        pytest.raises(QueueUnavailable, match="file/queue"),
    ):
        broker.create([HEARTBEATS])
