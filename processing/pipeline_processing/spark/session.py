"""The session of the one Spark application.

In:   a started JVM.
Out:  a context manager that hands out the session and ends it without a word.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import SparkSession

from pipeline_processing.spark.jvm import Jvm


@contextmanager
def connected(jvm: Jvm) -> Iterator[SparkSession]:
    """The session over that JVM; who started the JVM stops it."""
    jvm.connect()
    spark = SparkSession.builder.getOrCreate()
    try:
        yield spark
    finally:
        # PySpark's server for accumulators prints a traceback when the JVM hangs up; `spark.stop()` takes 1.3 s.
        spark.sparkContext._accumulatorServer.handle_error = lambda *_: None
