"""Where a Cassandra keyspace is.

In:      `cassandra://host:port[,host:port]/keyspace` and, after a `?`, any of `PARAMETERS`.
Out:     an `Address`; equal addresses share one connection in a process.
Refuses: (BadStoreUrl) other forms, an unknown parameter, a number that is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from pipeline_output.errors import BadStoreUrl

PORT = 9042
KEYSPACE = re.compile(r"[a-z][a-z0-9_]{0,47}")
NAME = re.compile(r"[\w.-]+")
REACTORS = ("auto", "libev", "eventlet", "asyncio")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """See the module; `url` is without parameters, for messages.

    `ttl_s` overrules the tables' own time to live, where they have one; 0 keeps rows for ever. `replication` counts copies and is used
    when the keyspace is made. `reactor` names the driver's event loop: `auto` is `eventlet` in a process whose
    sockets eventlet has patched, else `libev`.
    """

    url: str
    hosts: tuple[tuple[str, int], ...]
    keyspace: str
    ttl_s: int | None = None
    datacenter: str = "datacenter1"
    replication: int = 1
    reactor: str = "auto"
    timeout_s: float = 10.0


def _counting(text: str) -> int:
    if not text.isdigit():
        raise ValueError(f"`{text}` is no whole number")
    return int(text)


def _name(text: str) -> str:
    if not NAME.fullmatch(text):
        raise ValueError(f"`{text}` is no name")
    return text


def _reactor(text: str) -> str:
    if text not in REACTORS:
        raise ValueError(f"`{text}` is none of {', '.join(REACTORS)}")
    return text


PARAMETERS: Mapping[str, Callable[[str], object]] = {
    "ttl_s": _counting,
    "datacenter": _name,
    "replication": _counting,
    "reactor": _reactor,
    "timeout_s": float,
}


def parse_address(url: str) -> Address:
    parts = urlsplit(url)
    keyspace = parts.path.removeprefix("/")
    if parts.scheme != "cassandra" or not parts.netloc:
        raise BadStoreUrl(url, because="it names no host")
    if not KEYSPACE.fullmatch(keyspace):
        raise BadStoreUrl(url, because=f"`{keyspace}` is no keyspace: a letter, then at most 47 of a-z, 0-9 and _")
    return Address(
        url=f"cassandra://{parts.netloc}/{keyspace}",
        hosts=tuple(_host(url, each) for each in parts.netloc.split(",")),
        keyspace=keyspace,
        **_parameters(url, parts.query),
    )


def _host(url: str, text: str) -> tuple[str, int]:
    host, _, port = text.partition(":")
    if not host or not (port or str(PORT)).isdigit():
        raise BadStoreUrl(url, because=f"`{text}` is no host:port")
    return host, int(port or PORT)


def _parameters(url: str, query: str) -> dict[str, object]:
    given = dict(parse_qsl(query, keep_blank_values=True))
    unknown = sorted(set(given) - set(PARAMETERS))
    if unknown:
        raise BadStoreUrl(url, because=f"it takes no {', '.join(unknown)}, only {', '.join(PARAMETERS)}")
    try:
        return {name: PARAMETERS[name](text) for name, text in given.items()}
    except ValueError as cause:
        raise BadStoreUrl(url, because=str(cause)) from cause
