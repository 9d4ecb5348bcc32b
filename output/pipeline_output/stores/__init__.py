"""Stores by URL: `disk:///absolute/folder`, `sqlite:///absolute/file`, `cassandra://host:port[,host:port]/keyspace`.

In:  a URL; its parameters (`?ttl_s=604800`) are the store's own, see its module.
Out: a `Store`. Drivers are imported when their scheme is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

from pipeline_output.errors import BadStoreUrl, TableMissing
from pipeline_output.stores.protocol import Durability, Store
from pipeline_output.tables import TABLES, Table

__all__ = ["Durability", "Store", "create_all", "expire_all", "open_store", "split_urls"]


def open_store(url: str, *, durability: Durability = "process") -> Store:
    """A store of its own for this thread; raises BadStoreUrl, or StoreUnavailable when nothing answers there."""
    parts = urlsplit(url)
    is_file = not parts.netloc and parts.path.startswith("/") and not parts.query
    if parts.scheme == "disk" and is_file:
        from pipeline_output.stores.disk import DiskStore

        return DiskStore(Path(parts.path), durability=durability)
    if parts.scheme == "sqlite" and is_file:
        from pipeline_output.stores.sqlite import SqliteStore

        return SqliteStore(Path(parts.path), durability=durability)
    if parts.scheme == "cassandra":
        from pipeline_output.stores.cassandra import CassandraStore
        from pipeline_output.stores.cassandra_url import parse_address

        return CassandraStore(parse_address(url))
    raise BadStoreUrl(url)


def split_urls(text: str) -> tuple[str, ...]:
    """The URLs of a list with a comma between them; a comma between the hosts of one URL does not end it."""
    return tuple(filter(None, (url.strip() for url in re.split(r",(?=\s*(?:\w+://|$))", text))))


def create_all(urls: Iterable[str], tables: Iterable[Table] = tuple(TABLES.values())) -> None:
    """Make every declared table in every store; what is there stays."""
    for url in urls:
        with closing(open_store(url)) as store:
            store.create(tables)


def expire_all(urls: Iterable[str], now_ns: int, tables: Iterable[Table] = tuple(TABLES.values())) -> None:
    """Forget what is too old, in every store; one owner does it, every minute or so.

    A table that is not there yet has nothing to forget and keeps no other from it.
    """
    for url in urls:
        with closing(open_store(url)) as store:
            for table in tables:
                with suppress(TableMissing):
                    store.expire([table], now_ns)
