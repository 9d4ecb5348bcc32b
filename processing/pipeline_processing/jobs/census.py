"""The census, computed anew from all that its two topics hold.

In:   the topics `census-population` and `census-income`, from their beginning.
Out:  rows of `census_population`, `census_age` and `census_income`; dead letters for what is no event of the census. What
      has no people, or no households, has no mean and no row.
Rules: an age stands for its middle (a + 0.5 years, 100 and over for 100.5), an income group for its midpoint (the open one
for 1.5 times its bound); weights are people, and a state's households times the share; deviations are the population's.
An event counts once however often it is there. Two that say something of the same cell, by different producers, are not
added: the newer one stands.
Numbers: people and twice their ages plus one are integers, so their sums are exact in decimals of 38 digits (a topic's
limits see to that), and only the last division rounds. Shares are no integers: there the deviation takes a second pass
over the groups, sorted, so that the same events give the same bits.
"""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc
from pipeline_output.tables import CENSUS_AGE, CENSUS_INCOME_TABLE, CENSUS_POPULATION_TABLE
from pipeline_queue.topics import CENSUS_INCOME, CENSUS_POPULATION
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as f

from pipeline_processing.jobs.census_tasks import INCOME, POPULATION, Batches, Reading, census_rows
from pipeline_processing.jobs.job import BatchJob, Computed, Snapshot
from pipeline_processing.spark.sources import everything

TOPICS = (CENSUS_POPULATION, CENSUS_INCOME)
TABLES = (CENSUS_POPULATION_TABLE, CENSUS_AGE, CENSUS_INCOME_TABLE)
YEAR_START_NS = "unix_seconds(make_timestamp(int(year), 1, 1, 0, 0, 0)) * 1000000000L"
EXACT = "decimal(20, 0)"
"""Products and sums of these are decimals of 38 digits."""


def compute(spark: SparkSession, snapshot: Snapshot) -> Computed:
    """The rows of all three tables."""
    cells = _dated(_cells(_rows(spark, POPULATION, snapshot), ["year", "sex", "age"], ["people"]), snapshot).persist()
    try:
        people, ages = cells.toArrow(), _dated(_ages(cells), snapshot).toArrow()
    finally:
        cells.unpersist()
    incomes = _dated(_incomes(_rows(spark, INCOME, snapshot)), snapshot).toArrow()
    return Computed(
        events=(_total(people, "events"), _total(incomes, "events")),
        dead=_total(people, "dead") + _total(incomes, "dead"),
        rows={
            table.name: rows.select(table.names).drop_null()
            for table, rows in zip(TABLES, (people, ages, incomes), strict=True)
        },
    )


def _rows(spark: SparkSession, reading: Reading, snapshot: Snapshot) -> DataFrame:
    queue_url = snapshot.queue_url

    def task(batches: Batches) -> Batches:
        return census_rows(batches, reading, queue_url)

    records = everything(spark, queue_url, reading.topic.name, tasks=snapshot.tasks)
    return records.mapInArrow(task, reading.spark_schema)


def _cells(rows: DataFrame, key: list[str], values: list[str]) -> DataFrame:
    """Of each cell what the newest event says, and how many different events there are.

    The rows that count dead letters are a cell of their own, whose key is empty.
    """
    newest = f.max_by(f.struct(*values), f.struct("time_ns", "event_id"))
    counts = [f.size(f.collect_set("event_id")).alias("events"), f.sum("dead").alias("dead")]
    return rows.groupBy(*key).agg(newest.alias("newest"), *counts).select(*key, "newest.*", "events", "dead")


def _dated(frame: DataFrame, snapshot: Snapshot) -> DataFrame:
    return frame.withColumns({"year_start_ns": f.expr(YEAR_START_NS), "written_ns": f.lit(snapshot.now_ns)})


def _ages(cells: DataFrame) -> DataFrame:
    """By year and sex, and by year: with d = 2·age + 1, the mean is Σpd / 2Σp, the variance (Σp·Σpd² - (Σpd)²) / (2Σp)²."""
    people, doubled = f.col("people").cast(EXACT), (2 * f.col("age") + 1).cast(EXACT)
    sums = cells.where("year IS NOT NULL").rollup("year", "sex")
    sums = sums.agg(
        f.sum(people).alias("s0"), f.sum(people * doubled).alias("s1"), f.sum(people * doubled * doubled).alias("s2")
    )
    twice = 2 * f.col("s0").cast("double")
    squares = (f.col("s0") * f.col("s2") - f.col("s1") * f.col("s1")).cast("double")
    return sums.where("year IS NOT NULL").select(
        "year",
        f.coalesce("sex", f.lit("all")).alias("sex"),
        f.col("s0").cast("long").alias("people"),
        f.try_divide(f.col("s1").cast("double"), twice).alias("mean"),
        f.try_divide(f.sqrt(squares), twice).alias("standard_deviation"),
    )


def _incomes(rows: DataFrame) -> DataFrame:
    """By year and state, and by year and region; states carry the counts of events and dead letters."""
    cells = _cells(rows, ["year", "state", "income_group"], ["state_id", "region", "households", "share", "income"])
    weighted = f.struct("income", (f.col("households") * f.col("share")).alias("weight"))
    states = cells.groupBy("year", "state").agg(
        *(f.max(name).alias(name) for name in ("region", "state_id", "households")),
        f.collect_list(weighted).alias("groups"),
        *(f.sum(name).alias(name) for name in ("events", "dead")),
    )
    regions = (
        states.where("year IS NOT NULL")
        .groupBy("year", "region")
        .agg(f.sum("households").alias("households"), f.flatten(f.collect_list("groups")).alias("groups"))
    )
    counted = ["year", "region", "households", "groups"]
    places = states.select(
        *counted, "state_id", f.lit("state").alias("kind"), f.col("state").alias("place"), "events", "dead"
    )
    of_regions = regions.select(
        *counted,
        f.lit(0).cast("long"),
        f.lit("region"),
        f.col("region"),
        f.lit(0).cast("long"),
        f.lit(0).cast("long"),
    )
    return _with_moments(places.unionAll(of_regions))


def _with_moments(places: DataFrame) -> DataFrame:
    """Mean and deviation of `groups`, in two passes over each array."""
    groups = places.withColumn("groups", f.array_sort("groups"))
    total = _sum(lambda each: each["weight"])
    means = groups.withColumn("mean", f.try_divide(_sum(lambda each: each["weight"] * each["income"]), total))
    squares = _sum(lambda each: each["weight"] * f.pow(each["income"] - f.col("mean"), f.lit(2.0)))
    return means.withColumn("standard_deviation", f.sqrt(f.try_divide(squares, total)))


def _sum(of: Callable[[Column], Column]) -> Column:
    return f.aggregate("groups", f.lit(0.0), lambda total, each: total + of(each))


def _total(rows: pa.Table, name: str) -> int:
    return pc.sum(rows[name]).as_py() or 0


JOB = BatchJob(
    name="census",
    title="The census: people by age, mean age, mean income by state and region",
    topics=tuple(topic.name for topic in TOPICS),
    tables=tuple(table.name for table in TABLES),
    compute=compute,
)
