"""One process of the collector, as Granian starts it.

In:   the environment's settings.
Out:  an RSGI application that has its parts from `__rsgi_init__` on; heartbeats and health as every service.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from pipeline_queue.brokers import open_broker
from pipeline_queue.events import new_producer
from pipeline_queue.service import Service, ServiceOptions
from pipeline_queue.service_events import event_types
from pipeline_queue.settings import filled

from pipeline_input.collector.clients import Clients, read
from pipeline_input.collector.counts import Counts, Report, Telling
from pipeline_input.collector.doors import Doors, Parts
from pipeline_input.collector.figures import figures_of_all
from pipeline_input.collector.group_commit import GroupCommit
from pipeline_input.collector.settings import CollectorSettings

NAME = "collector"


class Worker:
    """See the module."""

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        types, settings = event_types(), filled(CollectorSettings)
        producer = new_producer(NAME)
        self._service = Service(_options(settings, producer))
        self._service.__enter__()
        self._commit = GroupCommit(
            lambda: open_broker(settings.queue_url, durability=settings.durability),
            [each.topic() for each in types.values()],
            self._service,
            loop,
        )
        counts = Counts(self._service.registry)
        self._telling = Telling(Report(counts, producer), lambda: open_broker(settings.queue_url))
        self._doors = Doors(
            Parts(
                types=types,
                settings=settings,
                clients=Clients(read(settings.clients) if settings.clients else None, workers=settings.workers),
                commit=self._commit,
                service=self._service,
                counts=counts,
                figures=self._service.metrics if settings.workers == 1 else figures_of_all,
                producer=producer,
            )
        )

    def __rsgi__(self, scope: Any, protocol: Any) -> Coroutine[Any, Any, None]:
        return self._doors.answer(scope, protocol)

    def __rsgi_del__(self, _loop: asyncio.AbstractEventLoop) -> None:
        self._commit.stop()
        self._telling.stop()
        self._service.__exit__()


def _options(settings: CollectorSettings, producer: str) -> ServiceOptions:
    return ServiceOptions(
        name=NAME if settings.workers == 1 else producer,
        stage="input",
        queue_url=settings.queue_url,
        host=settings.health_host,
        port=settings.health_port if settings.workers == 1 else 0,
    )


worker = Worker()
