"""Functions of texts, as in Go's package strings: positions and lengths count bytes of UTF-8, sets are of characters.

Half a character, which a position can leave, is kept as the bytes that it is (surrogates, as Python's `surrogateescape`).
"""

from __future__ import annotations

from pipeline_processing.expressions.function import Function, of_values
from pipeline_processing.expressions.regexes import replaced

SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
INT32_MAX = 2**31 - 1


def as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def as_text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def length(text: str) -> int:
    return len(text) if text.isascii() else len(as_bytes(text))


def contains_any(text: str, chars: str) -> bool:
    return any(char in text for char in chars)


def index(text: str, part: str) -> int:
    return as_bytes(text).find(as_bytes(part))


def last_index(text: str, part: str) -> int:
    return as_bytes(text).rfind(as_bytes(part))


def index_any(text: str, chars: str) -> int:
    return next((length(text[:at]) for at, char in enumerate(text) if char in chars), -1)


def last_index_any(text: str, chars: str) -> int:
    return next((length(text[:at]) for at in reversed(range(len(text))) if text[at] in chars), -1)


def replace(text: str, old: str, new: str, count: int) -> str:
    """The first `count` of them, all if it is below zero."""
    return text.replace(old, new, max(-1, min(count, INT32_MAX)))


def substring(text: str, start: int, stop: int) -> str:
    """The bytes from `start` to before `stop`, which must be before the text's end."""
    if start < 0 or stop < 0:
        raise ValueError("strSubstring: a position is below zero")
    if stop >= length(text):
        raise ValueError("strSubstring: the end is not before that of the text")
    if start > stop:
        raise ValueError("strSubstring: the start is after the end")
    return as_text(as_bytes(text)[start:stop])


def lower(text: str) -> str:
    return text.lower() if text.isascii() else "".join(map(_lower, text))


def upper(text: str) -> str:
    return text.upper() if text.isascii() else "".join(map(_upper, text))


def _lower(char: str) -> str:
    return char.lower()[0]


def _upper(char: str) -> str:
    """One character for one."""
    return next((each for each in (char.upper(), char.title()) if len(each) == 1), char)


def mended(text: str) -> str:
    """With U+FFFD for each byte of what is no character, as JSON has it."""
    if text.isascii():
        return text
    return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in as_text(as_bytes(text)))


_TO_BOOL = {
    "strContains": lambda text, part: part in text,
    "strContainsAny": contains_any,
    "strHasPrefix": str.startswith,
    "strHasSuffix": str.endswith,
}
_TO_INT = {
    "strCount": str.count,
    "strIndex": index,
    "strIndexAny": index_any,
    "strLastIndex": last_index,
    "strLastIndexAny": last_index_any,
}
_TO_TEXT = {
    "strTrim": str.strip,
    "strTrimLeft": str.lstrip,
    "strTrimRight": str.rstrip,
    "strTrimPrefix": str.removeprefix,
    "strTrimSuffix": str.removesuffix,
}
TEXTS = {
    **{name: of_values({("string", "string"): "bool"}, each) for name, each in _TO_BOOL.items()},
    **{name: of_values({("string", "string"): "int"}, each) for name, each in _TO_INT.items()},
    **{name: of_values({("string", "string"): "string"}, each) for name, each in _TO_TEXT.items()},
    "strLength": of_values({("string",): "int"}, length),
    "strToLower": of_values({("string",): "string"}, lower),
    "strToUpper": of_values({("string",): "string"}, upper),
    "strTrimSpace": of_values({("string",): "string"}, lambda text: text.strip(SPACE)),
    "strReplace": of_values({("string", "string", "string", "int"): "string"}, replace),
    "strSubstring": of_values({("string", "int", "int"): "string"}, substring),
    "regexReplace": Function({("regex", "string", "string"): "string"}, replaced, fails=True),
}
HALVES = frozenset({"strSubstring"})
"""The functions that can leave half a character."""
