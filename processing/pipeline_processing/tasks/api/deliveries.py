"""`/deliveries`: what became of alerts. Kapacitor has no such thing.

In:      the parameter `limit`, of those that were given up; 100 if it is absent.
Out:     `handlers`, counts by handler since the state's folder was made, and `given-up`, the newest first, with their reasons.
Refuses: (Refused) a limit that is none.
"""

from __future__ import annotations

from typing import Any

from pipeline_output.handlers.outcomes import GivenUp, Outcomes

from pipeline_processing.tasks.api.listing import LIMIT, number
from pipeline_processing.tasks.api.messages import Request, Response, answered
from pipeline_processing.tasks.times import rfc3339


def show_deliveries(outcomes: Outcomes, request: Request) -> Response:
    limit = max(1, number(request, "limit", LIMIT))
    return answered(
        {
            "handlers": outcomes.figures().by_handler(),
            "given-up": [_told(each) for each in outcomes.given_up(limit)],
        }
    )


def _told(given_up: GivenUp) -> dict[str, Any]:
    return {
        "time": rfc3339(given_up.given_up_ns),
        "handler": given_up.kind,
        "alert": given_up.alert_id,
        "event": given_up.event_id,
        "attempts": given_up.attempts,
        "reason": given_up.reason,
    }
