"""The loader: events of applications, from the queue in bulk into tables of a database.

In:   a URL: `postgresql://user:password@host:port/database` or `sqlite:///absolute/file`, or
      `parquet:///absolute/folder`.
Out:  a `Database`. Another is one module that keeps the protocol in database.py, and a line here. Drivers are imported when
      their scheme is asked for.
Refuses: (BadDatabaseUrl) other forms.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pipeline_output.errors import BadDatabaseUrl
from pipeline_output.loader.database import Database

__all__ = ["Database", "open_database"]


def open_database(url: str) -> Database:
    """A database of its own for this thread; raises BadDatabaseUrl, or DatabaseUnavailable when nothing answers there."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise BadDatabaseUrl from None
    if parts.scheme in {"postgresql", "postgres"}:
        from pipeline_output.loader.postgres import PostgresDatabase

        return PostgresDatabase(url)
    if parts.scheme == "parquet" and not parts.netloc and parts.path.startswith("/") and not parts.query:
        from pipeline_output.loader.parquet import ParquetDatabase

        return ParquetDatabase(Path(parts.path))
    if parts.scheme == "sqlite" and not parts.netloc and parts.path.startswith("/") and not parts.query:
        from pipeline_output.loader.sqlite import SqliteDatabase

        return SqliteDatabase(Path(parts.path))
    raise BadDatabaseUrl
