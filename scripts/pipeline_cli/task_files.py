"""Points of files on the way to the task API, as recordings: of any form that recordings have, or of Parquet tables.

In:      a file, and what it does not say itself.
Out:     a recording's file, which the API takes whole.
Refuses: (BadRecording) files that cannot be read; (Refused) other queries.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline_processing.tasks.selection import Selection
    from pipeline_queue.points.block import PointBlock

TIME = "time_ns"
"""As topics and loaders call it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """Parquet files, and which of their columns are the time and tags; tags that nobody names are those of the topic."""

    path: Path
    time: str = TIME
    tags: Sequence[str] = ()


def recorded(blocks: Iterable[PointBlock]) -> bytes:
    """As a recording's file."""
    from pipeline_queue.recordings.parquet import RecordingWriter

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "points.parquet"
        writer = RecordingWriter(path)
        try:
            for block in blocks:
                writer.add(block)
            writer.finish()
        except BaseException:
            writer.discard()
            raise
        return path.read_bytes()


def selected_rows(query: str, tables: Tables) -> Iterator[PointBlock]:
    """What a query finds of them: it names what their rows are as points."""
    from pipeline_processing.tasks.selection import selected
    from pipeline_queue.recordings.tables import Rows, column_names, table_blocks

    selection = selected(query, time.time_ns())
    rows = Rows(
        dbrp=selection.dbrp,
        measurement=selection.measurement,
        time=tables.time,
        tags=tables.tags or _declared(selection, column_names(tables.path)),
    )
    return selection.of(table_blocks(tables.path, rows))


def _declared(selection: Selection, names: Sequence[str]) -> list[str]:
    """The tags of the topic whose events they are, as far as the files have them."""
    from pipeline_processing.points.reading import DATABASE
    from pipeline_queue.catalog import topics

    topic = topics().get(selection.retention_policy) if selection.database == DATABASE else None
    return [each.name for each in topic.columns if each.tag and each.name in names] if topic else []
