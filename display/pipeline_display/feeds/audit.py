"""The auditor as a feed: the last minutes of every source against every store.

In:   the producers' ledgers and the stores, looked at every ten seconds.
Out:  frames {"rows": accounts} whenever one changed; a store that does not answer has {"store", "away"} in place of its own.
Without ledgers in reach there is nothing to compare, and no frame.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from pipeline_output.audit import accounts
from pipeline_output.errors import OutputError, TableMissing
from pipeline_output.stores import open_store

from pipeline_display.feeds.feed import Batch

LOOK_EVERY_S = 10.0
BACK_S = 600
NS = 1_000_000_000


class AuditReader:
    """See the module; one thread uses it. `sleep` ends early when the service stops."""

    away: tuple[type[Exception], ...] = ()

    def __init__(
        self, ledger_dir: Path | None, store_urls: Sequence[str], *, sleep: Callable[[float], Any] = time.sleep
    ) -> None:
        self._ledger_dir = ledger_dir
        self._store_urls = store_urls
        self._sleep = sleep
        self._told = b""
        self._due_s = 0.0

    def look(self) -> Batch:
        """The first look comes at once; a later one waits in steps that a healthy feed may take."""
        if (wait_s := self._due_s - time.monotonic()) > 0:
            self._sleep(min(wait_s, 1.0))
            return Batch(bodies=[])
        self._due_s = time.monotonic() + LOOK_EVERY_S
        body = msgspec.json.encode({"rows": list(self._rows())})
        changed, self._told = body != self._told, body
        return Batch(bodies=[body] if changed else [])

    def let_go(self) -> None:
        """Nothing is open between looks."""

    def _rows(self) -> Iterator[dict[str, Any]]:
        if self._ledger_dir is None or not self._ledger_dir.is_dir():
            return
        since_ns = time.time_ns() - BACK_S * NS
        for url in self._store_urls:
            name = urlsplit(url).scheme
            try:
                with closing(open_store(url)) as store:
                    yield from map(asdict, accounts(self._ledger_dir, {name: store}, since_ns))
            except TableMissing:
                continue  # processing lays it out when it starts
            except OutputError as error:
                yield {"store": name, "away": str(error)}
