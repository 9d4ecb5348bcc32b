"""What the declared tables say, and what derives from them."""

from __future__ import annotations

import pyarrow as pa
import pytest
from pipeline_output.errors import UnknownTable
from pipeline_output.stores.cql import create_table, insert_row
from pipeline_output.stores.sqlite import create_statement
from pipeline_output.tables import (
    MONITORING_WINDOWS,
    RANDOM_NUMBERS_WINDOWS,
    TABLES,
    Table,
    arrow_schema,
    events_table,
    table,
)
from pipeline_queue.topics import MONITORING, RANDOM_NUMBERS, TOPICS, Column

WINDOWS = """
    window_start_ns window_end_ns count late ids mean standard_deviation sum min max p50 p90 p99 newest_event_ns written_ns
"""


def test_the_windows_have_their_columns_in_order() -> None:
    assert list(RANDOM_NUMBERS_WINDOWS.names) == WINDOWS.split()


@pytest.mark.parametrize(
    ("name", "columns", "key"),
    [
        ("census_population", "year_start_ns year sex age people written_ns", "year_start_ns sex age"),
        ("census_age", "year_start_ns year sex people mean standard_deviation written_ns", "year_start_ns sex"),
        (
            "census_income",
            "year_start_ns year kind place region state_id households mean standard_deviation written_ns",
            "year_start_ns kind place",
        ),
    ],
)
def test_the_census_has_its_columns_in_order_and_is_kept_for_ever(name: str, columns: str, key: str) -> None:
    found = table(name)
    assert (found.names, found.key, found.ttl_s) == (tuple(columns.split()), tuple(key.split()), None)


def test_a_host_s_figures_have_the_units_that_the_topic_declares() -> None:
    found = {column.name: column.unit for column in MONITORING_WINDOWS.columns}
    names = ("busy_mean", "busy_max", "waiting_mean", "free_min", "buffers_mean", "cache_mean", "newest_event_ns")
    assert [found[name] for name in names] == ["%", "%", "%", "KiB", "KiB", "KiB", "ns"]


def test_every_table_says_what_it_holds_and_is_of_a_topic() -> None:
    silent = [(each.name, column.name) for each in TABLES.values() for column in each.columns if not column.doc]
    assert (silent, [each.name for each in TABLES.values() if each.topic not in TOPICS]) == ([], [])


def test_every_key_and_every_optional_column_is_a_column_and_no_key_is_optional() -> None:
    odd = [
        each.name
        for each in TABLES.values()
        if not {*each.key, *each.optional} <= set(each.names) or each.optional & set(each.key)
    ]
    assert odd == []


def test_a_figure_has_the_unit_that_the_topic_declares() -> None:
    declared = {column.name: column.unit for column in RANDOM_NUMBERS.columns}
    found = {column.name: column.unit for column in RANDOM_NUMBERS_WINDOWS.columns}
    assert (found["mean"], found["window_start_ns"]) == (declared["value"], declared["time_ns"])


def test_events_as_they_are_have_their_topic_s_columns() -> None:
    found = arrow_schema(events_table(MONITORING))
    assert found.names == [column.name for column in MONITORING.columns]
    assert (found.field("in").type, found.field("us").type, found.field("host").type) == (
        pa.int64(),
        pa.float64(),
        pa.string(),
    )


def test_a_table_whose_key_lacks_its_time_is_refused() -> None:
    column = Column(name="time_ns", kind="int64", doc="when")
    with pytest.raises(ValueError, match="not part of the key"):
        Table(name="t", doc="", topic="t", columns=(column,), key=("host",), time="time_ns")


def test_an_unknown_table_names_the_nearest() -> None:
    with pytest.raises(UnknownTable, match="did you mean `random_numbers_windows`"):
        table("random_number_window")


def test_a_definition_quotes_names_that_are_words_of_the_language() -> None:
    monitoring = events_table(MONITORING)
    assert all('"in" ' in text for text in (create_statement(monitoring), create_table("k", monitoring)))


def test_a_row_s_statement_has_a_mark_for_the_bucket_each_column_the_version_and_the_time_to_live() -> None:
    assert insert_row("k", RANDOM_NUMBERS_WINDOWS).count("?") == 1 + len(RANDOM_NUMBERS_WINDOWS.columns) + 2
