"""URLs that are templates, as `httpPost`, an alert's `post` and the operator's endpoints may have them.

In:      a URL; what it is filled in with, a series as JSON has it, or an alert.
Out:     the URL. What its values have that no URL has, such as spaces, is written as %XX; `urlquery` does that with `/`, `&` and `?`, too.
Refuses: wrong templates (BadTemplate); what cannot be filled in (TemplateFailed).
From:    Kapacitor 1.5.7, where a template knows what is posted, and not what an alert's other templates know.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pipeline_queue.alerts import Alert

from pipeline_processing.alerts.templates import AnyMap, GoDuration, GoTime, StringMap, Struct, Template, parsed_json
from pipeline_processing.results.times import ns_of

SIGNS = "%/:?#[]@!$&'()*+,;=~"
"""That have a meaning in URLs, and stay."""


def is_template(url: str) -> bool:
    return "{{" in url


def check(url: str) -> None:
    """Raises BadTemplate."""
    if is_template(url):
        _template(url)


def of_series(url: str, series: Mapping[str, Any]) -> str:
    """`.Name`, `.Tags`, and `.Values`, which has a map of the columns for each row."""
    return _filled(url, _row(series)) if is_template(url) else url


def of_alert(url: str, alert: Alert | None) -> str:
    """What `post` sends, by Go's names: `.ID`, `.Level`, `.Data.Series` and the like. Without an alert the URL is checked, and as it is."""
    if alert is None or not is_template(url):
        check(url)
        return url
    return _filled(url, _alert(alert))


@lru_cache(maxsize=256)
def _template(url: str) -> Template:
    return parsed_json(url, name="url")


def _filled(url: str, data: Struct) -> str:
    return urllib.parse.quote(_template(url).render(data), safe=SIGNS, errors="replace")


def _row(series: Mapping[str, Any]) -> Struct:
    columns = series.get("columns", ())
    rows = [AnyMap(zip(columns, each, strict=True)) for each in _values(series)]
    return Struct("mappedRow", {"Name": series.get("name", ""), "Tags": _tags(series), "Values": rows})


def _alert(alert: Alert) -> Struct:
    told = {
        "ID": alert.alert_id,
        "Message": alert.message,
        "Details": alert.details,
        "Time": GoTime(alert.at_ns),
        "Duration": GoDuration(alert.duration_ns),
        "Level": alert.level,
        "Data": Struct("Result", {"Series": [_series(each) for each in alert.series]}),
        "PreviousLevel": alert.previous_level,
        "Recoverable": alert.recoverable,
    }
    return Struct("Data", told)


def _series(series: Mapping[str, Any]) -> Struct:
    own = {"Name": series.get("name", ""), "Tags": _tags(series), "Columns": list(series.get("columns", ()))}
    return Struct("Row", {**own, "Values": _values(series)})


def _tags(series: Mapping[str, Any]) -> StringMap:
    return StringMap(series.get("tags") or {})


def _values(series: Mapping[str, Any]) -> list[list[Any]]:
    """The first column is the time."""
    return [[GoTime(ns_of(time)), *others] for time, *others in series.get("values") or ()]
