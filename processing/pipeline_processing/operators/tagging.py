"""Points with another value of a tag."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipeline_processing.points.frame import Frame
from pipeline_processing.points.keys import Keys, Series, Tags, sorted_tags


def tagged(points: Frame, name: str, values: np.ndarray, keys: Keys) -> Frame:
    """The points with the tag `name` set to each one's value (objects, str); their groups stay.

    New series are made, one for each that there is with each of its values.
    """
    distinct, value_of_row = np.unique(values.astype(str), return_inverse=True)
    pairs, pair_of_row = np.unique(points.series.astype(np.int64) * len(distinct) + value_of_row, return_inverse=True)
    made = np.array(
        [with_tag(keys, int(pair // len(distinct)), name, str(distinct[pair % len(distinct)])) for pair in pairs],
        dtype=np.int32,
    )
    return replace(points, series=made[pair_of_row]) if len(points) else points


def tagged_alike(points: Frame, tags: Tags, keys: Keys) -> Frame:
    """Each point with the same tags set."""
    for name, value in tags:
        points = tagged(points, name, np.full(len(points), value, dtype=object), keys)
    return points


def with_tag(keys: Keys, series: int, name: str, value: str) -> int:
    """The series that differs in this tag."""
    found = keys.series[series]
    tags = sorted_tags((*found.tags, (name, value)))
    return keys.series_id(Series(found.database, found.retention_policy, found.name, tags))
