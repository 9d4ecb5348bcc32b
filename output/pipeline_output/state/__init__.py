"""What the task engine must not forget: definitions of tasks, and which server holds which.

In:   a URL: `sqlite:///absolute/folder` or `postgresql://user:password@host:port/database`.
Out:  a `DefinitionStore`, a `LeaseStore`. Drivers are imported when their scheme is asked for.
Refuses: (BadStateUrl) other forms.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pipeline_output.errors import BadStateUrl
from pipeline_output.state.definitions import Dbrp, Definition, DefinitionStore
from pipeline_output.state.engine import Engine
from pipeline_output.state.leases import Lease, LeaseStore, Server, Standing

__all__ = [
    "Dbrp",
    "Definition",
    "DefinitionStore",
    "Lease",
    "LeaseStore",
    "Server",
    "Standing",
    "open_definitions",
    "open_leases",
]
FILE = "definitions.db"


def open_definitions(url: str) -> DefinitionStore:
    """For all threads of a process; raises BadStateUrl, or StoreUnavailable where nothing answers."""
    from pipeline_output.state.definition_table import DefinitionTable

    return DefinitionTable(_engine(url))


def open_leases(url: str) -> LeaseStore:
    """Beside the definitions, over a connection of their own; raises as `open_definitions` does."""
    from pipeline_output.state.lease_table import LeaseTable

    return LeaseTable(_engine(url))


def _engine(url: str) -> Engine:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise BadStateUrl from None
    if parts.scheme == "sqlite" and not parts.netloc and parts.path.startswith("/") and not parts.query:
        from pipeline_output.state.sqlite import SqliteEngine

        return SqliteEngine(Path(parts.path) / FILE)
    if parts.scheme in {"postgresql", "postgres"}:
        from pipeline_output.state.postgres import PostgresEngine

        return PostgresEngine(url)
    raise BadStateUrl
