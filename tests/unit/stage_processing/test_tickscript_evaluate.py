"""Which calls of nodes a script comes to."""

from __future__ import annotations

import pytest
from pipeline_processing.tickscript.calls import NodeCall, NodeRef, PropertyCall, Script, TimeDimension, Value
from pipeline_processing.tickscript.errors import TickError
from pipeline_processing.tickscript.evaluate import evaluate
from pipeline_processing.tickscript.parser import parse
from pipeline_processing.tickscript.printer import printed_expression
from pipeline_processing.tickscript.syntax import (
    Call,
    Duration,
    Integer,
    Items,
    Lambda,
    Operation,
    Position,
    Star,
    String,
    Term,
)
from tickscript_words import WORDS


def run(text: str) -> Script:
    return evaluate(parse(text), WORDS)


def refusal(text: str) -> str:
    with pytest.raises(TickError) as refused:
        run(text)
    return str(refused.value)


def names_and_parents(text: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(call.name, call.parents) for call in run(text).calls]


def argument(expression: str, *, before: str = "") -> Value:
    """What a property is given."""
    return run(f"{before}\nstream|from().measurement({expression})").calls[1].properties[0].arguments[0]


def test_a_chain_is_its_nodes_with_their_properties_in_order() -> None:
    script = run("var d = 'db'\nstream\n|from().database(d).measurement('m')\n|mean('f').as('g')")
    assert script.calls == (
        NodeCall(
            name="stream0",
            kind="stream",
            arguments=(),
            properties=(),
            parents=(),
            adds=("stream0",),
            at=Position(line=2, char=1),
        ),
        NodeCall(
            name="from1",
            kind="from",
            arguments=(),
            properties=(
                PropertyCall(name="database", arguments=(String(value="db"),), at=Position(line=3, char=9)),
                PropertyCall(name="measurement", arguments=(String(value="m"),), at=Position(line=3, char=21)),
            ),
            parents=("stream0",),
            adds=("from1",),
            at=Position(line=3, char=2),
        ),
        NodeCall(
            name="mean2",
            kind="mean",
            arguments=(String(value="f"),),
            properties=(PropertyCall(name="as", arguments=(String(value="g"),), at=Position(line=4, char=12)),),
            parents=("from1",),
            adds=("mean2",),
            at=Position(line=4, char=2),
        ),
    )


def test_a_value_is_where_it_is_used() -> None:
    assert argument("d", before="var d = 'db'").at == Position(line=2, char=27)


def test_a_variable_that_holds_a_node_forks_the_pipeline() -> None:
    text = "var s = stream|from()\ns|mean('a')|httpOut('m')\nvar w = s|window()\nw.period(1s)|mean('b')"
    assert names_and_parents(text) == [
        ("stream0", ()),
        ("from1", ("stream0",)),
        ("mean2", ("from1",)),
        ("http_out3", ("mean2",)),
        ("window4", ("from1",)),
        ("mean5", ("window4",)),
    ]
    assert [each.name for each in run(text).calls[4].properties] == ["period"]


def test_the_source_is_one_node_however_often_it_is_named() -> None:
    assert names_and_parents("stream|from()\nstream|from()") == [
        ("stream0", ()),
        ("from1", ("stream0",)),
        ("from2", ("stream0",)),
    ]


def test_nodes_among_the_arguments_are_parents_and_are_made_first() -> None:
    text = "var a = stream|from()\nstream|from()|join(a, a|where(lambda: TRUE)).as('x', 'y', 'z')"
    calls = run(text).calls
    assert [(call.name, call.parents) for call in calls[2:]] == [
        ("from2", ("stream0",)),
        ("where3", ("from1",)),
        ("join6", ("from2", "from1", "where3")),
    ]
    assert calls[-1].arguments == (NodeRef(name="from1", kind="from"), NodeRef(name="where3", kind="where"))


def test_a_call_may_add_several_nodes_and_is_named_as_the_last() -> None:
    calls = run("stream|from()|deadman(1.0, 10s).message('gone')|httpOut('x')").calls
    assert [(call.name, call.kind, call.adds) for call in calls[2:]] == [
        ("alert4", "deadman", ("stats2", "derivative3", "alert4")),
        ("http_out5", "httpOut", ("http_out5",)),
    ]


def test_a_udf_is_a_node_of_its_own_name() -> None:
    call = run("stream|from()@smooth().factor(0.5)").calls[2]
    assert (call.name, call.kind, [each.name for each in call.properties]) == ("smooth2", "@smooth", ["factor"])


def test_a_list_that_is_the_only_argument_stands_for_its_items() -> None:
    call = run("var host = 'host'\nvar g = [host, 'dc', *]\nstream|from().groupBy(g).where(g, 1)").calls[1]
    names = (String(value="host"), String(value="dc"), Star())
    assert [each.arguments for each in call.properties] == [names, (Items(items=names), Integer(value=1))]


def test_variables_in_a_lambda_are_inlined_where_it_is_defined() -> None:
    before = 'var a = 1 + 2\nvar r = /x/\nvar hot = lambda: "t" > a OR f(a)\nvar both = lambda: hot AND !"u" =~ r'
    value = argument("both", before=before)
    hot = value.body.first
    assert [printed_expression(each) for each in (hot.body, value.body.rest[0].operand)] == [
        '"t" > 3 OR f(3)',
        '!"u" =~ /x/',
    ]


def test_a_lambda_that_a_lambda_uses_stays_one_of_its_own() -> None:
    count = Call(name="count")
    assert argument("lambda: n + count()", before="var n = lambda: count()") == Lambda(
        body=Operation(first=Lambda(body=count), rest=(Term(operator="+", operand=count),))
    )


def test_time_is_a_dimension() -> None:
    calls = run("batch|query('q').groupBy(time(1m), 'a').groupBy(time(1m, -10s))").calls
    assert [each.arguments for each in calls[1].properties] == [
        (TimeDimension(every_ns=60_000_000_000), String(value="a")),
        (TimeDimension(every_ns=60_000_000_000, offset_ns=-10_000_000_000),),
    ]


def test_functions_of_the_vocabulary_are_computed_outside_of_lambdas() -> None:
    assert argument("'n' + string(n * 2)", before="var n = 21") == String(value="n42")


def test_databases_that_the_script_names_are_kept() -> None:
    assert run('dbrp "a"."b"\ndbrp "c"."d"\nstream|from()').dbrps == (("a", "b"), ("c", "d"))


def test_a_duration_that_was_computed_keeps_its_value() -> None:
    assert argument("d * 3 / 2", before="var d = 1s") == Duration(value_ns=1_500_000_000)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stream|from()|window()\n   .perid(1s)", 'line 2 char 5: no property "perid" on window; did you mean "period"?'),
        ("stream\n|from()\n|windw()", 'line 3 char 2: no node "windw" after from; did you mean "window"?'),
        ("stream|window()", 'line 1 char 8: no node "window" after stream'),
        ("stream|from()@smoth()", 'line 1 char 15: no UDF "smoth" after from; did you mean "smooth"?'),
        ("stream\n .from()", 'line 2 char 3: no property "from" on stream, but a node is called so; use |from(..)'),
        ("stream|from()|measurement('x')", 'line 1 char 15: no node "measurement" on from, but a property is called so; use .measurement(..)'),
        ("stream|from()|smooth()", 'line 1 char 15: no node "smooth" on from, but a UDF is called so; use @smooth(..)'),
        ("stream|from().measurement(nope)", 'line 1 char 27: name "nope" is undefined. Names in scope: time,stream,batch'),
        ("var host = 1\nvar x = hots", 'line 2 char 9: name "hots" is undefined. Names in scope: time,stream,batch,host; did you mean "host"?'),
        ("stream|from().where(lambda: true)", 'line 1 char 29: name "true" is undefined. Names in scope: time,stream,batch; did you mean "TRUE"?'),
        ("stream|from().where(lambda: \"a\" > b)", 'line 1 char 35: name "b" is undefined. Names in scope: time,stream,batch'),
        ("var a = 1\nvar a = 2", "line 2 char 1: attempted to redefine a, vars are immutable; choose another name"),
        ("var stream = 2", "line 1 char 1: attempted to redefine stream, vars are immutable; choose another name"),
        ("var a int", 'line 1 char 1: missing value for var "a" of type int; write `var a = ..`, or give it with the task'),
        ("var a integer", 'line 1 char 1: invalid var type "integer"; there are bool, int, float, string, duration, regex, lambda, list, star'),
        ("stream|from()\n.measurement(\"cpu\")", "line 2 char 2: measurement: \"cpu\" names a field; did you use double quotes instead of single quotes? A string is 'cpu'"),
        ("stream|from().where(\"a\" > 1)", 'line 1 char 21: "a" is a field; what is computed for each point begins with `lambda:`'),
        ("var l = ['a']\nstream|from().where(lambda: l)", 'line 2 char 29: "l" is list and cannot stand in an expression'),
        ("var s = stream\nstream|from().where(lambda: s)", 'line 2 char 29: "s" is a node and cannot stand in an expression'),
        ("var l = ['a']\nvar m = ['b', l]", 'line 2 char 15: "l" is list and cannot stand in a list'),
        ("var x = 1\nx|from()", "line 2 char 3: |from follows int, which is no node; begin with one, such as stream"),
        ("stream|from().groupBy(tim(1m))", 'line 1 char 23: no global function "tim" defined; did you mean "time"?'),
        ("stream|from().groupBy(time('1m'))", "line 1 char 23: time takes a duration and, if it is shifted, another"),
        ("var x = string('a')", "line 1 char 9: string: takes one integer"),
        ("var x = 1 + 2.0", "line 1 char 11: mismatched type to binary operator. got int + float; write both with a point, or none"),
    ],
)  # fmt: skip
def test_a_refusal_says_where_and_what_and_the_way_out(text: str, message: str) -> None:
    assert refusal(text) == message


def doubling(start: str, twice: str, *, times: int) -> str:
    """Each variable holds the one before it twice."""
    return f"var v0 = {start}\n" + "".join(f"var v{n + 1} = {twice.format(f'v{n}')}\n" for n in range(times))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (doubling("lambda: 1", "lambda: f({0}, {0})", times=60), "line 16 char 11: a lambda of 163,836 terms, allowed are 100,000"),
        (doubling("lambda: 1", "lambda: -{0}", times=100), "line 51 char 11: nested deeper than 100 levels; give a part of it a name with `var`"),
        (doubling("'0123456789'", "{0} + {0}", times=60), "line 18 char 15: a string of 1,310,720 characters, allowed are 1,000,000"),
    ],
)  # fmt: skip
def test_what_doubles_with_every_line_is_refused_before_it_is_made(text: str, message: str) -> None:
    assert refusal(text) == message
