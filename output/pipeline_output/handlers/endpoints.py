"""Endpoints that the operator names, and scripts post to by name.

In:      a JSON file: `{"name": {"url": "https://..", "headers": {..}, "username": "..", "password": ".."}}`, all but `url` optional.
Out:     endpoints by name, none without a file.
Refuses: (BadSetting) a file that is not of that form, a URL that is not one of HTTP.
From:    Kapacitor's `[[httppost]]`, whose URL may be a template; without its templates of bodies.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from pipeline_queue.errors import BadSetting


class Endpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    url: str
    headers: Mapping[str, str] = {}
    username: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return "Endpoint(..)"  # all of it may be secret

    @property
    def all_headers(self) -> tuple[tuple[str, str], ...]:
        """With who asks, where that is set."""
        own = tuple(self.headers.items())
        if not self.username:
            return own
        who = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        return (*own, ("Authorization", f"Basic {who}"))


def endpoints_of(path: Path | None) -> Mapping[str, Endpoint]:
    """Raises BadSetting."""
    if path is None:
        return {}
    try:
        found = msgspec.json.decode(path.read_bytes(), type=dict[str, Endpoint])
        for name, each in found.items():
            if not _is_web(each.url):
                raise ValueError(f"the URL of `{name}` is not of the form `http://host:port/path`")
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, ValueError) as cause:
        raise BadSetting(f"TASKS_ENDPOINTS_FILE is `{path}`, which cannot be used: {cause}") from None
    return found


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
