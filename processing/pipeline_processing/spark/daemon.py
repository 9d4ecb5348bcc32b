"""The process that Spark forks its Python workers from, with our imports made once.

A worker then starts in 20 ms instead of 900, and its code and libraries are pages that all workers share. Spark's own
daemon imports nothing before it forks because some libraries start threads when imported; these do not, and a test says
so.
"""

from __future__ import annotations

import msgspec  # noqa: F401
import numpy  # noqa: F401
import pyspark.worker  # noqa: F401
from pyspark.daemon import manager

import pipeline_processing.jobs  # noqa: F401

if __name__ == "__main__":
    manager()
