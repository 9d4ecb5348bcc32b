"""The session of the one Spark application.

In:   a started JVM.
Out:  a context manager that hands out the session and ends it without a word.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress

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
        # What ends in the middle has much to say that nobody needs: PySpark's server for accumulators when the JVM hangs up, Py4J in
        # the thread of a batch job that waits for an answer, Spark of that job's tasks. (`spark.stop()` takes 1.3 s.)
        spark.sparkContext._accumulatorServer.handle_error = lambda *_: None
        logging.getLogger("py4j").setLevel(logging.CRITICAL)
        logging.getLogger().addFilter(
            lambda _: False
        )  # a filter of the root's holds for what is logged by no name, as Py4J does, too
        with suppress(Exception):  # the JVM may have ended first
            spark.sparkContext.setLogLevel("OFF")
