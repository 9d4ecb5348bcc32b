"""A series' key, as line protocol writes it: `cpu,host=a,region=eu`, tags sorted by name.

In:      a measurement and tags, or a key.
Out:     the other one.
Refuses: nothing; a key is what this module wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

Tags = tuple[tuple[str, str], ...]


def key_of(name: str, tags: Iterable[tuple[str, str]]) -> bytes:
    """The key; of tags of one name the last one counts."""
    parts = [_escaped(name, ", "), *(f"{_escaped(k, ',= ')}={_escaped(v, ',= ')}" for k, v in sorted(dict(tags).items()))]
    return ",".join(parts).encode()


def parts_of(key: bytes) -> tuple[str, Tags]:
    """The measurement and its tags."""
    name, *tags = _split(key.decode(), ",")
    return _plain(name), tuple(tuple(map(_plain, _split(tag, "="))) for tag in tags)


def _escaped(text: str, special: str) -> str:
    """Backslashes are escaped too, which line protocol does not ask for, so that every text comes back as it was."""
    text = text.replace("\\", "\\\\")
    for each in special:
        text = text.replace(each, f"\\{each}")
    return text


def _split(text: str, separator: str) -> list[str]:
    if "\\" not in text:
        return text.split(separator)
    return list(_split_escaped(text, separator))


def _split_escaped(text: str, separator: str) -> Iterator[str]:
    begin = at = 0
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == separator:
            yield text[begin:at]
            begin = at + 1
        at += 1
    yield text[begin:]


def _plain(text: str) -> str:
    if "\\" not in text:
        return text
    found = []
    at = 0
    while at < len(text):
        at += text[at] == "\\"
        found.append(text[at])
        at += 1
    return "".join(found)
