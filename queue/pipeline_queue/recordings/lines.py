"""Line protocol as recordings and test files hold it: every line a point with its time.

In:      text, whose database and retention policy the caller knows, and the unit of its times.
Out:     one block, the points in the order of the lines. Empty lines and comments are no points.
Refuses: a line that is no point, or has no time (BadRecording, which names it): a recording is replayed whole or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from pipeline_queue.errors import BadRecording
from pipeline_queue.points.block import PointBlock
from pipeline_queue.points.line_protocol import Parser
from pipeline_queue.points.series_key import key_of
from pipeline_queue.recordings.rows import Dbrp, Row, Value, batch_of

NS_OF = {"n": 1, "u": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
"""Units of time, in ns."""
NO_TIME_NS = -(2**62)
"""What a line gets that has none; one that has this very time is read slowly."""
LINE = re.compile(r"((?:[^ \\]|\\.?)+) +((?:\\.|[^ \"\\]|\"(?:[^\"\\]|\\.)*\")+)(?: +(-?\d+))? *")
FIELD = re.compile(r"((?:\\.|[^,=\\])+)=(\"(?:[^\"\\]|\\.)*\"|[^,\"]+)(?:,|$)")
FLOAT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
TRUTH = {
    **dict.fromkeys(("t", "T", "true", "True", "TRUE"), True),
    **dict.fromkeys(("f", "F", "false", "False", "FALSE"), False),
}


def block_of_lines(text: str, dbrp: Dbrp, precision: str, parser: Parser | None = None) -> PointBlock:
    """The only place where recordings meet line protocol. A `parser` reads many lines fast; what it does not make one block of
    is read line by line, which says what is wrong where."""
    batch = _parsed(parser, text, precision) if parser else None
    if batch is not None:
        return PointBlock(*dbrp, batch)
    rows = []
    for number, written in enumerate(text.split("\n"), 1):
        line = written.strip("\r").lstrip()
        if line and not line.startswith("#"):
            try:
                rows.append(_row(line, dbrp, NS_OF[precision]))
            except ValueError as reason:
                raise BadRecording(str(reason), line=number, text=line) from None
    return PointBlock(*dbrp, batch_of(rows))


def checked_precision(precision: str) -> str:
    """Raises BadRecording for a unit that is none."""
    if precision not in NS_OF:
        raise BadRecording(f"`{precision}` is no unit of times; there are {', '.join(NS_OF)}")
    return precision


def _parsed(parser: Parser, text: str, precision: str) -> pa.RecordBatch | None:
    """None where a line is bad, has no time, or needs another block."""
    parsed = parser.parse(text.encode(errors="surrogatepass"), precision=precision, now_ns=NO_TIME_NS)
    if parsed.bad or not parsed.batches or any(each.schema != parsed.batches[0].schema for each in parsed.batches):
        return None
    table = pa.Table.from_batches(parsed.batches).unify_dictionaries().combine_chunks()
    unit_ns = NS_OF[precision]
    if pc.any(pc.equal(table["time"], NO_TIME_NS - NO_TIME_NS % unit_ns)).as_py():
        return None
    return table.to_batches()[0]


def _row(line: str, dbrp: Dbrp, unit_ns: int) -> Row:
    found = LINE.fullmatch(line)
    if not found:
        raise ValueError("it is no `measurement,tag=value field=value time`")
    key, fields, time = found.groups()
    if time is None:
        raise ValueError("it has no time")
    return Row(dbrp, _series(key), int(time) * unit_ns, dict(_fields(fields)))


def _series(key: str) -> bytes:
    name, *tags = re.split(r"(?<!\\),", key)
    pairs = [re.split(r"(?<!\\)=", tag, maxsplit=1) for tag in tags]
    if not name or any(len(pair) != 2 or not all(pair) for pair in pairs):
        raise ValueError("a tag is `name=value`")
    return key_of(_plain(name), [(_plain(tag), _plain(value)) for tag, value in pairs])


def _fields(text: str) -> Iterator[tuple[str, Value]]:
    at = 0
    while at < len(text):
        found = FIELD.match(text, at)
        if not found or (found.end() == len(text) and text.endswith(",")):
            raise ValueError(f"`{text[at:]}` is no `field=value`")
        yield _plain(found[1]), _value(found[2])
        at = found.end()


def _value(text: str) -> Value:
    if text.startswith('"'):
        return re.sub(r'\\(["\\])', r"\1", text[1:-1])
    if text in TRUTH:
        return TRUTH[text]
    if re.fullmatch(r"[-+]?\d+i", text):
        return int(text[:-1])
    if FLOAT.fullmatch(text):
        return float(text)
    raise ValueError(f"`{text}` is no value: strings are in double quotes, integers end with `i`")


def _plain(text: str) -> str:
    return re.sub(r"\\([,= ])", r"\1", text) if "\\" in text else text
