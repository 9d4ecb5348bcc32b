"""What each host measures, in windows of five seconds that begin every second.

The tumbling windows are among them: those that start at a multiple of five seconds, and say so.
"""

from __future__ import annotations

from pipeline_output.tables import MONITORING_WINDOWS
from pipeline_queue.topics import MONITORING

from pipeline_processing.jobs.windowed import windowed
from pipeline_processing.windows import Measure, Windows

WINDOWS = Windows(
    topic=MONITORING,
    table=MONITORING_WINDOWS,
    length_s=5,
    step_s=1,
    group="host",
    measures=(
        Measure(name="busy", of=("us", "sy"), figures=("mean", "standard_deviation", "min", "max")),
        Measure(name="waiting", of=("wa",), figures=("mean",)),
        Measure(name="free", of=("free",), figures=("mean", "min", "max")),
        Measure(name="buffers", of=("buff",), figures=("mean",)),
        Measure(name="cache", of=("cache",), figures=("mean",)),
    ),
)
JOB = windowed("monitoring", "Monitoring in windows of five seconds, a new one every second", WINDOWS)
