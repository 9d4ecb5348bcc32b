"""Which names were properties and which made nodes in Kapacitor 0.10 and 0.11, where a point stood before both.

A name that is both, as `where` after `from`, was the property. Handlers' own properties are the alert's here.
"""

from __future__ import annotations

_ALERT = """
    id message details info warn crit flapping history stateChangesOnly
    log mode post email to exec victorOps routingKey pagerDuty sensu slack channel hipChat room token
    alerta resource environment group value origin service opsGenie teams recipients
"""

PROPERTIES = {
    kind: frozenset(names.split())
    for kind, names in {
        "stream": "",
        "batch": "",
        "from": "database retentionPolicy measurement where groupBy truncate",
        "query": "period every cron offset groupBy fill cluster",
        "window": "period every align",
        "groupBy": "",
        "where": "",
        "eval": "as keep",
        "derivative": "as unit nonNegative",
        "sample": "",
        "shift": "",
        "union": "rename",
        "join": "as tolerance fill streamName on",
        "log": "level prefix",
        "httpOut": "",
        "influxDBOut": "cluster database retentionPolicy measurement precision writeConsistency tag buffer flushInterval",
        "alert": _ALERT,
        "stats": "",
        "deadman": _ALERT,
        "mapReduce": "as usePointTimes",
    }.items()
}
"""Every kind of node with its properties."""
