"""The handlers that scripts may name: what each takes, and the properties that belong to it.

In:      a handler's kind, its arguments, its properties' arguments.
Out:     a HandlerCall.
Refuses: kinds and properties that there are not, wrong arguments (ValueError).
From:    Kapacitor 1.5.9's alert handlers; `apprise` is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pipeline_processing.alerts import urls
from pipeline_processing.alerts.event import HandlerCall
from pipeline_processing.operators.options import (
    Arguments,
    Duration,
    Reader,
    a_string,
    a_value,
    arguments,
    duration,
    flag,
    integer,
    one,
    string,
    strings,
    type_name,
)


@dataclass(frozen=True, slots=True)
class Property:
    """`gathers`: the value is a tuple to which each call adds, itself (`calls`) or its items (`items`).
    `template`: its texts are rendered for each event."""

    reader: Reader
    doc: str
    gathers: Literal["", "calls", "items"] = ""
    template: bool = False


@dataclass(frozen=True, slots=True)
class HandlerKind:
    """`reader` gives the arguments as a tuple."""

    reader: Reader
    doc: str
    properties: Mapping[str, Property] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Of properties that are templates."""

    def call(self, kind: str, given: Arguments) -> HandlerCall:
        return HandlerCall(kind=kind, arguments=tuple(self.reader(given)))

    def with_property(self, call: HandlerCall, name: str, given: Arguments) -> HandlerCall:
        """The call with this property set, or added to."""
        own = self.properties[name]
        value = own.reader(given)
        if own.gathers:
            value = (*call.get(name, ()), *(value if own.gathers == "items" else (value,)))
        rest = tuple(pair for pair in call.properties if pair[0] != name)
        return HandlerCall(kind=call.kind, arguments=call.arguments, properties=(*rest, (name, value)))


def nothing(given: Arguments) -> tuple[()]:
    if given:
        raise ValueError(f"takes no argument, got {len(given)}")
    return ()


def at_most_one(given: Arguments) -> tuple[str, ...]:
    """A text, or none."""
    if len(given) > 1:
        raise ValueError(f"takes 1 argument at most, got {len(given)}")
    return tuple(a_string(each) for each in given)


def a_url(given: Arguments) -> tuple[str, ...]:
    """One that may be a template, or none."""
    found = at_most_one(given)
    for each in found:
        urls.check(each)
    return found


def one_or_two(given: Arguments) -> tuple[str, ...]:
    if len(given) not in (1, 2):
        raise ValueError(f"takes 1 or 2 arguments, got {len(given)}")
    return tuple(a_string(each) for each in given)


def a_program(given: Arguments) -> tuple[str, ...]:
    if not given:
        raise ValueError("takes a program and its arguments, got none")
    return tuple(a_string(each) for each in given)


def an_absolute_path(given: Arguments) -> tuple[str]:
    path = string(given)
    if not path.startswith("/"):
        raise ValueError(f"log path must be absolute: {path} is not absolute")
    return (path,)


def one_text(given: Arguments) -> tuple[str]:
    return (string(given),)


def a_header(given: Arguments) -> tuple[str, str]:
    name, value = two_texts(given)
    if name.lower() == "authenticate":
        raise ValueError("cannot set 'authenticate' header")
    return name, value


def trap_data(given: Arguments) -> tuple[str, str, str]:
    oid, kind, value = three_texts(given)
    if kind not in ("c", "i", "n", "s", "t"):
        raise ValueError(f'unsupported data type "{kind}" for data entry "{oid}"; there are c, i, n, s and t')
    return oid, kind, value


def a_bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"takes a bool, got {type_name(value)}")
    return value


def a_value_of_json(value: Any) -> Any:
    """A duration in ns."""
    found = a_value(value)
    return int(found) if isinstance(found, Duration) else found


two_texts = arguments(("name", a_string), ("value", a_string))
three_texts = arguments(("oid", a_string), ("type", a_string), ("value", a_string))
text_and_value = arguments(("name", a_string), ("value", a_value_of_json))
boolean = one(a_bool)


def text(doc: str) -> Property:
    return Property(string, doc)


def template(doc: str) -> Property:
    return Property(string, doc, template=True)


OPSGENIE = {"teams": Property(strings, "who is told"), "recipients": Property(strings, "who else is told")}

HANDLERS: Mapping[str, HandlerKind] = {
    "log": HandlerKind(
        an_absolute_path, "appends each event to a file", {"mode": Property(integer, "the file's mode")}
    ),
    "post": HandlerKind(
        a_url,
        "posts each event to a URL",
        {
            "endpoint": text("the configured endpoint to use"),
            "header": Property(a_header, "a header of the request", gathers="calls"),
            "captureResponse": Property(flag, "log what a request that failed was answered"),
            "timeout": Property(duration, "how long an answer may take"),
            "skipSSLVerification": Property(flag, "trust any certificate"),
        },
    ),
    "tcp": HandlerKind(one_text, "sends each event to host:port", {"address": text("host:port")}),
    "email": HandlerKind(strings, "mails each event", {"to": Property(strings, "who else gets it", gathers="items")}),
    "exec": HandlerKind(a_program, "runs a program that reads the event"),
    "victorOps": HandlerKind(nothing, "tells VictorOps", {"routingKey": text("the routing key")}),
    "pagerDuty": HandlerKind(nothing, "tells PagerDuty", {"serviceKey": text("the service key")}),
    "pagerDuty2": HandlerKind(
        nothing,
        "tells PagerDuty by its second API",
        {
            "serviceKey": text("the service key"),
            "routingKey": text("the routing key"),
            "link": Property(one_or_two, "a link, and its text", gathers="calls", template=True),
        },
    ),
    "pushover": HandlerKind(
        nothing,
        "tells Pushover",
        {
            "userKey": text("the user's key"),
            "device": text("the device to tell"),
            "title": text("the message's title"),
            "uRL": text("a link"),
            "URL": text("a link"),
            "uRLTitle": text("the link's text"),
            "URLTitle": text("the link's text"),
            "sound": text("the sound to make"),
        },
    ),
    "sensu": HandlerKind(
        nothing,
        "tells Sensu",
        {
            "source": text("the source"),
            "handlers": Property(strings, "Sensu's handlers"),
            "metadata": Property(text_and_value, "a key and its value", gathers="calls"),
        },
    ),
    "slack": HandlerKind(
        nothing,
        "tells Slack",
        {
            "workspace": text("the configured workspace"),
            "channel": text("the channel, or @user"),
            "username": text("who tells"),
            "iconEmoji": text("the icon, as :name:"),
        },
    ),
    "telegram": HandlerKind(
        nothing,
        "tells Telegram",
        {
            "chatId": text("the chat"),
            "parseMode": text("Markdown or HTML"),
            "disableWebPagePreview": Property(flag, "show no preview of links"),
            "disableNotification": Property(flag, "make no sound"),
        },
    ),
    "hipChat": HandlerKind(nothing, "tells HipChat", {"room": text("the room"), "token": text("its token")}),
    "kafka": HandlerKind(
        nothing,
        "writes each event to a topic of Kafka",
        {
            "cluster": text("the configured cluster"),
            "kafkaTopic": text("the topic"),
            "template": template("the message; the event as JSON if unset"),
        },
    ),
    "alerta": HandlerKind(
        nothing,
        "tells Alerta",
        {
            "token": text("the token"),
            "tokenPrefix": text("what stands before the token, `Bearer` if unset"),
            "resource": template("what the alert is about"),
            "event": template("what happened"),
            "environment": template("the environment"),
            "group": template("the group"),
            "value": template("the value"),
            "origin": text("who tells"),
            "services": Property(strings, "what is affected", template=True),
            "correlated": Property(strings, "events that belong together", template=True),
            "renameSeverity": Property(two_texts, "ok, info, warn or crit, and what it is called", gathers="calls"),
            "timeout": Property(duration, "how long the alert holds"),
        },
        {"resource": "{{ .Name }}", "event": "{{ .ID }}", "group": "{{ .Group }}"},
    ),
    "opsGenie": HandlerKind(nothing, "tells OpsGenie", OPSGENIE),
    "opsGenie2": HandlerKind(
        nothing,
        "tells OpsGenie by its second API",
        {**OPSGENIE, "recoveryAction": text("notes or close, what becomes of an alert that is over")},
    ),
    "talk": HandlerKind(nothing, "tells Talk"),
    "mqtt": HandlerKind(
        one_text,
        "publishes each event on a topic of MQTT",
        {
            "topic": text("the topic"),
            "brokerName": text("the configured broker"),
            "qos": Property(integer, "0, 1 or 2"),
            "retained": Property(boolean, "keep the last event for who comes later"),
        },
    ),
    "snmpTrap": HandlerKind(
        one_text,
        "sends an SNMP trap",
        {"data": Property(trap_data, "an entry: oid, type, value", gathers="calls", template=True)},
    ),
    "teams": HandlerKind(nothing, "tells Microsoft Teams", {"channelURL": text("the channel's web hook")}),
    "discord": HandlerKind(
        nothing,
        "tells Discord",
        {
            "workspace": text("the configured workspace"),
            "timestamp": Property(boolean, "show the time"),
            "username": text("who tells"),
            "avatarURL": text("the picture of who tells"),
            "embedTitle": text("the title"),
        },
    ),
    "apprise": HandlerKind(one_text, "tells any service that apprise knows by a URL"),
    "bigPanda": HandlerKind(
        nothing,
        "tells BigPanda",
        {
            "appKey": text("the app's key"),
            "primaryProperty": text("the first key"),
            "secondaryProperty": text("the second"),
        },
    ),
    "serviceNow": HandlerKind(
        nothing,
        "tells ServiceNow",
        {
            "source": text("who tells"),
            "node": template("the node"),
            "type": template("the type"),
            "resource": template("the resource"),
            "metricName": template("the metric"),
            "messageKey": template("what tells the alert from others"),
            "additionalInfo": Property(two_texts, "a key and its value", gathers="calls", template=True),
        },
    ),
    "zenoss": HandlerKind(
        nothing,
        "tells Zenoss",
        {
            "action": text("the router"),
            "method": text("its method"),
            "type": text("the type"),
            "summary": template("the summary"),
            "device": template("the device"),
            "component": template("the component"),
            "eventClassKey": text("the class's key"),
            "eventClass": text("the class"),
            "customField": Property(two_texts, "a name and its value", gathers="calls"),
        },
    ),
}


def rendered(call: HandlerCall, render: Callable[[str], Any]) -> HandlerCall:
    """The call with its templates rendered; `render` makes text of a template."""
    kind = HANDLERS[call.kind]
    found = {**kind.defaults, **dict(call.properties)}
    if not any(kind.properties[name].template for name in found):
        return call
    done = tuple(
        (name, _rendered(value, render) if kind.properties[name].template else value) for name, value in found.items()
    )
    return HandlerCall(kind=call.kind, arguments=call.arguments, properties=done)


def _rendered(value: Any, render: Callable[[str], Any]) -> Any:
    return render(value) if isinstance(value, str) else tuple(_rendered(each, render) for each in value)


def templates_of(calls: Sequence[HandlerCall]) -> list[str]:
    """All texts in them that are templates."""
    found: list[str] = []
    for call in calls:
        rendered(call, found.append)
    return found
