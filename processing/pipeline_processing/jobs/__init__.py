"""The jobs, by name; `pipeline submit` accepts only these."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline_processing.errors import UnknownJob
from pipeline_processing.jobs import census, monitoring, random_numbers
from pipeline_processing.jobs.job import BatchJob, Computed, Context, Job, Snapshot

__all__ = ["JOBS", "BatchJob", "Computed", "Context", "Job", "Snapshot", "job"]

JOBS: Mapping[str, Job | BatchJob] = {each.name: each for each in (random_numbers.JOB, monitoring.JOB, census.JOB)}


def job(name: str) -> Job | BatchJob:
    """The job of that name; raises UnknownJob, which names the nearest one."""
    try:
        return JOBS[name]
    except KeyError:
        raise UnknownJob(name, known=JOBS) from None
