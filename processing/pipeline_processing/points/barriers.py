"""Times that groups have come to, though no point says so: what is older comes no more."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline_processing.points.keys import Ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Barriers:
    """They come after all rows of the frame or batches that they travel with."""

    group: Ids
    time_ns: np.ndarray
    cause: np.ndarray
    """That of the last point before each."""
    forget: np.ndarray
    """Where nothing is to be kept of the group after it."""

    def __len__(self) -> int:
        return len(self.group)

    def forgotten(self) -> Ids:
        """The groups of which nothing is to be kept."""
        return self.group[self.forget]


def one_after_the_other(first: Barriers | None, second: Barriers | None) -> Barriers | None:
    if first is None or second is None:
        return first or second
    return Barriers(
        group=np.concatenate((first.group, second.group)),
        time_ns=np.concatenate((first.time_ns, second.time_ns)),
        cause=np.concatenate((first.cause, second.cause)),
        forget=np.concatenate((first.forget, second.forget)),
    )
