"""What the task engine must not forget: definitions of tasks.

In:   a URL: `sqlite:///absolute/folder` or `postgresql://user:password@host:port/database`.
Out:  a `DefinitionStore`. Drivers are imported when their scheme is asked for.
Refuses: (BadStateUrl) other forms.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pipeline_output.errors import BadStateUrl
from pipeline_output.state.definitions import Dbrp, Definition, DefinitionStore

__all__ = ["Dbrp", "Definition", "DefinitionStore", "open_definitions"]
FILE = "definitions.db"


def open_definitions(url: str) -> DefinitionStore:
    """For all threads of a process; raises BadStateUrl, or StoreUnavailable where nothing answers."""
    from pipeline_output.state.definition_table import DefinitionTable

    try:
        parts = urlsplit(url)
    except ValueError:
        raise BadStateUrl from None
    if parts.scheme == "sqlite" and not parts.netloc and parts.path.startswith("/") and not parts.query:
        from pipeline_output.state.sqlite import SqliteEngine

        return DefinitionTable(SqliteEngine(Path(parts.path) / FILE))
    if parts.scheme in {"postgresql", "postgres"}:
        from pipeline_output.state.postgres import PostgresEngine

        return DefinitionTable(PostgresEngine(url))
    raise BadStateUrl
