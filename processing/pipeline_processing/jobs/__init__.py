"""The jobs, by name; `pipeline submit` accepts only these."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline_processing.errors import UnknownJob
from pipeline_processing.jobs import random_numbers
from pipeline_processing.jobs.job import Context, Job

__all__ = ["JOBS", "Context", "Job", "job"]

JOBS: Mapping[str, Job] = {
    each.name: each
    for each in (
        Job(
            name="random-numbers",
            title="Random numbers in windows of one second",
            topic=random_numbers.TOPIC.name,
            table=random_numbers.TABLE.name,
            start=random_numbers.start,
        ),
    )
}


def job(name: str) -> Job:
    """The job of that name; raises UnknownJob, which names the nearest one."""
    try:
        return JOBS[name]
    except KeyError:
        raise UnknownJob(name, known=JOBS) from None
