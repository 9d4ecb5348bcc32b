"""`/debug/vars`: figures of the server, its tasks and their nodes, under the names that Kapacitor gives them.

Out:   `kapacitor` holds one object for each thing that is measured, `{"name", "tags", "values"}`, by a UUID that stays the
       same for the same name and tags.
`memstats` has what a process has that is not Go's: `Sys`, its resident memory in bytes.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import psutil

from pipeline_processing.graph.counting import go_duration
from pipeline_processing.tasks.api.messages import VERSION, Request, Response, answered
from pipeline_processing.tasks.own_figures import Figure, OwnFigures

TIME = "avg_exec_time_ns"


class Statistics:
    def __init__(self, figures: OwnFigures) -> None:
        self._figures = figures

    def show(self, _request: Request) -> Response:
        told = {
            **self._figures.identity.tags,
            **self._figures.counts(),
            "cmdline": ["pipeline", "tasks"],
            "kapacitor": {_name(each): _told(each) for each in self._figures.of_parts()},
            "memstats": {"Sys": psutil.Process().memory_info().rss},
            "platform": "OSS",
            "product": "kapacitor",
            "version": VERSION,
        }
        return answered(dict(sorted(told.items())))


def _name(figure: Figure) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{figure.name} {sorted(figure.tags.items())}"))


def _told(figure: Figure) -> Mapping[str, Any]:
    values = dict(figure.values)
    if TIME in values:
        values[TIME] = go_duration(values[TIME])
    return {"name": figure.name, "tags": figure.tags, "values": values}
