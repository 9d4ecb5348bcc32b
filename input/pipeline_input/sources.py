"""The sources, by name; each has a file of its own."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline_input import census, monitoring, random_numbers
from pipeline_input.errors import UnknownSource
from pipeline_input.source import Dataset, Source

SOURCES: Mapping[str, Source | Dataset] = {
    each.name: each for each in (monitoring.SOURCE, random_numbers.SOURCE, census.DATASET)
}


def source(name: str) -> Source | Dataset:
    """The source called `name`; raises UnknownSource, which names the nearest one."""
    try:
        return SOURCES[name]
    except KeyError:
        raise UnknownSource(name, known=SOURCES) from None
