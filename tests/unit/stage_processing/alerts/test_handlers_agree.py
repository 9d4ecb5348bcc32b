"""What scripts may say of a handler, and what the handler that delivers reads, are one thing in two places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pipeline_output.handlers import HANDLERS, Operator, made
from pipeline_output.handlers.calls import Calls
from pipeline_output.handlers.endpoints import Endpoint
from pipeline_output.handlers.pager_duty2 import PagerDuty2Alert
from pipeline_output.handlers.sensu import SensuAlert
from pipeline_output.handlers.settings import AlertSettings
from pipeline_output.handlers.targets import EVERYWHERE
from pipeline_processing.alerts.handler_calls import HANDLERS as IN_SCRIPTS
from pipeline_processing.alerts.handler_calls import HandlerKind, rendered
from pipeline_processing.alerts.properties import alert_from_properties
from pipeline_processing.engine.alerting import called
from pipeline_processing.operators.options import Duration
from pipeline_queue.alerts import HandlerCall

ARGUMENTS = {
    "log": ["/alerts"],
    "exec": ["/bin/true"],
    "post": ["http://example.com/"],
    "tcp": ["example.com:1"],
    "email": ["a@example.com"],
    "apprise": ["ntfy://example.com/topic"],
}
SPECIAL = {
    "address": ["example.com:2"],
    "channelURL": ["http://example.com/"],
    "endpoint": [""],
    "mode": [0o644],
    "parseMode": ["HTML"],
    "recoveryAction": ["close"],
    "to": ["b@example.com"],
    "workspace": [""],
}
USUAL = ([], ["x"], ["x", "y"], [True], [Duration(1_000_000_000)])


def operator(folder: Path) -> Operator:
    """Who has configured all there is."""
    given = {name: "x" for name, each in AlertSettings.model_fields.items() if "SecretStr" in str(each.annotation)}
    addresses = {
        "alerta_url": "http://example.com",
        "hipchat_url": "http://example.com",
        "hipchat_room": "x",
        "sensu_address": "example.com:3030",
        "smtp_from": "us@example.com",
        "telegram_chat_id": "x",
        "exec_allowed": "/bin/true",
    }
    settings = AlertSettings(**given | addresses, log_dir=folder)
    return Operator(settings=settings, targets=EVERYWHERE, endpoints={"x": Endpoint(url="http://example.com")})


def accepted(kind: HandlerKind, name: str) -> list[Any]:
    """Arguments that scripts may give the property."""
    for given in [SPECIAL[name]] if name in SPECIAL else USUAL:
        try:
            kind.properties[name].reader(given)
        except ValueError:
            continue
        return given
    pytest.fail(f"no arguments for {name}")


def as_delivered(*calls: tuple[str, list[Any]]) -> HandlerCall:
    """The handler as it travels, of an alert whose script says that."""
    (named,) = alert_from_properties(calls).handlers
    return called(named)


def arguments_of(kind: str, folder: Path) -> list[str]:
    return [str(folder / "a.log")] if kind == "log" else ARGUMENTS.get(kind, [])


@pytest.mark.parametrize("kind", HANDLERS)
def test_a_script_may_say_exactly_what_the_handler_reads(kind: str, tmp_path: Path) -> None:
    calls = Calls(as_delivered((kind, arguments_of(kind, tmp_path))))
    HANDLERS[kind].of(calls, operator(tmp_path))
    assert calls.asked == set(IN_SCRIPTS[kind].properties)


@pytest.mark.parametrize("kind", HANDLERS)
def test_what_a_script_says_of_a_handler_is_taken_by_it(kind: str, tmp_path: Path) -> None:
    own = IN_SCRIPTS[kind]
    said = [(name, accepted(own, name)) for name in own.properties]
    made(as_delivered((kind, arguments_of(kind, tmp_path)), *said), operator(tmp_path))


def test_metadata_for_sensu_keeps_its_types(tmp_path: Path) -> None:
    said = [("metadata", [name, value]) for name, value in (("n", 5), ("f", 1.5), ("b", True), ("s", "x"))]
    handler = made(as_delivered(("sensu", []), *said, ("metadata", ["d", Duration(7)])), operator(tmp_path))
    assert isinstance(handler, SensuAlert)
    assert handler.metadata == {"n": 5, "f": 1.5, "b": True, "s": "x", "d": 7}


def test_a_link_without_a_text_is_its_own_text(tmp_path: Path) -> None:
    asked = as_delivered(("pagerDuty2", []), ("link", ["http://a"]), ("link", ["http://b", "B"]))
    handler = made(asked, operator(tmp_path))
    assert isinstance(handler, PagerDuty2Alert)
    assert handler.links == (("http://a", "http://a"), ("http://b", "B"))


@pytest.mark.parametrize(
    ("kind", "name", "texts"),
    [
        ("pagerDuty2", "link", ["{{ .ID }}", "{{ .Level }}"]),
        ("alerta", "services", ["{{ .ID }}", "{{ .Level }}"]),
        ("alerta", "correlated", ["{{ .ID }}"]),
    ],
)
def test_links_and_lists_are_templates(kind: str, name: str, texts: list[str]) -> None:
    (named,) = alert_from_properties([(kind, []), (name, texts)]).handlers
    done = called(rendered(named, lambda text: text.replace("{{ .", "<").replace(" }}", ">")))
    assert done.properties[name] == (tuple(f"<{each[4:-3]}>" for each in texts),)
