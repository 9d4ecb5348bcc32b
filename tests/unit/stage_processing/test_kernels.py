"""What is compiled before anybody waits for it."""

import re

from pipeline_processing.operators import OPERATORS
from pipeline_processing.tasks.kernels import scripts

COMPILES_NOTHING = {"batch", "query", "log", "httpPost", "influxDBOut", "kapacitorLoopback"}


def test_each_node_that_compiles_something_meets_points() -> None:
    called = set(re.findall(r"(\w+)\(", " ".join(scripts()))) | {"stream"}
    assert set(OPERATORS) - called == COMPILES_NOTHING
