"""Points for which something is true, in `where` and in `from`."""

from __future__ import annotations

from frames import errors, ran
from lambdas import above, field_of
from pipeline_processing.operators.from_ import From
from pipeline_processing.operators.where import Where


def points(*fields: dict) -> list[dict]:
    return [{"time": at, "fields": each} for at, each in enumerate(fields)]


def times(found: list[dict]) -> list[int]:
    return [each["time"] for each in found]


def test_points_pass_where_it_is_true() -> None:
    assert times(ran(Where(condition=above("v", 1.0)), points({"v": 2.0}, {"v": 1.0}, {"v": 3.0}))) == [0, 2]


def test_a_value_that_is_no_boolean_is_an_error_and_no_yes() -> None:
    given = points({"v": True}, {"v": False}, {"v": 1}, {"v": "true"})
    for operator in (Where(condition=field_of("v")), From(where=(field_of("v"),))):
        assert times(ran(operator, given)) == [0]
        assert errors(operator, given) == {"the lambda's value is no boolean": 2}


def test_errors_of_several_conditions_add_up() -> None:
    given = points({"v": True, "w": 1}, {"v": 5, "w": True}, {"v": True, "w": True})
    operator = From(where=(field_of("v"), field_of("w")))
    assert times(ran(operator, given)) == [2]
    assert errors(operator, given) == {"the lambda's value is no boolean": 2}
