"""Rows of results as lines that a person reads and writes: line protocol, its fields sorted by name.

In:      series, as results/series.py has them; or a line as somebody wrote it.
Out:     a line a row: `cpu,host=a mean=95.5,n=3i 10`. Times count in the unit that the file says, and are in RFC 3339 where
         it does not hold them. What a row of a batch lacks, and a null, is `null`, which line protocol has not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipeline_queue.points.line_protocol import NS_OF, Parser
from pipeline_queue.points.series_key import key_of, parts_of

from pipeline_processing.results.times import rfc3339
from pipeline_processing.tasks.times import time_ns


def lines_of(series: Iterable[Mapping[str, Any]], precision: str) -> Iterator[str]:
    for each in series:
        name, tags, columns = each.get("name", ""), each.get("tags") or {}, each.get("columns") or ()
        for row in each.get("values") or ():
            at_ns = time_ns(row[0])
            fields = dict(zip(columns[1:], row[1:], strict=True))
            yield _line(key_of(name, tags.items()), fields, time_text(at_ns or 0, precision))


def as_written_here(lines: Iterable[str], precision: str) -> list[str]:
    """Lines in the one form that is compared; one that is no line protocol is itself."""
    parser = Parser()
    return [_as_written_here(each, precision, parser) for each in lines]


def time_text(at_ns: int, precision: str) -> str:
    whole, rest = divmod(at_ns, NS_OF[precision])
    return rfc3339(at_ns) if rest else str(whole)


def _as_written_here(line: str, precision: str, parser: Parser) -> str:
    parsed = parser.parse(line.encode(), precision=precision, now_ns=None)
    if parsed.bad or not parsed.batches:
        return line.strip()
    (batch,) = parsed.batches
    name, tags = parts_of(batch.column(1)[0].as_py())
    values = {field: column[0].as_py() for field, column in zip(batch.schema.names[2:], batch.columns[2:], strict=True)}
    return _line(key_of(name, tags), values, time_text(batch.column(0)[0].as_py(), precision))


def _line(key: bytes, fields: Mapping[str, Any], time: str) -> str:
    told = ",".join(f"{key_of(name, ()).decode()}={_value(value)}" for name, value in sorted(fields.items()))
    return f"{key.decode()} {told} {time}"


def _value(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'
    return f"{value}i" if isinstance(value, int) else repr(float(value)).removesuffix(".0")
