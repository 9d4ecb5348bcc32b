"""Who may ask.

In:      a request, and the token that the server was given.
Out:     None if it may, else the response that says why not.
The token comes as `Authorization: Bearer TOKEN`, as `Token TOKEN`, or in the ways of InfluxDB's clients, of whom any user will do: Basic with the
token as password, `Token user:TOKEN`, or the parameters `u` and `p`. It is compared in constant time.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Iterator

from pipeline_processing.tasks.api.messages import Request, Response, failed

SAFE = {"GET", "HEAD", "OPTIONS"}


class Access:
    def __init__(self, token: str | None) -> None:
        """Without a token everybody may ask who reaches the server, but for pages of other servers in a browser."""
        self._token = token.encode() if token else None

    def refusal(self, request: Request) -> Response | None:
        if self._token is None:
            is_foreign = request.method not in SAFE and "origin" in request.headers
            return (
                failed(403, "a page in a browser may not change anything here: this server has no token")
                if is_foreign
                else None
            )
        # All are compared, whichever fits.
        if any([hmac.compare_digest(self._token, each.encode()) for each in _given(request)]):
            return None
        reason = "unable to parse authentication credentials: the token is missing, or it is another"
        return failed(401, reason, ("www-authenticate", 'Basic realm="tasks"'))


def _given(request: Request) -> Iterator[str]:
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    rest = rest.strip()
    match scheme.lower():
        case "bearer":
            yield rest
        case "token":
            yield rest
            yield rest.partition(":")[2]
        case "basic":
            yield _password(rest)
    yield request.first("p")


def _password(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
