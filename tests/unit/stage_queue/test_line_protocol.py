"""Line protocol, case by case: what InfluxDB's documentation and its parser's own words say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pipeline_queue.points import line_protocol
from pipeline_queue.points.line_protocol import Bad, BadPrecision, Parsed, Parser

NOW_NS = 1_600_000_000_123_456_789
PARSER = Parser()


def parsed(body: str | bytes, precision: str = "n") -> Parsed:
    return PARSER.parse(body if isinstance(body, bytes) else body.encode(), precision=precision, now_ns=NOW_NS)


def rows(body: str | bytes, precision: str = "n") -> list[dict[str, Any]]:
    """Each point with what it has."""
    made = [row for batch in parsed(body, precision).batches for row in batch.to_pylist()]
    return [{name: value for name, value in row.items() if value is not None} for row in made]


def reason(line: str) -> str:
    (bad,) = parsed(line).bad
    return bad.reason


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1", 1.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("-0.25", -0.25),
        ("1e3", 1000.0),
        ("1.5E-3", 0.0015),
        ("-2e+2", -200.0),
        ("98.73417721518987", 98.73417721518987),
        ("123456789012345678901234567890", 123456789012345678901234567890.0),
        ("2.2250738585072011e-308", 2.2250738585072011e-308),
        ("1e-400", 0.0),
        ("7i", 7),
        ("-9223372036854775808i", -(2**63)),
        ("9223372036854775807i", 2**63 - 1),
        ("007i", 7),
        *((word, True) for word in ("t", "T", "true", "True", "TRUE")),
        *((word, False) for word in ("f", "F", "false", "False", "FALSE")),
        ('""', ""),
        ('"a b,c=d"', "a b,c=d"),
        ('"say \\"hi\\""', 'say "hi"'),
        ('"C:\\\\dir\\x"', "C:\\dir\\x"),
        ('"one\ntwo"', "one\ntwo"),
        ('"äö ✓"', "äö ✓"),
    ],
)
def test_a_value_is_what_it_says(written: str, value: Any) -> None:
    (row,) = rows(f"m f={written} 5")
    assert (row["f"], type(row["f"]), row["time"]) == (value, type(value), 5)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("cpu", "missing fields"),
        ("cpu,host=a", "missing fields"),
        (",host=a v=1", "missing measurement"),
        ("cpu,=a v=1", "missing tag key"),
        ("cpu, v=1", "missing tag key"),
        ("cpu,host v=1", "missing tag value"),
        ("cpu,host= v=1", "missing tag value"),
        ("cpu,host=a=b v=1", "invalid tag format"),
        ("cpu,a=1,a=2 v=1", "duplicate tags"),
        ("cpu,b=1,a=2,b=3 v=1", "duplicate tags"),
        ("cpu v", "invalid field format"),
        ("cpu v=1,", "invalid field format"),
        ("cpu v=1,w", "invalid field format"),
        ("cpu =1", "missing field key"),
        ("cpu v=1,=2", "missing field key"),
        ("cpu v=", "missing field value"),
        ("cpu v=,w=1", "missing field value"),
        ("cpu v=1u", "invalid number"),
        ("cpu v=NaN", "invalid number"),
        ("cpu v=-", "invalid number"),
        ("cpu v=1.2.3", "invalid number"),
        ("cpu v=1.5i", "invalid number"),
        ("cpu v=9i10", "invalid number"),
        ("cpu v=inf", "invalid boolean"),
        ("cpu v=+Inf", "invalid boolean"),
        ("cpu v=1e400", "invalid float"),
        ("cpu v=9223372036854775808i", "unable to parse integer 9223372036854775808: value out of range"),
        ("cpu v=tRUE", "invalid boolean"),
        ("cpu v=maybe", "invalid boolean"),
        ('cpu v="open', "unbalanced quotes"),
        ('cpu v="a"b', "invalid field format"),
        ("cpu v=1 12x", "bad timestamp"),
        ("cpu v=1 1.5", "bad timestamp"),
        ("cpu v=1 1 2", "point is invalid"),
        ("cpu v=1 9223372036854775807", "time outside range -9223372036854775806 - 9223372036854775806"),
    ],
)
def test_a_bad_line_is_refused_in_influxdbs_words(line: str, why: str) -> None:
    assert reason(line) == why


def test_bad_lines_do_not_hinder_good_ones_and_are_known_by_their_numbers() -> None:
    found = parsed('# first\ncpu v=1 1\n\ncpu v=\ncpu v="two\nlines" 2\nbad\ncpu v=3 3\n')
    assert found.bad == [Bad(4, "missing field value", "cpu v="), Bad(7, "missing fields", "bad")]
    assert [row["time"] for batch in found.batches for row in batch.to_pylist()] == [1, 2, 3]


def test_names_lose_their_backslashes_where_they_escape_and_nowhere_else() -> None:
    (row,) = rows(r"a\ b\,c,t\=1=v\ 2,win=C:\dir f\ \"1=1")
    assert (row["series"], row['f "1']) == (rb"a\ b\,c,t\=1=v\ 2,win=C:\dir", 1.0)


def test_tags_in_another_order_are_the_same_series() -> None:
    batch = parsed("cpu,b=2,a=1 v=1 1\ncpu,a=1,b=2 v=2 2\ncpu,b=2,a=1 v=3 3").batches[0]
    assert batch.column("series").to_pylist() == [b"cpu,a=1,b=2"] * 3
    assert batch.column("series").dictionary.to_pylist() == [b"cpu,a=1,b=2"]


def test_the_last_of_two_fields_of_one_name_counts_whatever_its_type() -> None:
    assert rows("cpu a=1,a=2i,b=1 5") == [{"time": 5, "series": b"cpu", "a": 2, "b": 1.0}]


def test_a_field_with_two_types_has_two_columns() -> None:
    batch = parsed("cpu v=1 1\ncpu v=2i 2").batches[0]
    assert [
        (name, column.to_pylist()) for name, column in zip(batch.schema.names[2:], batch.columns[2:], strict=True)
    ] == [
        ("v", [1.0, None]),
        ("v", [None, 2]),
    ]


@pytest.mark.parametrize(
    ("precision", "time_ns", "now_ns"),
    [
        ("", 7, NOW_NS),
        ("ns", 7, NOW_NS),
        ("u", 7_000, 1_600_000_000_123_456_000),
        ("ms", 7_000_000, 1_600_000_000_123_000_000),
        ("s", 7_000_000_000, 1_600_000_000_000_000_000),
        ("m", 420_000_000_000, 1_599_999_960_000_000_000),
        ("h", 25_200_000_000_000, 1_599_998_400_000_000_000),
    ],
)
def test_times_are_in_the_unit_asked_for_and_a_missing_one_is_now(precision: str, time_ns: int, now_ns: int) -> None:
    assert [row["time"] for row in rows("m v=1 7\nm v=1 -7\nm v=1", precision)] == [time_ns, -time_ns, now_ns]


def test_an_unknown_unit_is_refused() -> None:
    with pytest.raises(BadPrecision, match=r'invalid precision "d" \(use n, u, ms, s, m or h\)'):
        parsed("m v=1", "d")


def test_lines_may_end_with_a_carriage_return_and_blank_ones_are_nothing() -> None:
    found = parsed('m v=1 1\r\n\r\n  \t\r\nm s="x"\r\nm b=t \r\n')
    assert ([len(batch) for batch in found.batches], found.bad) == ([3], [])


def test_a_comment_ends_at_its_newline_whatever_it_holds() -> None:
    assert [row["time"] for row in rows('# a="b\nm v=1 1\n  # c\nm v=1 2')] == [1, 2]


def test_a_series_may_have_a_key_of_64_kb_with_its_field_and_no_longer() -> None:
    longest = "m,t=" + "x" * (65_535 - 4 - 4 - 1)
    assert (len(rows(f"{longest} v=1 1")), reason(f"{longest}x v=1 1")) == (1, "max key length exceeded: 65536 > 65535")


def test_bytes_that_are_no_utf8_are_refused_with_their_line_alone() -> None:
    found = parsed(b'm v=1 1\nm,t=\xff v=1 2\nm s="\xe4" 3\nm v=1 4')
    assert [(each.line, each.reason) for each in found.bad] == [(2, "not UTF-8"), (3, "not UTF-8")]
    assert [row["time"] for batch in found.batches for row in batch.to_pylist()] == [1, 4]


def test_ever_new_field_names_make_more_blocks_not_larger_ones() -> None:
    plain = parsed("".join(f"m f{i}=1 {i}\n" for i in range(3_000)))
    hard = parsed("".join(f"m f\\ {i}=1 {i}\n" for i in range(3_000)))
    for found in (plain, hard):
        times = np.concatenate([batch.column("time").to_numpy() for batch in found.batches])
        assert (times.tolist(), found.bad) == (list(range(3_000)), [])
        assert max(len(batch) * batch.num_columns for batch in found.batches) < 500_000


def test_a_line_of_too_many_fields_or_bytes_is_refused() -> None:
    assert reason("m " + ",".join(f"f{i}=1" for i in range(4_097))) == "4,097 fields, allowed are 4,096"
    assert reason('m s="' + "x" * 2**21 + '"') == "2,097,158 bytes, allowed are 2,097,152"


def test_a_body_that_is_no_line_protocol_is_given_up() -> None:
    found = parsed("x\n" * 50_000)
    assert (len(found.bad), found.bad[-1]) == (
        20_001,
        Bad(20_001, "after 20,000 bad lines, this and what follows was not read", ""),
    )


def test_a_parser_that_has_met_too_many_series_begins_anew_and_nothing_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_protocol, "SERIES_MAX", 12_000)
    parser = Parser()
    for start in range(0, 30_000, 1_500):
        body = "".join(f"m,h={i},a={i} v={i} 1\n" for i in range(start, start + 1_500)).encode()
        (batch,) = parser.parse(body, now_ns=0).batches
        assert batch.column("series").to_pylist() == [b"m,a=%d,h=%d" % (i, i) for i in range(start, start + 1_500)]


@pytest.mark.parametrize("precision", ["n", "s", "h"])
def test_where_nobody_says_what_time_it_is_a_line_without_one_is_bad(precision: str) -> None:
    body = b'm v=1 1\nm v=2\nm\\,n v="3\\\\"\nm v=4 4\n'
    parsed = Parser().parse(body, precision=precision, now_ns=None)
    assert [(each.line, each.reason) for each in parsed.bad] == [(2, "it has no time"), (3, "it has no time")]
    assert len(parsed) == 2
