"""The InfluxQL functions by the names that scripts call them."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline_processing.operators.aggregates import Count, Mean, Median, Mode, Spread, Stddev, Sum
from pipeline_processing.operators.distinct import Distinct
from pipeline_processing.operators.holt_winters import HoltWinters, HoltWintersWithFit
from pipeline_processing.operators.influxql import Function
from pipeline_processing.operators.selectors import First, Last, Max, Min, Percentile
from pipeline_processing.operators.top_bottom import Bottom, Top

FUNCTIONS: Mapping[str, type[Function]] = {
    "count": Count,
    "sum": Sum,
    "mean": Mean,
    "median": Median,
    "mode": Mode,
    "spread": Spread,
    "stddev": Stddev,
    "first": First,
    "last": Last,
    "min": Min,
    "max": Max,
    "percentile": Percentile,
    "distinct": Distinct,
    "top": Top,
    "bottom": Bottom,
    "holtWinters": HoltWinters,
    "holtWintersWithFit": HoltWintersWithFit,
}
