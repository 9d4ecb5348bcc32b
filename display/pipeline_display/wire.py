"""JSON as Socket.IO wants it: `dumps` and `loads`, by msgspec.

In:  Python values; a `msgspec.Raw` is JSON already and is copied as it is, so a frame is encoded once for all pages.
"""

from __future__ import annotations

from typing import Any

import msgspec


def dumps(value: Any, **_layout: Any) -> str:
    return msgspec.json.encode(value).decode()


def loads(text: str | bytes, **_layout: Any) -> Any:
    """Raises ValueError for what is no JSON, as Socket.IO expects."""
    try:
        return msgspec.json.decode(text)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error
