"""Templates as Go's text/template and html/template; expected texts are Go's rules or Kapacitor's answers."""

from __future__ import annotations

from typing import Any

import pytest
from pipeline_processing.alerts.templates import (
    AnyMap,
    BadTemplate,
    GoDuration,
    GoTime,
    StringMap,
    Struct,
    TemplateFailed,
    parsed,
    parsed_html,
)

TIME = GoTime(31_536_007_500_000_000)
KNOWN = Struct(
    "messageInfo",
    {
        "ID": "load:host=b",
        "Fields": AnyMap(n=60, s="down", v=97.5, big=123456789.0, nothing=None),
        "Level": "INFO",
        "Time": TIME,
        "Duration": GoDuration(90_000_000_000),
        "Message": "<b>+'",
    },
    Struct("idInfo", {"Name": "load", "Group": "host=b", "Tags": StringMap(host="b", dc="d1")}),
)


def rendered(template: str) -> str:
    return parsed(template, name="message").render(KNOWN)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ .Name }}:{{.Group}}", "load:host=b"),
        ('[{{ index .Tags "nope" }}][{{ index .Fields "nope" }}]', "[][<no value>]"),
        ('{{ index .Fields "nothing" }}', "<no value>"),
        ('{{ index .Fields "big" }}', "1.23456789e+08"),
        ("{{ .Tags }} {{ .Fields.v }}", "map[dc:d1 host:b] 97.5"),
        ("{{ .Time }} {{ .Duration }}", "1971-01-01 00:00:07.5 +0000 UTC 1m30s"),
        ('{{ .Time.Format "Jan _2 15:04:05.000" }} {{ .Time.Unix }}', "Jan  1 00:00:07.500 31536007"),
        ("{{ range $k, $v := .Tags }}<{{ $k }}:{{ $v }}>{{ end }}", "<dc:d1><host:b>"),
        ("{{ range .Nope }}{{ else }}none{{ end }}", None),
        ('{{ if eq .Level "OK" }}a{{ else if eq .Level "X" "INFO" }}b{{ else }}c{{ end }}', "b"),
        ("{{ with .Fields.nope }}{{ . }}{{ else }}none{{ end }}", "none"),
        ("a {{- /* gone */ -}} b {{- $x := 3 }} {{ $x }}", "ab 3"),
        ("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}", "2"),
        ("{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ end }}{{ $x }}", "1"),
        ("{{ and .ID 0 }} {{ or 0 .ID }} {{ not .ID }} {{ len .ID }}", "0 load:host=b false 11"),
        ("{{ (len .ID) | printf `%03d` }} {{ print 1 2 `x` }}", "011 1 2x"),
        ("{{ lt 1 2 }} {{ ge 1.5 1.5 }} {{ gt `a` `b` }} {{ ne 1 2 }}", "true true false true"),
        ("{{ .Message | html }} {{ `a b&c` | urlquery }} {{ js `'` }}", "&lt;b&gt;+&#39; a+b%26c \\'"),
        ("{{ .Fields }}", "map[big:1.23456789e+08 n:60 nothing:<nil> s:down v:97.5]"),
    ],
)
def test_a_template_renders_as_in_go(template: str, text: str | None) -> None:
    if text is None:
        with pytest.raises(TemplateFailed):
            rendered(template)
    else:
        assert rendered(template) == text


@pytest.mark.parametrize(
    ("format_", "value", "text"),
    [
        ("%5.1f|", 97.25, " 97.2|"),
        ("%-6s|", "ab", "ab    |"),
        ("%+d %x", 255, "+255 %!x(MISSING)"),
        ("%06.2f", -1.5, "-01.50"),
        ("%q", 'a"b\n', '"a\\"b\\n"'),
        ("%e", 97.5, "9.750000e+01"),
        ("%g", 1e21, "1e+21"),
        ("%x", "hi", "6869"),
        ("%d", "hi", "%!d(string=hi)"),
        ("%s", 5, "%!s(int64=5)"),
        ("%d", 1.5, "%!d(float64=1.5)"),
        ("%0.3f", None, "%!f(<nil>)"),
        ("%t %%", True, "true %"),
        ("%v", None, "<nil>"),
        ("none", 1, "none%!(EXTRA int64=1)"),
    ],
)
def test_printf_writes_as_gos_fmt(format_: str, value: Any, text: str) -> None:
    known = Struct("messageInfo", {"Format": format_, "Value": value})
    assert parsed("{{ printf .Format .Value }}", name="message").render(known) == text


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{{ .Name", "template: id:1: unclosed action"),
        ("{{ nofunc . }}", 'template: id:1: function "nofunc" not defined'),
        ("{{ json .Tags }}", 'template: id:1: function "json" not defined'),
        ("a\n{{ if .A }}", "template: id:2: unexpected EOF"),
        ("{{ end }}", "template: id:1: unexpected {{end}}"),
        ("{{ }}", "template: id:1: missing value for command"),
        ("{{ .A | }}", "template: id:1: missing value for command"),
        ("{{ $x }}", 'template: id:1: undefined variable "$x"'),
        ("{{ (.A }}", "template: id:1: unclosed left paren"),
        ('{{ "abc }}', "template: id:1: unterminated quoted string"),
    ],
)
def test_a_wrong_template_is_refused_with_its_line(template: str, reason: str) -> None:
    with pytest.raises(BadTemplate) as refused:
        parsed(template, name="id")
    assert str(refused.value) == reason


@pytest.mark.parametrize(
    "template", ["{{ .Nope }}", '{{ eq 1 "a" }}', "{{ len 3 }}", "{{ index .Fields 1 }}", "{{ .ID.x }}"]
)
def test_what_cannot_be_computed_fails_when_rendered(template: str) -> None:
    with pytest.raises(TemplateFailed):
        rendered(template)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ('<p class="x">{{ .Message }} &amp; {{ .ID }}</p>', '<p class="x">&lt;b&gt;&#43;&#39; &amp; load:host=b</p>'),
        ("{{ json .Tags }}", "{&#34;dc&#34;:&#34;d1&#34;,&#34;host&#34;:&#34;b&#34;}\n"),
        (
            "<script>x = {{ json .Tags }};y = {{ .Level }}</script>",
            '<script>x = {"dc":"d1","host":"b"}\n;y = "INFO"</script>',
        ),
        ('<a href="{{ .Name }} x">', '<a href="load x">'),
        ('<a href="{{ `javascript:alert(1)` }}">', '<a href="#ZgotmplZ">'),
        ("a<!-- {{ .ID }} -->b{{ .Fields.nope }}c", "abc"),
        ("{{ .Message | html }}", "&lt;b&gt;+&#39;"),
    ],
)
def test_details_are_escaped_where_they_stand_in_html(template: str, text: str) -> None:
    assert parsed_html(template, name="details").render(KNOWN) == text


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0s"),
        (1, "1ns"),
        (1_500, "1.5µs"),
        (2_000_000, "2ms"),
        (3_600_000_000_000, "1h0m0s"),
        (-90_500_000_000, "-1m30.5s"),
    ],
)
def test_durations_read_as_gos(ns: int, text: str) -> None:
    assert str(GoDuration(ns)) == text
