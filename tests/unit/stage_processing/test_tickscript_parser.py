"""What a script is read as, and how it is refused."""

from __future__ import annotations

import pytest
from pipeline_processing.tickscript.errors import TickError
from pipeline_processing.tickscript.literals import written
from pipeline_processing.tickscript.parser import parse, parse_010
from pipeline_processing.tickscript.syntax import (
    Boolean,
    Call,
    Dbrp,
    Declaration,
    Duration,
    Expression,
    Float,
    Identifier,
    Integer,
    Items,
    Lambda,
    Link,
    Operation,
    Pipeline,
    Position,
    Program,
    Reference,
    Regex,
    Star,
    String,
    Term,
    TypeDeclaration,
    Unary,
)


def value(text: str) -> Expression:
    """What is assigned in a script of one declaration."""
    (declaration,) = parse(f"var x = {text}").statements
    return declaration.value


def refusal(text: str) -> str:
    with pytest.raises(TickError) as refused:
        parse(text)
    return str(refused.value)


SECOND_NS = 1_000_000_000


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("0", Integer(value=0)),
        ("9223372036854775807", Integer(value=2**63 - 1)),
        ("010", Integer(value=8, octal=True)),
        ("1.50", Float(value=1.5)),
        (".5", Float(value=0.5)),
        ("5.", Float(value=5.0)),
        ("2w", Duration(value_ns=14 * 86_400 * SECOND_NS)),
        ("3d", Duration(value_ns=3 * 86_400 * SECOND_NS)),
        ("4h", Duration(value_ns=4 * 3_600 * SECOND_NS)),
        ("10m", Duration(value_ns=600 * SECOND_NS)),
        ("10s", Duration(value_ns=10 * SECOND_NS)),
        ("10ms", Duration(value_ns=10_000_000)),
        ("10u", Duration(value_ns=10_000)),
        ("10µ", Duration(value_ns=10_000)),
        ("TRUE", Boolean(value=True)),
        ("FALSE", Boolean(value=False)),
        ("''", String(value="")),
        (r"'it\'s \n'", String(value=r"it's \n")),
        ("'two\nlines'", String(value="two\nlines")),
        (r"'''it's \' raw'''", String(value=r"it's \' raw", raw=True)),
        (r'"a \"field\""', Reference(name='a "field"')),
        (r"/^a\/b\d+$/", Regex(written=r"^a\/b\d+$")),
        ("*", Star()),
        ("lambda", Identifier(name="lambda")),
        ("größe_2", Identifier(name="größe_2")),
        ("['a', b, *,]", Items(items=(String(value="a"), Identifier(name="b"), Star()))),
        ("lambda: \"a\" =~ /x/", Lambda(body=Operation(first=Reference(name="a"), rest=(Term(operator="=~", operand=Regex(written="x")),)))),
    ],
)  # fmt: skip
def test_a_value_is_read(text: str, node: Expression) -> None:
    assert value(text) == node


def test_a_regex_has_its_slashes_unescaped() -> None:
    assert value(r"/a\/b/").pattern == "a/b"


def shape(node: Expression) -> str:
    """The tree with all its parentheses."""
    match node:
        case Operation():
            text = shape(node.first)
            for term in node.rest:
                text = f"({text} {term.operator} {shape(term.operand)})"
            return text
        case Unary():
            return f"({node.operator}{shape(node.operand)})"
        case Call():
            return f"{node.name}({', '.join(shape(each) for each in node.arguments)})"
        case Identifier():
            return node.name
    return written(node)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a - b - c", "((a - b) - c)"),
        ("a + b * c - d", "((a + (b * c)) - d)"),
        ("a OR b AND c OR d", "((a OR (b AND c)) OR d)"),
        ("a AND b == c < d + e % f", "(a AND (b == (c < (d + (e % f)))))"),
        ("a / b * c AND d", "(((a / b) * c) AND d)"),
        ("a < b == c", "((a < b) == c)"),
        ("-a * -b", "((-a) * (-b))"),
        ("!a AND !(b OR c)", "((!a) AND (!(b OR c)))"),
        ("a - (b - c)", "(a - (b - c))"),
        ("f(a + 1, g()) % 2", "(f((a + 1), g()) % 2)"),
        ("1 -1", "(1 - 1)"),
    ],
)
def test_operators_bind_as_tightly_as_they_should_and_from_the_left(text: str, tree: str) -> None:
    assert shape(value(text)) == tree


def test_statements_are_read() -> None:
    assert parse('dbrp "db"."rp" var x int var y = x stream|from().where(*, [])@udf()') == Program(
        statements=(
            Dbrp(database="db", retention_policy="rp"),
            TypeDeclaration(name="x", type="int"),
            Declaration(name="y", value=Identifier(name="x")),
            Pipeline(
                start=Identifier(name="stream"),
                links=(
                    Link(operator="|", name="from"),
                    Link(operator=".", name="where", arguments=(Star(), Items(items=()))),
                    Link(operator="@", name="udf"),
                ),
            ),
        )
    )


def test_comments_go_to_what_follows_them() -> None:
    text = "// one\n// still one\n\n// two\nvar x = 1 // three\n  // four\nstream //five\n|from( // six\n)\n//seven"
    program = parse(text)
    assert [statement.comments for statement in program.statements[:1]] == [(("one", "still one"), ("two",))]
    assert program.statements[1].start.comments == (("three", "four"),)
    assert [link.comments for link in program.statements[1].links] == [(("five",),)]
    assert program.trailing == (("six",), ("seven",))


def test_positions_count_lines_and_bytes() -> None:
    (pipeline,) = parse("stream\n  |from()\n .größe('ü', x)").statements
    link = pipeline.links[1]
    assert (link.at, [argument.at for argument in link.arguments]) == (
        Position(line=3, char=3),
        [Position(line=3, char=11), Position(line=3, char=17)],
    )


def test_a_leading_zero_means_nothing_in_0_10() -> None:
    assert parse_010("var x = 090").statements == (Declaration(name="x", value=Integer(value=90)),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("var x = 1h30m", "line 1 char 11: unexpected duration 30m; a duration is a whole number and one unit, such as 90m"),
        ("f(1.5s)", "line 1 char 6: unexpected identifier s; expected ); a duration is a whole number and one unit, such as 90m"),
        ("var x = 09", "line 1 char 9: illegal number 09: a leading zero means octal, which has no 9"),
        ("var x = 9223372036854775808", "line 1 char 9: 9223372036854775808 is more than 64 bits hold"),
        ("var x = 15251w", "line 1 char 9: 15251w is longer than 292 years"),
        ("var x = 1.2.3", "line 1 char 9: unexpected multiple decimals in number; expected number, string, duration, identifier, reference, TRUE, FALSE, (, -, !"),
        ("var _a = 1", "line 1 char 5: unexpected character '_'; expected identifier"),
        ("var x = ['a', \"b\"]", "line 1 char 15: unexpected reference \"b\"; expected identifier, string, *; a string is in single quotes: 'b'"),
        ("stream||from()", "line 1 char 8: unexpected |; expected identifier; one | is enough in a chain, and OR is the operator"),
        ("stream\n|window()\n  .align", "line 3 char 3: unexpected name align without arguments; expected (; write .align()"),
        ("stream\n|from\n|window()", "line 3 char 1: unexpected name from without arguments; expected (; write |from()"),
        ("f(lambda: \"a\" = 1)", "line 1 char 15: unexpected =; expected ); == compares, and `var` begins a declaration"),
        ("f(lambda: \"a\" and TRUE)", "line 1 char 15: unexpected identifier and; expected ); did you mean AND?"),
        ("f(lambda: \"a\" & TRUE)", "line 1 char 15: unexpected character '&'; did you mean AND?; expected )"),
        ("f(lambda : TRUE)", "line 1 char 10: unexpected character ':'; did you mean lambda: without a space?; expected )"),
        ("f(", "line 1 char 3: unexpected EOF; expected number, string, duration, identifier, reference, TRUE, FALSE, (, -, !"),
        ("f(/(/)", "line 1 char 3: error parsing regexp: missing ): ("),
        ("f(/(?=a)/)", "line 1 char 3: error parsing regexp: invalid perl operator: (?="),
        ("f('abc\n", "line 1 char 3: unexpected unterminated string; expected number, string, duration, identifier, reference, TRUE, FALSE, (, -, !"),
        (r"f('a\')", "line 1 char 3: unexpected unterminated string; expected number, string, duration, identifier, reference, TRUE, FALSE, (, -, !"),
        ("dbrp 'a'.'b'", "line 1 char 6: unexpected string 'a'; expected reference"),
        ("# no", "line 1 char 1: unexpected character '#'; did you mean // for a comment?; expected number, string, duration, identifier, reference, TRUE, FALSE, (, -, !"),
    ],
)  # fmt: skip
def test_a_refusal_says_where_and_what_and_the_way_out(text: str, message: str) -> None:
    assert refusal(text) == message
