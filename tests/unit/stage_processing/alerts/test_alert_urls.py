"""URLs filled in as Kapacitor's `httpPost` and `post` do it, and what values may not do to them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from alert_sending import ALERT
from pipeline_processing.alerts import urls
from pipeline_processing.alerts.properties import WrongProperty, alert_from_properties
from pipeline_processing.alerts.templates import BadTemplate, TemplateFailed

SERIES = {
    "name": "cpu",
    "tags": {"host": "a b", "cpu": "0"},
    "columns": ["time", "usage"],
    "values": [["1971-01-01T00:00:10.5Z", 97.5], ["1971-01-01T00:00:11Z", 98]],
}


@pytest.mark.parametrize(
    ("template", "url"),
    [
        (
            'http://h/{{ .Name }}/?host={{ index .Tags "host" }}&cpu={{ index .Tags "cpu" }}',
            "http://h/cpu/?host=a%20b&cpu=0",
        ),
        ("http://h/{{ range .Values }}{{ .usage }},{{ end }}", "http://h/97.5,98,"),
        ('http://h/{{ (index (index .Values 0) "time").Unix }}', "http://h/31536010"),
        ("http://h/?{{ .Name | json }}", "http://h/?%22cpu%22%0A"),
        ("http://h/without a template", "http://h/without a template"),
    ],
)
def test_a_url_of_points_has_what_is_posted(template: str, url: str) -> None:
    assert urls.of_series(template, SERIES) == url


@pytest.mark.parametrize(
    ("template", "url"),
    [
        ("http://h/{{ .ID }}/{{ .Level }}/{{ .PreviousLevel }}", "http://h/kapacitor.cpu.serverA/CRITICAL/OK"),
        ("http://h/?{{ .Message | urlquery }}", "http://h/?kapacitor.cpu.serverA+is+CRITICAL"),
        (
            'http://h/{{ with index .Data.Series 0 }}{{ .Name }}/{{ index .Tags "host" }}{{ end }}',
            "http://h/cpu/serverA",
        ),
        ("http://h/{{ .Duration }}/{{ .Time.Unix }}/{{ .Recoverable }}", "http://h/1m0s/31536010/true"),
    ],
)
def test_a_url_of_an_alert_has_what_is_posted(template: str, url: str) -> None:
    assert urls.of_alert(template, replace(ALERT, duration_ns=60_000_000_000)) == url


def test_what_other_templates_of_an_alert_know_its_url_does_not() -> None:
    with pytest.raises(TemplateFailed, match="can't evaluate field TaskName"):
        urls.of_alert("http://h/{{ .TaskName }}", ALERT)


def test_without_an_alert_a_url_is_only_read() -> None:
    assert urls.of_alert("http://h/{{ .TaskName }}", None) == "http://h/{{ .TaskName }}"
    with pytest.raises(BadTemplate):
        urls.of_alert("http://h/{{ .TaskName", None)


def test_a_url_that_cannot_be_read_is_refused_where_the_alert_is_made() -> None:
    with pytest.raises(WrongProperty, match='property "post" template: url:1: ') as refused:
        alert_from_properties([("post", ["http://h/{{ .ID"])])
    assert isinstance(refused.value.__cause__, BadTemplate)
