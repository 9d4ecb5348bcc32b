"""Where queue, stores and ledgers are: what the settings say, or the demo's folder below the current one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pipeline_queue.brokers import Broker, open_broker
from pipeline_queue.settings import ServiceSettings, filled
from pydantic import Field, SecretStr

from pipeline_cli.errors import NoDemo

if TYPE_CHECKING:
    from pipeline_output.stores import Store

DATA_DIR = Path("data")


class CommandSettings(ServiceSettings):
    """Of the commands that look into what services keep."""

    queue_url: Annotated[str | None, Field(validation_alias="QUEUE_URL")] = None
    """As for every service; the demo's below `./data` if unset."""
    ledger_dir: Annotated[Path | None, Field(validation_alias="LEDGER_DIR")] = None
    """As for every service; the demo's below `./data` if unset."""
    stores: Annotated[str | None, Field(validation_alias="STORES")] = None
    """Store URLs, a comma between them; the demo's below `./data` if unset, but `tables create` wants it set."""
    tasks_url: Annotated[str, Field(validation_alias="TASKS_URL", pattern="^https?://")] = "http://127.0.0.1:9092"
    """Where the task API is, for `pipeline task`."""
    tasks_token: Annotated[SecretStr | None, Field(validation_alias="TASKS_TOKEN")] = None
    """What the task API asks for, if it asks."""


def open_queue() -> Broker:
    """A broker on QUEUE_URL, else on `./data/queue`; raises NoDemo where neither is."""
    settings = filled(CommandSettings)
    folder = (DATA_DIR / "queue").absolute()
    if settings.queue_url is None and not folder.is_dir():
        raise NoDemo(folder, setting="QUEUE_URL")
    return open_broker(settings.queue_url or f"sqlite://{folder}", durability=settings.durability)


def ledger_folder() -> Path:
    """LEDGER_DIR, else `./data/ledger`; raises NoDemo where neither is."""
    folder = (filled(CommandSettings).ledger_dir or DATA_DIR / "ledger").absolute()
    if not folder.is_dir():
        raise NoDemo(folder, setting="LEDGER_DIR")
    return folder


@contextmanager
def open_stores() -> Iterator[dict[str, Store]]:
    """Those of STORES, else the demo's, by their scheme."""
    from pipeline_output.stores import open_store, split_urls

    urls = filled(CommandSettings).stores
    if urls is None:
        urls = f"disk://{DATA_DIR.absolute()}/disk,sqlite://{DATA_DIR.absolute()}/cassandra-stand-in.db"
    with ExitStack() as opened:
        stores = {}
        for url in split_urls(urls):
            store = stores[url.partition(":")[0]] = open_store(url)
            opened.callback(store.close)
        yield stores
