"""The process that Spark forks its Python workers from: imports made once, and left out of garbage collection.

Spark's own daemon imports nothing before it forks, so each worker imports by itself and held 66 MB of its own; and
each collects garbage after each task, which over 100,000 imported objects took 0.3 s on a busy machine. What is frozen
before the fork is neither looked at nor copied: 23 MB and 0.1 ms there.
No thread of Python may run before a fork; a test says that none does.
"""

from __future__ import annotations

import gc
from importlib import import_module

from pyspark.daemon import manager

IMPORTS = (
    "pandas",
    "pyarrow.compute",
    "pyarrow.pandas_compat",
    "pyarrow.parquet",
    "pyspark.worker",
    "pipeline_output.stores.disk",
    "pipeline_output.stores.sqlite",
    "pipeline_processing.jobs",
)
"""Ours, and what pyspark imports for a task with Arrow batches; pandas too, which no task of ours uses."""


def prepare() -> None:
    """Import all and freeze it."""
    for name in IMPORTS:
        import_module(name)
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    prepare()
    manager()
