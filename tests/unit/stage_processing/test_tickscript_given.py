"""Values that come to a script's variables from outside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pipeline_processing.engine.task_master import TaskMaster
from pipeline_processing.tasks.errors import Refused
from pipeline_processing.tasks.rehearsal import definition_of
from pipeline_processing.tasks.variables import checked
from pipeline_processing.tickscript.calls import Value
from pipeline_processing.tickscript.errors import TickError
from pipeline_processing.tickscript.evaluate import evaluate
from pipeline_processing.tickscript.given import given_values
from pipeline_processing.tickscript.parser import parse
from pipeline_processing.tickscript.syntax import (
    Boolean,
    Duration,
    Float,
    Integer,
    Lambda,
    Operation,
    Reference,
    Star,
    String,
    Term,
)
from tickscript_words import WORDS

ABOVE_TWO = Lambda(body=Operation(first=Reference(name="v"), rest=(Term(operator=">", operand=Integer(value=2)),)))


def holds(declaration: str, **given: tuple[str, Any]) -> tuple[Value, ...]:
    """What the variable `x` is when a property is given it."""
    variables = checked({name: {"type": type_, "value": value} for name, (type_, value) in given.items()})
    script = evaluate(parse(f"{declaration}\nstream|from().measurement(x)"), WORDS, given_values(variables))
    return script.calls[1].properties[0].arguments


def refusal(declaration: str, **given: tuple[str, Any]) -> str:
    with pytest.raises((TickError, Refused)) as refused:
        holds(declaration, **given)
    return str(refused.value)


@pytest.mark.parametrize(
    ("type_", "value", "held"),
    [
        ("int", 5, (Integer(value=5),)),
        ("float", 5, (Float(value=5.0),)),
        ("bool", False, (Boolean(value=False),)),
        ("string", "it's", (String(value="it's"),)),
        ("duration", "90s", (Duration(value_ns=90_000_000_000),)),
        ("star", None, (Star(),)),
        ("lambda", '"v" > 2', (ABOVE_TWO,)),
        ("list", [{"type": "string", "value": "a"}, {"type": "star"}], (String(value="a"), Star())),
    ],
)
def test_a_variable_without_a_value_has_the_one_it_is_given(type_: str, value: Any, held: Value) -> None:
    assert holds(f"var x {type_}", x=(type_, value)) == held


def test_a_pattern_is_given_as_it_is_matched_and_not_as_scripts_write_it() -> None:
    (found,) = holds("var x regex", x=("regex", r"^/a\d/$"))
    assert (found.pattern, found.written) == (r"^/a\d/$", r"^\/a\d\/$")


def test_a_given_value_goes_before_the_declared_one_and_into_what_is_computed_of_it() -> None:
    assert holds("var n = 2\nvar x = n * 10", n=("int", 7)) == (Integer(value=70),)


def test_names_in_a_given_lambda_are_the_scripts_variables() -> None:
    assert holds("var limit = 2\nvar x = lambda: TRUE", x=("lambda", '"v" > limit')) == (ABOVE_TWO,)


def test_a_value_that_no_variable_wants_is_passed_over() -> None:
    assert holds("var x = 1", y=("int", 5)) == (Integer(value=1),)


@pytest.mark.parametrize(
    ("declaration", "given", "told"),
    [
        ("var x int", {}, 'line 1 char 1: missing value for var "x" of type int; '),
        ("var x int", {"x": ("float", 5)}, "line 1 char 1: invalid type supplied for x, got float exp int"),
        ("\nvar x = 5", {"x": ("string", "5")}, "line 2 char 1: invalid type supplied for x, got string exp int"),
        ("var x = ['a']", {"x": ("string", "a")}, "line 1 char 1: invalid type supplied for x, got string exp list"),
        ("var x = stream", {"x": ("int", 1)}, "line 1 char 1: invalid type supplied for x, got int exp a node"),
        ("var x int\nvar x = 2", {"x": ("int", 1)}, "line 2 char 1: attempted to redefine x"),
        ("\n\nvar x = lambda: 1", {"x": ("lambda", "nope")}, 'line 3 char 1: name "nope" is undefined'),
        ("var x lambda", {"x": ("lambda", '"v" >')}, "invalid var x: line 1 char 6: unexpected EOF"),
        ("var x lambda", {"x": ("lambda", '"v" "w"')}, "invalid var x: line 1 char 5: unexpected a second"),
        ("var x regex", {"x": ("regex", "(")}, "invalid var x: line 1 char 1: error parsing regexp: "),
    ],
)
def test_a_value_that_does_not_fit_is_refused_at_its_variable(
    declaration: str, given: Mapping[str, tuple[str, Any]], told: str
) -> None:
    assert refusal(declaration, **given).startswith(told)


@pytest.mark.parametrize(("given", "asks"), [("unixNano(now()) > 0", True), ('"v" > 2', False)])
def test_a_lambda_that_asks_for_the_time_is_known_though_it_is_given(given: str, asks: bool) -> None:
    script = "var x lambda\nstream|from()|where(x)"
    definition = definition_of("t", script, [("a", "b")], {"x": {"type": "lambda", "value": given}})
    assert TaskMaster().new_task(definition).task.asks_time is asks
