"""The stores forget what is older than their tables say. Processing writes them, so it is their one owner for this, too.

In:   the stores' URLs, a flag that ends it.
Out:  once a minute, `expire` on each store. One that does not answer is told of and asked again the next time.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence

from pipeline_output.errors import OutputError
from pipeline_output.stores import expire_all
from pipeline_queue.service import essential_thread

EVERY_S = 60.0

log = logging.getLogger(__name__)


def start_forgetting(urls: Sequence[str], stop: threading.Event) -> None:
    """Forget in a thread of its own, because a store that is away makes its callers wait."""
    essential_thread(lambda: _forget(urls, stop)).start()


def _forget(urls: Sequence[str], stop: threading.Event) -> None:
    while not stop.wait(EVERY_S):
        for url in urls:
            try:
                expire_all([url], time.time_ns())
            except OutputError as error:
                log.warning("nothing expires for now: %s", error)
