"""Requests of one task as posts.

In:      requests, as nodes let them out.
Out:     a post for each point or batch, in order; one that may not be sent, or that JSON cannot say, is told of in the log, and
         left out, or, where its answer is awaited, leads nowhere.
An endpoint is the operator's, so the list of targets does not bind it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from pipeline_output.handlers.endpoints import Endpoint

from pipeline_processing.engine.courier import Post
from pipeline_processing.operators.outside import Request
from pipeline_processing.points.keys import Keys
from pipeline_processing.results import NotJson, dumps, series_of

LOG = logging.getLogger(__name__)
JSON = ("Content-Type", "application/json")
TIMEOUT_S = 30.0
ATTEMPTS = 5
"""Where nobody waits for the answer."""
NOWHERE = ""
"""The URL of what is not sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Whom tasks may send to: URLs that scripts may name, the InfluxDB, and endpoints by name."""

    allowed: Callable[[str], bool]
    influx_url: str = ""
    influx_authorization: str = field(default="", repr=False)
    """The header that says who writes there; none if empty."""
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)

    def addressed(self, post: Post) -> Post:
        """A post for the operator's InfluxDB with where that is and who asks, as both are now; any other as it is."""
        if not post.url.startswith("/"):
            return post
        who = (("Authorization", self.influx_authorization),) if self.influx_authorization else ()
        return replace(post, url=self.influx_url.rstrip("/") + post.url, headers=(*post.headers, *who))


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """`origin` is the task and the version of its definition: keys begin with it."""

    task: str
    origin: str
    reach: Reach

    def posts(self, node: str, request: Request, keys: Keys) -> Iterator[Post]:
        url, headers = self._target(node, request)
        for at in range(len(request.data)):
            one = request.data.take(np.array([at]))
            body = self._body(node, series_of(one, keys)) if url else b""
            if not body and not request.is_awaited:
                continue
            yield Post(
                url=url if body else NOWHERE,
                body=body,
                key=f"{self.origin}.{node}.{int(one.cause[0])}.{_ordinal(request.data.cause, at)}",
                headers=(JSON, *headers, *request.headers),
                timeout_s=request.timeout_ns / 1e9 or TIMEOUT_S,
                attempts_max=ATTEMPTS,
                is_captured=request.is_captured,
            )

    def _target(self, node: str, request: Request) -> tuple[str, tuple[tuple[str, str], ...]]:
        endpoint = self.reach.endpoints.get(request.endpoint) if request.endpoint else None
        if endpoint:
            return endpoint.url, endpoint.all_headers
        if request.endpoint:
            LOG.error("task %s: %s: no endpoint is called %s", self.task, node, request.endpoint)
            return NOWHERE, ()
        if not self.reach.allowed(request.url):
            LOG.error("task %s: %s may not post to %s: it is not in TASKS_ALLOW_TARGETS", self.task, node, request.url)
            return NOWHERE, ()
        return request.url, ()

    def _body(self, node: str, series: list[dict]) -> bytes:
        try:
            return dumps({"series": series})
        except NotJson as error:
            LOG.error("task %s: %s: %s", self.task, node, error)
            return b""


def _ordinal(cause: np.ndarray, at: int) -> int:
    """The number of one item among those of its cause, which stand together."""
    return at - int(np.argmax(cause == cause[at]))
