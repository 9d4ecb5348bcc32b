"""Which queries an application has: for each streaming job one, which writes into all stores.

In:   jobs, settings, the folder of the checkpoints.
Out:  a Kept for each query. A query's folder, `JOB-N`, holds its checkpoint, the stores that it writes into, when it was made, and
      what waits for stores that are away.
Stores that a job got later have a query of their own, which gives them all that the queue still holds. One that is no longer
among the settings is forgotten: when it comes back it is new.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline_processing.files import write_whole
from pipeline_processing.jobs.job import BatchJob, Context, Job
from pipeline_processing.queries import Kept
from pipeline_processing.settings import ProcessingSettings
from pipeline_processing.spool import store_name

CREATED, STORES = "created_us", "stores"


def planned(jobs: Iterable[Job | BatchJob], settings: ProcessingSettings, *, now_ns: int) -> Iterator[Kept]:
    """The queries of the streaming jobs. The version base of one lies in its folder and stays."""
    for job in jobs:
        if isinstance(job, BatchJob):
            continue
        for folder, store_urls in _by_folder(job, settings):
            context = Context(
                query_name=folder.name,
                queue_url=settings.queue_url,
                store_urls=store_urls,
                checkpoint=folder / "spark",
                first_version=_created_us(folder, now_ns),
                trigger_s=settings.trigger_s,
                records_max=settings.records_per_trigger,
                parallelism=settings.parallelism,
                watermark_s=settings.watermark_s,
                durability=settings.durability,
            )
            yield Kept(job=job, context=context)


def _by_folder(job: Job, settings: ProcessingSettings) -> Iterator[tuple[Path, tuple[str, ...]]]:
    new = {store_name(url): url for url in settings.store_urls}
    folders = sorted(settings.checkpoint_dir.glob(f"{job.name}-[0-9]*"), key=_number)
    for folder in folders:
        found = {name: new.pop(name) for name in _stores(folder) if name in new}
        write_whole(folder / STORES, "\n".join(found).encode())
        if found:
            yield folder, tuple(found.values())
    if new:
        folder = settings.checkpoint_dir / f"{job.name}-{_number(folders[-1]) + 1 if folders else 1}"
        write_whole(folder / STORES, "\n".join(new).encode())
        yield folder, tuple(new.values())


def _stores(folder: Path) -> list[str]:
    """None in a folder whose maker was killed before it wrote them down."""
    path = folder / STORES
    return path.read_text().split() if path.exists() else []


def _number(folder: Path) -> int:
    return int(folder.name.rpartition("-")[2])


def _created_us(folder: Path, now_ns: int) -> int:
    """When this checkpoint was made, µs since the epoch: the first to ask decides, for ever."""
    path = folder / CREATED
    if not path.exists():
        write_whole(path, str(now_ns // 1000).encode())
    return int(path.read_text())
