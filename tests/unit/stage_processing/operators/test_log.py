"""What passes, written into the log."""

from __future__ import annotations

from frames import frame, points
from pipeline_processing.operators.log import Log
from pipeline_processing.operators.operator import Tick
from pipeline_processing.points.frame import empty_frame
from pipeline_processing.points.keys import Keys


def test_points_pass_and_are_told_with_level_and_prefix() -> None:
    keys = Keys()
    given = frame(keys, [{"time": 1, "fields": {"v": 2}}])
    step = Log(level="error", prefix="pfx").step(None, [given], Tick(now_ns=0), keys)
    (lines,) = step.emitted
    assert (lines.level, lines.prefix) == ("ERROR", "pfx")
    assert points(lines.data, keys) == points(step.out, keys) == points(given, keys)


def test_nothing_is_told_of_nothing() -> None:
    assert Log().step(None, [empty_frame()], Tick(now_ns=0), Keys()).emitted == []


def test_a_level_that_there_is_not_is_info() -> None:
    keys = Keys()
    step = Log(level="LOUD").step(None, [frame(keys, [{"time": 1}])], Tick(now_ns=0), keys)
    assert [each.level for each in step.emitted] == ["INFO"]
