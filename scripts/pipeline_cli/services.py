"""Every service of the stages that are installed here, with what runs it and its settings.

An image holds some of the stages, so those that are not there are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec

from pipeline_queue.settings import ServiceSettings

from pipeline_cli.errors import UnknownService
from pipeline_cli.where import CommandSettings

COMMANDS = "`pipeline audit`, `deadletters`, `submit`, `tables`, `task`, `topics` and `trace`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Its name is that of heartbeats, Compose and `pipeline demo`; its title is the command that runs it."""

    name: str
    title: str
    settings: type[ServiceSettings]


def services() -> dict[str, Service]:
    """By name, in the order in which data flows."""
    return {each.name: each for each in _services()}


def service(name: str) -> Service:
    """The service called `name`; raises UnknownService, which names the nearest one."""
    found = services()
    if name not in found:
        raise UnknownService(name, known=found)
    return found[name]


def _services() -> Iterator[Service]:
    if find_spec("pipeline_input"):
        from pipeline_input.sources import SOURCES

        for source in SOURCES.values():
            title = f"`pipeline produce {source.name}`"
            yield Service(name=f"input-{source.name}", title=title, settings=source.settings)
        from pipeline_input.collector.settings import CollectorSettings

        yield Service(name="collector", title="`pipeline collect`", settings=CollectorSettings)
    if find_spec("pipeline_output"):
        from pipeline_output.handlers.settings import AlertSettings
        from pipeline_output.loader.settings import LoaderSettings

        yield Service(name="loader", title="`pipeline load`", settings=LoaderSettings)
        yield Service(name="alerts", title="The alert handlers of `pipeline tasks`", settings=AlertSettings)
    if find_spec("pipeline_processing"):
        from pipeline_processing.settings import ProcessingSettings

        yield Service(name="processing", title="`pipeline process`", settings=ProcessingSettings)
        from pipeline_processing.tasks.settings import TasksSettings

        yield Service(name="tasks", title="`pipeline tasks`", settings=TasksSettings)
    if find_spec("pipeline_display"):
        from pipeline_display.settings import DisplaySettings

        yield Service(name="display", title="`pipeline serve`", settings=DisplaySettings)
    yield Service(name="commands", title=COMMANDS, settings=CommandSettings)
