"""A series as one byte string: `cpu,host=a,region=eu`, tags sorted by name, escaped as in line protocol.

In:   a measurement and tags, or a key as somebody wrote it.
Out:  the one key of that series; or the measurement and the tags, unescaped.
From: InfluxDB's models/points.go: a measurement's comma and space, and a tag's equals sign too, follow a backslash. A
      backslash before anything else is itself, so nothing can end with one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeAlias

Tags: TypeAlias = tuple[tuple[bytes, bytes], ...]
NEVER_FIRST = (b"#", b"\t", b"\0")
"""A line that begins so is a comment, or begins later."""

_IN_NAME = re.compile(rb'\\([,"= ])')
_IN_TAG = re.compile(rb"\\([,= ])")
_OF_NAME = re.compile(rb'[, ]|(?<=\\)["=]')
_OF_FIELD = re.compile(rb'[,= ]|(?<=\\)"')
_OF_TAG = re.compile(rb"[,= ]")
_COMMA = re.compile(rb"(?<!\\),")
_EQUALS = re.compile(rb"(?<!\\)=")


def written(name: bytes, tags: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The key; a tag without a value is none."""
    parts = [_OF_NAME.sub(rb"\\\g<0>", name)]
    parts.extend(
        _OF_TAG.sub(rb"\\\g<0>", key) + b"=" + _OF_TAG.sub(rb"\\\g<0>", value) for key, value in sorted(tags) if value
    )
    return b",".join(parts)


def is_writable(name: bytes, tags: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether the key reads back: all parts are there, and none ends with a backslash, which would escape what follows."""
    parts = [name, *(part for tag in tags for part in tag)]
    return not name.startswith(NEVER_FIRST) and all(part and not part.endswith(b"\\") for part in parts)


def read(key: bytes) -> tuple[bytes, Tags]:
    """The measurement and the tags in the order in which they stand; `key` is sound."""
    name, *tags = _COMMA.split(key)
    return unescaped_name(name), tuple(_read_tag(tag) for tag in tags)


def unescaped_name(name: bytes) -> bytes:
    """Of a measurement or a field."""
    return _IN_NAME.sub(rb"\1", name) if b"\\" in name else name


def escaped_name(name: bytes) -> bytes:
    """Of a field."""
    return _OF_FIELD.sub(rb"\\\g<0>", name)


def _read_tag(tag: bytes) -> tuple[bytes, bytes]:
    key, value = _EQUALS.split(tag, maxsplit=1)
    return _unescaped_tag(key), _unescaped_tag(value)


def _unescaped_tag(part: bytes) -> bytes:
    return _IN_TAG.sub(rb"\1", part) if b"\\" in part else part


def key_of(name: str, tags: Iterable[tuple[str, str]]) -> bytes:
    """`written` for texts."""
    return written(name.encode(), [(tag.encode(), value.encode()) for tag, value in tags])


def parts_of(key: bytes) -> tuple[str, tuple[tuple[str, str], ...]]:
    """`read` for texts."""
    name, tags = read(key)
    return name.decode(), tuple((tag.decode(), value.decode()) for tag, value in tags)
