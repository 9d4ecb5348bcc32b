"""One post over HTTP.

In:      a post, with its host. A user in its URL asks as HTTP's Basic has it, as in Go's client.
Out:     nothing, or the status that was answered.
Refuses: (Refused) what the target does not want, and will not; (OSError) where another try may help.
Nobody is led elsewhere by an answer: elsewhere may be where nobody may send to.
"""

from __future__ import annotations

import base64
import http.client
import logging
import urllib.error
import urllib.request
from urllib.parse import unquote, urlsplit

from pipeline_processing.engine.courier import Post

LOG = logging.getLogger(__name__)
AGAIN = frozenset({408, 429})
MENDABLE = frozenset({401, 403, 404})
"""Who may write, and whether the database is there: who asks for ever waits until the operator has mended that."""
CAPTURED_MAX = 1024
"""Bytes of an answer that the log gets."""


class Refused(Exception):
    """The target does not want it, and will not."""


def over_http(post: Post) -> None:
    """Send it; raises Refused, or OSError where another try may help."""
    status, said = _answer(post)
    if status >= 300:
        again = AGAIN | MENDABLE if post.attempts_max is None else AGAIN
        refusal = Refused if status < 500 and status not in again else OSError
        raise refusal(f"answered {status}{said}")


def status_over_http(post: Post, *, told: str) -> int:
    """Send it once: the answer's status, 0 where there is none; `told` is who says so in the log what went wrong."""
    try:
        status, said = _answer(post)
    except OSError as error:
        LOG.error("%s: %s did not answer: %s", told, host_of(post.url), error)
        return 0
    if status >= 300:
        LOG.error("%s: %s answered %d%s", told, host_of(post.url), status, said)
    return status


def host_of(url: str) -> str:
    """What of a URL may stand in a log: paths and queries can hold secrets."""
    return url.split("//", 1)[-1].split("/", 1)[0].rsplit("@", 1)[-1]


def basic(user: str, password: str) -> str:
    """As the header Authorization has it."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


class _Straight(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


_OPENER = urllib.request.build_opener(_Straight)


def _answer(post: Post) -> tuple[int, str]:
    """Its status, and what it says if that is wanted and is no; raises OSError where there is none."""
    try:
        request = _request(post)
        with _OPENER.open(request, timeout=post.timeout_s) as answer:
            answer.read()
            return answer.status, ""
    except urllib.error.HTTPError as error:
        with error:
            said = f": {error.read(CAPTURED_MAX).decode(errors='replace')}" if post.is_captured else ""
            return error.code, said
    except (ValueError, http.client.HTTPException, urllib.error.URLError) as error:
        raise OSError(str(error)) from error


def _request(post: Post) -> urllib.request.Request:
    url, parts, who = post.url, urlsplit(post.url), {}
    if parts.username is not None:
        url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        who = {"Authorization": basic(unquote(parts.username), unquote(parts.password or ""))}
    headers = {"Idempotency-Key": post.key, **who, **dict(post.headers)}
    return urllib.request.Request(url, data=post.body, headers=headers, method="POST")
