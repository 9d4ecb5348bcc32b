"""From a script's properties to an alert and its handlers."""

from __future__ import annotations

from typing import Any

import pytest
from alert_cases import Input, expression, run
from pipeline_processing.alerts.event import HandlerCall
from pipeline_processing.alerts.handler_calls import HANDLERS
from pipeline_processing.alerts.properties import WrongProperty, alert_from_properties
from pipeline_processing.operators.alert import Alert
from pipeline_processing.operators.options import Duration

CRIT = ("crit", [expression('"v" > 5.0')])


def test_properties_after_a_handler_are_its_own() -> None:
    alert = alert_from_properties(
        [
            CRIT,
            ("slack", []),
            ("channel", ["#ops"]),
            ("post", ["http://a"]),
            ("header", ["k", "v"]),
            ("header", ["l", "w"]),
            ("email", ["a@b"]),
            ("to", ["c@d", "e@f"]),
            ("to", ["g@h"]),
            ("log", ["/tmp/x"]),
            ("mode", [0o644]),
        ]
    )
    assert alert.handlers == (
        HandlerCall(kind="slack", properties=(("channel", "#ops"),)),
        HandlerCall(kind="post", arguments=("http://a",), properties=(("header", (("k", "v"), ("l", "w"))),)),
        HandlerCall(kind="email", arguments=("a@b",), properties=(("to", ("c@d", "e@f", "g@h")),)),
        HandlerCall(kind="log", arguments=("/tmp/x",), properties=(("mode", 0o644),)),
    )


def test_a_value_of_the_alert_leaves_a_handler_open_and_a_switch_closes_it() -> None:
    alert = alert_from_properties([("slack", []), ("message", ["m"]), ("channel", ["#x"])])
    assert (alert.message, alert.handlers[0].get("channel")) == ("m", "#x")
    with pytest.raises(WrongProperty, match='no property "channel" on alert') as refused:
        alert_from_properties([("slack", []), ("noRecoveries", []), ("channel", ["#x"])])
    assert refused.value.index == 2


def test_a_handlers_property_goes_before_the_alerts_handler_of_that_name() -> None:
    alert = alert_from_properties([("opsGenie", []), ("teams", ["a", "b"]), ("slack", []), ("teams", [])])
    assert [(each.kind, each.properties) for each in alert.handlers] == [
        ("opsGenie", (("teams", ("a", "b")),)),
        ("slack", ()),
        ("teams", ()),
    ]


def test_all_of_an_alerts_own_properties_are_read() -> None:
    alert = alert_from_properties(
        [
            ("stateChangesOnly", [Duration(5)]),
            ("flapping", [0.25, 0.5]),
            ("history", [7]),
            ("all", []),
            ("noRecoveries", []),
            ("levelTag", ["lt"]),
            ("topic", ["t"]),
            ("inhibit", ["cat", "host"]),
            ("inhibit", ["dog"]),
        ]
    )
    assert alert == Alert(
        changes_only_ns=5,
        flapping=(0.25, 0.5),
        history=7,
        all_rows=True,
        no_recoveries=True,
        level_tag="lt",
        topic="t",
        inhibit=(("cat", "host"), ("dog",)),
    )


@pytest.mark.parametrize(
    ("calls", "index", "reason"),
    [
        ([CRIT, ("critt", [])], 1, 'no property "critt" on alert; did you mean "crit"?'),
        ([("slack", ["x"])], 0, 'property "slack" takes no argument, got 1'),
        ([CRIT, ("id", ["{{ .Name"])], 1, "template: id:1: unclosed action"),
        ([("message", ["{{ json .Tags }}"]), CRIT], 0, 'template: message:1: function "json" not defined'),
        ([("flapping", [0.5, 50.0])], 0, "should be between 0 and 1"),
        ([("log", ["alerts.log"])], 0, "alerts.log is not absolute"),
        ([("post", ["u"]), ("header", ["Authenticate", "x"])], 1, "cannot set 'authenticate' header"),
        ([("snmpTrap", ["1.1"]), ("data", ["1.2", "z", "v"])], 1, 'unsupported data type "z"'),
        ([("crit", ["x"])], 0, 'property "crit" takes a lambda, got a string'),
    ],
)
def test_a_wrong_call_is_refused_with_its_index(calls: list[tuple[str, list[Any]]], index: int, reason: str) -> None:
    with pytest.raises(WrongProperty) as refused:
        alert_from_properties(calls)
    assert refused.value.index == index
    assert reason in str(refused.value)


def test_templates_of_handlers_are_rendered_for_each_event() -> None:
    calls = [
        CRIT,
        ("alerta", []),
        ("event", ["{{ .Level }}"]),
        ("kafka", []),
        ("template", ["{{ index .Fields `v` }}"]),
    ]
    points = Input(by=["host"])
    event = run(alert_from_properties(calls), points.keys, points.frame("load,host=a v=6 0")).events[0]
    assert dict(event.handlers[0].properties) == {"resource": "load", "event": "CRITICAL", "group": "host=a"}
    assert event.handlers[1].get("template") == "6"


def test_every_handler_says_what_it_and_its_properties_do() -> None:
    assert all(kind.doc and all(each.doc for each in kind.properties.values()) for kind in HANDLERS.values())
