"""A small vocabulary for tests: names of nodes and properties, without any meaning."""

from __future__ import annotations

from pipeline_processing.tickscript.syntax import Integer, String
from pipeline_processing.tickscript.vocabulary import Kind, Vocabulary

PROPERTIES = {
    "from": "database measurement where groupBy",
    "query": "period every groupBy fill",
    "window": "period every align",
    "where": "",
    "eval": "as keep",
    "mean": "as",
    "join": "as tolerance fill",
    "groupBy": "",
    "shift": "",
    "httpOut": "",
    "influxDBOut": "database tag",
    "alert": "crit warn message details log",
    "deadman": "message",
}
NODES = {"httpOut": ("http_out",), "deadman": ("stats", "derivative", "alert")}
FOLLOWERS = frozenset(PROPERTIES) - {"query"}


def _text_of(arguments: tuple[object, ...]) -> String:
    match arguments:
        case (Integer(value=value),):
            return String(value=str(value))
    raise ValueError("takes one integer")


WORDS = Vocabulary(
    kinds={
        "stream": Kind(followers=frozenset({"from"})),
        "batch": Kind(followers=frozenset({"query"})),
        **{
            name: Kind(properties=frozenset(names.split()), followers=FOLLOWERS, nodes=NODES.get(name, ()))
            for name, names in PROPERTIES.items()
        },
    },
    sources=("stream", "batch"),
    udfs={"smooth": Kind(properties=frozenset({"factor"}), followers=FOLLOWERS)},
    functions={"string": _text_of},
)
