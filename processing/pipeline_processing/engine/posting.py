"""Requests of one task as posts.

In:      requests, as nodes let them out.
Out:     a post for each point or batch, in order; one that may not be sent, whose URL cannot be filled in, or that JSON cannot
         say, is told of in the log, and leads nowhere.
An endpoint is the operator's, so the list of targets does not bind it. Of a URL that is a template, what comes of it is looked up there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from pipeline_output.handlers.endpoints import Endpoint

from pipeline_processing.alerts import urls
from pipeline_processing.alerts.templates import TemplateFailed
from pipeline_processing.engine.courier import NOWHERE, Post
from pipeline_processing.engine.over_http import host_of
from pipeline_processing.operators.outside import Request
from pipeline_processing.points.keys import Keys
from pipeline_processing.results import NotJson, dumps, series_of

LOG = logging.getLogger(__name__)
JSON = ("Content-Type", "application/json")
TIMEOUT_S = 30.0
ATTEMPTS = 5
"""Where nobody waits for the answer."""
REASONS_MAX = 100
"""That the log has of a task's posts that lead nowhere."""


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
    _told: set[str] = field(default_factory=set)

    def posts(self, node: str, request: Request, keys: Keys) -> Iterator[Post]:
        endpoint = self._endpoint(node, request)
        for at in range(len(request.data)):
            one = request.data.take(np.array([at]))
            series = series_of(one, keys)
            url = self._url(node, request, series[0], endpoint) if endpoint else NOWHERE
            body = self._body(node, series) if url else b""
            yield Post(
                url=url if body else NOWHERE,
                body=body,
                key=f"{self.origin}.{node}.{int(one.cause[0])}.{_ordinal(request.data.cause, at)}",
                headers=(JSON, *(endpoint.all_headers if endpoint else ()), *request.headers),
                timeout_s=request.timeout_ns / 1e9 or TIMEOUT_S,
                attempts_max=ATTEMPTS,
                is_captured=request.is_captured,
            )

    def _endpoint(self, node: str, request: Request) -> Endpoint | None:
        if not request.endpoint:
            return Endpoint(url=request.url)
        if request.endpoint not in self.reach.endpoints:
            self.tell(f"{node}: no endpoint is called {request.endpoint}")
        return self.reach.endpoints.get(request.endpoint)

    def _url(self, node: str, request: Request, series: dict[str, Any], endpoint: Endpoint) -> str:
        try:
            url = urls.of_series(endpoint.url, series)
        except TemplateFailed as error:
            self.tell(f"{node}: {error}")
            return NOWHERE
        if request.endpoint or self.reach.allowed(url):
            return url
        told = host_of(url) if urls.is_template(request.url) else url
        self.tell(f"{node} may not post to {told}: it is not in TASKS_ALLOW_TARGETS")
        return NOWHERE

    def _body(self, node: str, series: list[dict[str, Any]]) -> bytes:
        try:
            return dumps({"series": series})
        except NotJson as error:
            self.tell(f"{node}: {error}")
            return b""

    def tell(self, reason: str) -> None:
        """Each reason once; what it concerns is counted as given up."""
        if reason not in self._told and len(self._told) < REASONS_MAX:
            self._told.add(reason)
            LOG.error("task %s: %s", self.task, reason)


def _ordinal(cause: np.ndarray, at: int) -> int:
    """The number of one item among those of its cause, which stand together."""
    return at - int(np.argmax(cause == cause[at]))
