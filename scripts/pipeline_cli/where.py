"""Where the queue is: QUEUE_URL, or the demo's folder below the current one."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline_queue.brokers import Broker, open_broker

from pipeline_cli.errors import NoDemo

DATA_DIR = Path("data")


def open_queue() -> Broker:
    """A broker on QUEUE_URL, else on `./data/queue`; raises NoDemo where neither is."""
    url = os.environ.get("QUEUE_URL")
    folder = (DATA_DIR / "queue").absolute()
    if url is None and not folder.is_dir():
        raise NoDemo(folder)
    return open_broker(url or f"sqlite://{folder}", durability=os.environ.get("DURABILITY", "process"))
