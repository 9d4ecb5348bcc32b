"""Templates of ids, messages and details: the part of Go's text/template that scripts use."""

from pipeline_processing.alerts.templates.errors import BadTemplate, TemplateFailed
from pipeline_processing.alerts.templates.template import Template, parsed, parsed_html, parsed_json
from pipeline_processing.alerts.templates.values import AnyMap, GoDuration, GoTime, StringMap, Struct

__all__ = [
    "AnyMap",
    "BadTemplate",
    "GoDuration",
    "GoTime",
    "StringMap",
    "Struct",
    "Template",
    "TemplateFailed",
    "parsed",
    "parsed_html",
    "parsed_json",
]
