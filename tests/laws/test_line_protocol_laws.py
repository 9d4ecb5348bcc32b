"""Line protocol against a slow reader that knows nothing of ours, on hostile lines; and fuzzed."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from line_protocol_oracle import meaning
from pipeline_queue.points.block import Origin, as_points, decode, messages
from pipeline_queue.points.line_protocol import NS_OF, Parser
from pipeline_queue.points.lines import to_lines
from pipeline_queue.points.series_key import read

NOW_NS = 1_600_000_000_123_456_789
PARSER = Parser()
"""One for all cases: what it remembers of earlier lines must not show."""
UNHURRIED = settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])

ODD = st.sampled_from(
    [
        *(
            [
                "a",
                "b",
                "c",
                "cpu",
                "host",
                "\\",
                "\\\\",
                "\\,",
                "\\=",
                "\\",
                "",
                '\\"',
                '"',
                ",",
                "=",
                "#",
                "é",
                "✓",
                "\t",
                "\r",
                "\x00",
                "0",
                "1",
                "i",
                "e",
                ".",
                "-",
                "t",
                "f",
            ]
        ),
        " ",
        "\\ ",
        "\n",
        "\\\n",
    ]
)
PIECE = st.lists(ODD, max_size=5).map("".join)
NAME = st.one_of(st.sampled_from(["cpu", "a", "host", "a\\ b", "a\\,b", "a\\=b", "zone"]), PIECE)
NUMBER = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.decimals(allow_nan=False, allow_infinity=False, places=6).map(str),
    st.integers(-(2**65), 2**65).map(lambda i: f"{i}i"),
    st.from_regex(r"\A-?[0-9]{0,30}\.?[0-9]{0,30}([eE][-+]?[0-9]{1,3})?\Z"),
    st.sampled_from(
        ["NaN", "inf", "1u", "-", ".", "1.", ".5", "-0", "1e", "0x1", "1_0", "1e400", "1e-400", "9223372036854775807i"]
    ),
)
VALUE = st.one_of(
    NUMBER,
    st.sampled_from(["t", "T", "true", "True", "TRUE", "f", "F", "false", "False", "FALSE", "tRUE", "truE", "yes", ""]),
    PIECE.map(lambda text: f'"{text}"'),
    st.sampled_from(['"a\\"b"', '"a\\\\"', '"two\nlines"', '"a, b=c d"', '"open', '"a"b']),
    PIECE,
)
TIME = st.one_of(
    st.just(""),
    st.integers(-(2**64), 2**64).map(lambda i: f" {i}"),
    st.sampled_from(
        [
            " 1500000000",
            " -5",
            "  7  ",
            " 1.5",
            " x",
            " 1 2",
            " \t3",
            " 9223372036854775806",
            " 9223372036854775807",
            " ",
        ]
    ),
)


@st.composite
def a_line(draw: st.DrawFn) -> str:
    tags = "".join(f",{name}={value}" for name, value in draw(st.lists(st.tuples(NAME, NAME), max_size=3)))
    fields = ",".join(
        f"{name}={value}" for name, value in draw(st.lists(st.tuples(NAME, VALUE), min_size=1, max_size=3))
    )
    return draw(st.sampled_from(["", "", "", " ", "#", "\t"])) + draw(NAME) + tags + " " + fields + draw(TIME)


BODY = st.lists(a_line(), max_size=6).flatmap(
    lambda lines: st.sampled_from(["\n", "\r\n"]).map(lambda end: end.join(lines))
)


def ours(body: bytes, precision: str) -> tuple[list[Any], list[int]]:
    """By way of the blocks that would travel."""
    parsed, points = PARSER.parse(body, precision=precision, now_ns=NOW_NS), []
    for batch in parsed.batches:
        for message in messages(Origin("d", "r"), batch):
            points.extend(of_block(message.value))
    return points, [each.line for each in parsed.bad]


def of_block(value: bytes) -> list[Any]:
    points = as_points(decode(value)[1])
    found: list[Any] = []
    for row in range(len(points)):
        name, tags = read(points.keys[points.series[row]])
        assert [key for key, _ in tags] == sorted(key for key, _ in tags)
        fields = {
            each.name: (each.type, plain(each.type, each.values[row]))
            for each in points.fields
            if each.present is None or each.present[row]
        }
        found.append((name, dict(tags), fields, int(points.time_ns[row])))
    return found


def plain(type_: str, value: Any) -> Any:
    return {"float": float, "int": int, "bool": bool, "string": str}[type_](value)


def exact(points: list[Any]) -> list[Any]:
    """Floats by their bits, so that -0.0 is not 0.0."""
    return [
        (name, tags, {key: (t, struct.pack("<d", v) if t == "float" else v) for key, (t, v) in fields.items()}, time)
        for name, tags, fields, time in points
    ]


@UNHURRIED
@given(body=BODY, precision=st.sampled_from(list(NS_OF)))
def test_hostile_lines_mean_what_a_slow_reader_says(body: str, precision: str) -> None:
    points, wrong = ours(body.encode(), precision)
    expected, expected_wrong = meaning(body.encode(), NS_OF[precision], NOW_NS)
    assert (exact(points), wrong) == (exact(expected), expected_wrong)


@UNHURRIED
@given(body=st.binary(max_size=300))
def test_no_bytes_make_it_fail_and_it_says_the_number_of_each_bad_line(body: bytes) -> None:
    points, wrong = ours(body, "n")
    expected, expected_wrong = meaning(body, 1, NOW_NS)
    assert (exact(points), wrong) == (exact(expected), expected_wrong)


@UNHURRIED
@given(value=st.one_of(NUMBER, st.floats(width=64).map(lambda x: f"{x:.17g}")))
def test_a_number_is_the_nearest_float(value: str) -> None:
    body = f"a b={value} 1".encode()
    assert exact(ours(body, "n")[0]) == exact(meaning(body, 1, NOW_NS)[0])


@UNHURRIED
@given(body=BODY)
def test_what_is_written_out_reads_back_the_same(body: str) -> None:
    for batch in PARSER.parse(body.encode(), now_ns=NOW_NS).batches:
        written = to_lines(as_points(batch))
        again = PARSER.parse(written, now_ns=0)
        (message,) = messages(Origin("d", "r"), batch)
        before = of_block(message.value)
        assume(all(map(is_sayable, before)))
        assert ([each.reason for each in again.bad], points_of(again)) == ([], exact(without_skipped(before)))


def points_of(parsed: Any) -> list[Any]:
    return exact(
        [each for batch in parsed.batches for m in messages(Origin("d", "r"), batch) for each in of_block(m.value)]
    )


def without_skipped(before: list[Any]) -> list[Any]:
    """Fields that begin with what readers skip in front of the first are left out, and points that have no other."""
    kept = [
        (name, tags, {field: value for field, value in fields.items() if not field.startswith(("\t", "\0"))}, time_ns)
        for name, tags, fields, time_ns in before
    ]
    return [point for point in kept if point[2]]


def is_sayable(point: Any) -> bool:
    """Names with a backslash or a newline may be left out or change."""
    name, tags, fields, _ = point
    parts = [name, *tags, *tags.values(), *(each.encode() for each in fields)]
    return not any(b"\\" in part or b"\n" in part for part in parts)


@pytest.mark.parametrize("lines", [1, 9_999, 10_000, 10_001, 25_000])
def test_blocks_of_any_number_keep_every_line_in_its_order(lines: int) -> None:
    body = b"".join(b"cpu,host=h%d v=%d\n" % (i % 7, i) for i in range(lines))
    values = [fields["v"][1] for _, _, fields, _ in ours(body, "n")[0]]
    assert values == [float(i) for i in range(lines)]
