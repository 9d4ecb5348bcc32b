"""Who may send events: clients, known by a token, each with limits of its own.

In:      a JSON file `{"NAME": {"token_sha256": "...", "events_per_s": 1000, "body_bytes_max": 8388608}}`, limits being optional.
Out:     the client of an `Authorization` header; whether it may send so many events now.
Refuses: (BadClients) a file that is missing, no JSON, or of another form.
A token has 256 random bits, so its plain SHA-256 tells nobody what it is, and it is compared in constant time.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec

from pipeline_input.errors import InputError

SCHEME = "Bearer "
TOKEN_BYTES = 32
BURST_S = 1.0
"""What a client may send at once, in seconds of its rate."""


class BadClients(InputError):
    """The file of clients cannot be used."""


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One client of the file. No limit of its own is the collector's."""

    token_sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    events_per_s: Annotated[float, msgspec.Meta(gt=0)] | None = None
    body_bytes_max: Annotated[int, msgspec.Meta(gt=0)] | None = None


_DECODER = msgspec.json.Decoder(dict[Annotated[str, msgspec.Meta(min_length=1, max_length=64)], Limits])


class Client:
    """One who sends events; `name` is empty for everybody on an open collector."""

    def __init__(self, name: str, *, events_per_s: float | None = None, body_bytes_max: int | None = None) -> None:
        self.name, self.body_bytes_max = name, body_bytes_max
        self._rate = events_per_s
        self._burst = max(1.0, BURST_S * (events_per_s or 0.0))
        self._allowance, self._at = self._burst, 0.0

    def wait_s(self, events: int, now: float) -> float:
        """Seconds until it may send so many; 0 for now, and then they count.

        A token bucket of BURST_S; a request that is larger than the bucket needs a full one, and is paid for afterwards.
        """
        if self._rate is None:
            return 0.0
        self._allowance = min(self._burst, self._allowance + (now - self._at) * self._rate)
        self._at = now
        needed = min(events, self._burst)
        if self._allowance < needed:
            return (needed - self._allowance) / self._rate
        self._allowance -= events
        return 0.0


class Clients:
    """All of a collector."""

    def __init__(self, limits: Mapping[str, Limits] | None, *, workers: int = 1) -> None:
        """`limits`: None for an open collector. Each of the `workers` processes grants its part of a rate."""
        self._open = Client("") if limits is None else None
        self._known = [
            (
                bytes.fromhex(each.token_sha256),
                Client(name, events_per_s=_part(each.events_per_s, workers), body_bytes_max=each.body_bytes_max),
            )
            for name, each in (limits or {}).items()
        ]

    def client(self, authorization: str | None) -> Client | None:
        """Whose token the header holds; None for nobody's."""
        if self._open is not None:
            return self._open
        if authorization is None or not authorization.startswith(SCHEME):
            return None
        digest = hashlib.sha256(authorization[len(SCHEME) :].strip().encode()).digest()
        found = None
        for known, client in self._known:
            if hmac.compare_digest(known, digest):
                found = client
        return found


def read(path: Path) -> dict[str, Limits]:
    """Raises BadClients."""
    try:
        return _decoded(path, path.read_bytes())
    except OSError as error:
        raise BadClients(f"the clients' file {path} cannot be read: {error.strerror}") from error


def write(path: Path, clients: Mapping[str, Limits]) -> None:
    """The whole file at once: who reads it meanwhile has the old one. Raises BadClients for what could not be read."""
    text = msgspec.json.format(msgspec.json.encode(clients)) + b"\n"
    _decoded(path, text)
    new = path.with_name(f"{path.name}.new")
    new.write_bytes(text)
    new.replace(path)


def _decoded(path: Path, text: bytes) -> dict[str, Limits]:
    try:
        return _DECODER.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadClients(f"the clients' file {path}: {error}") from error


def new_token() -> tuple[str, str]:
    """A token and its hash."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    return token, hashlib.sha256(token.encode()).hexdigest()


def _part(rate: float | None, workers: int) -> float | None:
    return None if rate is None else rate / workers
