"""The operators by the names that scripts call them; `alert` and `deadman` are made of calls in order, see alerts/properties.py."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline_processing.operators.barrier import Barrier
from pipeline_processing.operators.change_detect import ChangeDetect
from pipeline_processing.operators.combine import Combine
from pipeline_processing.operators.cumulative_sum import CumulativeSum
from pipeline_processing.operators.default import Default
from pipeline_processing.operators.delete import Delete
from pipeline_processing.operators.derivative import Derivative
from pipeline_processing.operators.difference import Difference
from pipeline_processing.operators.elapsed import Elapsed
from pipeline_processing.operators.eval import Eval
from pipeline_processing.operators.flatten import Flatten
from pipeline_processing.operators.from_ import From
from pipeline_processing.operators.functions import FUNCTIONS
from pipeline_processing.operators.group_by import GroupBy
from pipeline_processing.operators.http_out import HttpOut
from pipeline_processing.operators.http_post import HttpPost
from pipeline_processing.operators.influxdb_out import InfluxDbOut
from pipeline_processing.operators.join import Join
from pipeline_processing.operators.log import Log
from pipeline_processing.operators.loopback import Loopback
from pipeline_processing.operators.moving_average import MovingAverage
from pipeline_processing.operators.operator import Operator
from pipeline_processing.operators.query import Batch, Query
from pipeline_processing.operators.sample import Sample
from pipeline_processing.operators.shift import Shift
from pipeline_processing.operators.state_count import StateCount
from pipeline_processing.operators.state_duration import StateDuration
from pipeline_processing.operators.stats import Stats
from pipeline_processing.operators.stream import Stream
from pipeline_processing.operators.union import Union
from pipeline_processing.operators.where import Where
from pipeline_processing.operators.window import Window

OPERATORS: Mapping[str, type[Operator]] = {
    each.KIND: each
    for each in (
        *(Stream, Batch, Query, From, Where, Eval, Window, Derivative, Stats),
        *(HttpOut, HttpPost, InfluxDbOut, Loopback),
        *(Sample, Shift, ChangeDetect, StateDuration, StateCount, Default, Delete, Log, Barrier),
        *(Elapsed, Difference, CumulativeSum, MovingAverage),
        *(GroupBy, Join, Union, Flatten, Combine),
        *FUNCTIONS.values(),
    )
}
