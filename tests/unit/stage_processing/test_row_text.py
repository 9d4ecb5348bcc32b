"""Rows of results as lines that a person reads and writes."""

from __future__ import annotations

import pytest
from pipeline_processing.tasks.row_text import as_written_here, lines_of


def test_a_row_is_written_with_its_types_and_its_time_in_the_unit() -> None:
    fields = {"b": True, "f": 2.0, "i": 2, "n": None, "s": 'a "b"'}
    series = {
        "name": "my cpu",
        "tags": {"host": "a,b"},
        "columns": ["time", *fields],
        "values": [["1970-01-01T00:00:10Z", *fields.values()], ["1970-01-01T00:00:10.5Z", *fields.values()]],
    }
    told = 'my\\ cpu,host=a\\,b b=true,f=2,i=2i,n=null,s="a \\"b\\""'
    assert list(lines_of([series, {}], "s")) == [f"{told} 10", f"{told} 1970-01-01T00:00:10.5Z"]


@pytest.mark.parametrize(
    ("written", "here"),
    [
        ("cpu,z=1,a=2  v=1.50,b=t  7", "cpu,a=2,z=1 b=true,v=1.5 7"),
        ('m s="a \\"b\\"" 1', 'm s="a \\"b\\"" 1'),
        ("m v=1e21 1", "m v=1e+21 1"),
        ("m v=null 1", "m v=null 1"),
    ],
)
def test_however_a_line_is_written_it_has_one_form(written: str, here: str) -> None:
    assert as_written_here([written], "s") == [here]
