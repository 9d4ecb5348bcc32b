"""Batch tasks: kept and drawn, and not started."""

from __future__ import annotations

import pytest
from pipeline_processing.engine.task_master import Compiled, TaskMaster
from pipeline_processing.errors import NotStartable
from pipeline_processing.operators.options import STAR, TimeBucket
from pipeline_processing.operators.query import Query
from pipeline_processing.tasks.task_master import TaskDefinition
from pipeline_processing.tickscript.errors import TickError

SCRIPT = """
var cpu = batch
    |query('SELECT mean(v) FROM "db"."rp"."cpu"')
        .period(10m)
        .every(1m)
        .offset(5s)
        .align()
        .alignGroup()
        .groupBy(time(1m, 10s), 'host')
        .groupByMeasurement()
        .fill(0)
        .cluster('main')
var memory = batch
    |query('SELECT mean(v) FROM "db"."rp"."mem"')
        .period(10m)
        .cron('0 0 * * * * *')
        .groupBy(*)
        .fill('previous')
cpu
    |join(memory)
        .as('cpu', 'mem')
    |alert()
        .crit(lambda: "cpu.mean" > 90)
"""


def made(script: str = SCRIPT) -> Compiled:
    return TaskMaster().new_task(TaskDefinition(id="b", type="batch", script=script, dbrps=(("db", "rp"),)))


def test_a_query_has_all_its_properties() -> None:
    cpu, memory = (each.operator for each in made().task.graph.nodes if isinstance(each.operator, Query))
    assert cpu == Query(
        query='SELECT mean(v) FROM "db"."rp"."cpu"',
        period_ns=600_000_000_000,
        every_ns=60_000_000_000,
        offset_ns=5_000_000_000,
        align=True,
        align_group=True,
        group_by=(TimeBucket(every_ns=60_000_000_000, offset_ns=10_000_000_000), "host"),
        by_measurement=True,
        fill=0,
        cluster="main",
    )
    assert (memory.cron, memory.group_by, memory.fill) == ("0 0 * * * * *", (STAR,), "previous")


def test_a_graph_is_drawn_from_the_queries_on() -> None:
    assert made().dot() == "digraph b {\nquery1 -> join4;\nquery2 -> join4;\njoin4 -> alert5;\n}"


def test_a_start_is_refused_and_says_what_to_do_instead() -> None:
    master = TaskMaster()
    with pytest.raises(
        NotStartable, match=r"^line 2 char 11: batch queries .* are not run here: .* begin with stream\|from\(\)"
    ):
        master.start_task(made())
    assert not master.is_executing("b")


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("batch|query('q').perid(1m)", 'line 1 char 18: no property "perid" on query; did you mean "period"?'),
        ("batch|query('q').groupBy(time(1m), time(2m))", "line 1 char 18: groupBy: takes one time(..)"),
        ("batch|query('q').fill(TRUE)", "line 1 char 18: fill: takes a number, got a bool"),
        ("stream|from().groupBy(time(1m))", "line 1 char 15: groupBy: takes a string, got time(..)"),
    ],
)
def test_what_a_query_does_not_take_is_refused_at_its_place(script: str, told: str) -> None:
    with pytest.raises(TickError) as refused:
        made(script)
    assert str(refused.value) == told
