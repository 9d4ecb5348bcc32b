"""The names that `as` gives, which go before those of fields."""

from __future__ import annotations

from collections.abc import Sequence


def check_prefixes(names: Sequence[str], delimiter: str, *, wanted: int, what: str) -> None:
    """Refuse (ValueError) other than one name for each of `wanted`, equal or empty ones, and those with the delimiter."""
    if not names:
        raise ValueError(f"as() is required: a name for each {what}")
    if len(names) != wanted:
        raise ValueError(f"as() takes a name for each {what}: {wanted} names, got {len(names)}")
    for name in names:
        if not name:
            raise ValueError("as() takes names that are not empty")
        if delimiter and delimiter in name:
            raise ValueError(f"as() takes names without the delimiter `{delimiter}`, got `{name}`")
    if len(set(names)) < len(names):
        raise ValueError(f"as() takes different names, got {', '.join(names)}")
