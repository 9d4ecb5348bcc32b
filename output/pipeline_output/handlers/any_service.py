"""`.apprise(url)`: any of the services that apprise knows; the title is the message, the text the details.

A script may name a service whose scheme TASKS_ALLOW_TARGETS has (`ntfy://`). Of those in BY_HOST it is enough that their host is on the
list: what else they take of a URL leads to no other host. Such a URL is then of the plainest form, since apprise reads URLs its own way.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Self

from pipeline_output.handlers.calls import Calls
from pipeline_output.handlers.handler import Delivery, Operator
from pipeline_output.handlers.transport import Transport

BY_HOST = frozenset({"json", "jsons", "xml", "xmls", "form", "forms", "ntfy", "ntfys", "gotify", "gotifys"})
PLAIN = re.compile(r"[a-z]+://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~/-]*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyAlert:
    url: str = field(repr=False)

    @property
    def target(self) -> str:
        return f"apprise {self.url.partition('://')[0]} {hashlib.sha256(self.url.encode()).hexdigest()[:8]}"

    @classmethod
    def of(cls, calls: Calls, operator: Operator) -> Self:
        url = calls.argument("the URL of a service")
        scheme, found, _ = url.partition("://")
        if not found or not scheme.isascii():
            raise calls.bad("needs a URL as apprise has them, such as `ntfy://host/topic`")
        targets = operator.targets
        is_plain = scheme in BY_HOST and PLAIN.fullmatch(url) is not None
        if not (targets.allowed_scheme(scheme) or (is_plain and targets.allowed_url(url))):
            raise calls.bad(f"may not tell that service; TASKS_ALLOW_TARGETS has neither `{scheme}://` nor its host")
        return cls(url=url)

    def deliver(self, delivery: Delivery, *, transport: Transport) -> None:
        alert = delivery.alert
        transport.notify(self.url, title=alert.message, body=alert.details or alert.message)
