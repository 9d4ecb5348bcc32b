"""Random numbers in windows of one second."""

from __future__ import annotations

from pipeline_output.tables import RANDOM_NUMBERS_WINDOWS
from pipeline_queue.topics import RANDOM_NUMBERS

from pipeline_processing.jobs.windowed import windowed
from pipeline_processing.windows import FRACTIONS, Measure, Windows

WINDOWS = Windows(
    topic=RANDOM_NUMBERS,
    table=RANDOM_NUMBERS_WINDOWS,
    measures=(Measure(of=("value",), figures=("mean", "standard_deviation", "sum", "min", "max", *FRACTIONS)),),
)
JOB = windowed("random-numbers", "Random numbers in windows of one second", WINDOWS)
