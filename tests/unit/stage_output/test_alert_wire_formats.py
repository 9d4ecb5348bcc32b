"""What services get of an alert: the formats that Kapacitor 1.5.9 sends, written down from its own."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from alert_receivers import http_receiver, tcp_receiver
from alert_sending import ALERT, DATA, RECOVERED, call, deliver, posted
from pipeline_output.errors import HandlerRefused
from pipeline_queue.alerts import Alert


def test_slack_gets_one_attachment_in_the_levels_colour() -> None:
    asked = call("slack", channel="#alerts", iconEmoji=":bell:")
    got = posted(asked, url="slack_url", path="/services/T/B/secret", slack_channel="#general")
    message = "kapacitor.cpu.serverA is CRITICAL"
    assert (got.path, got.json) == (
        "/services/T/B/secret",
        {
            "as_user": False,
            "channel": "#alerts",
            "text": "",
            "username": "kapacitor",
            "icon_emoji": ":bell:",
            "attachments": [{"fallback": message, "text": message, "color": "danger", "mrkdwn_in": ["text"]}],
        },
    )


@pytest.mark.parametrize(
    ("level", "color"), [("OK", "good"), ("INFO", "good"), ("WARNING", "warning"), ("CRITICAL", "danger")]
)
def test_slacks_colour_is_the_levels(level: str, color: str) -> None:
    got = posted(call("slack"), replace(ALERT, level=level), url="slack_url")
    assert got.json["attachments"][0]["color"] == color


def test_pager_duty_1_is_triggered_and_resolved_by_the_alerts_id() -> None:
    settings = {"pagerduty_key": "key", "client_url": "http://tasks:9092"}
    got = [posted(call("pagerDuty"), each, url="pagerduty_url", **settings).json for each in (ALERT, RECOVERED)]
    triggered = {
        "service_key": "key",
        "event_type": "trigger",
        "description": "kapacitor.cpu.serverA is CRITICAL",
        "incident_key": "kapacitor.cpu.serverA",
        "client": "kapacitor",
        "client_url": "http://tasks:9092",
        "details": "<b>CRITICAL</b>",
    }
    assert got == [triggered, {**triggered, "event_type": "resolve", "description": "kapacitor.cpu.serverA is OK"}]


def test_pager_duty_1_takes_no_info() -> None:
    with pytest.raises(HandlerRefused, match="takes no alert of level INFO"):
        deliver(call("pagerDuty"), replace(ALERT, level="INFO"), pagerduty_key="key")


def test_pager_duty_2_gets_an_event_with_the_rows_and_nine_digits_of_the_second() -> None:
    asked = call("pagerDuty2", routingKey="own", link=["http://x", "text"])
    got = posted(asked, url="pagerduty2_url", client_url="http://tasks:9092")
    assert (got.headers["Accept"], got.json) == (
        "application/vnd.pagerduty+json;version=2",
        {
            "routing_key": "own",
            "event_action": "trigger",
            "dedup_key": "kapacitor.cpu.serverA",
            "payload": {
                "summary": "kapacitor.cpu.serverA is CRITICAL",
                "source": "serverA",
                "severity": "critical",
                "timestamp": "1971-01-01T00:00:10.000000000Z",
                "class": "cpu_high",
                "component": "",
                "group": "",
                "custom_details": {"result": DATA},
            },
            "images": None,
            "links": [{"href": "http://x", "text": "text"}],
            "client": "kapacitor",
            "client_url": "http://tasks:9092",
        },
    )


def test_pager_duty_2_is_resolved_by_three_keys() -> None:
    got = posted(call("pagerDuty2"), RECOVERED, url="pagerduty2_url", pagerduty2_key="key")
    assert got.json == {"routing_key": "key", "dedup_key": "kapacitor.cpu.serverA", "event_action": "resolve"}


def test_ops_genie_1_opens_an_alert_and_adds_a_note_when_it_is_over() -> None:
    settings = {"opsgenie_key": "key", "opsgenie_recipients": "a, b"}
    with http_receiver() as receiver:
        at = f"http://127.0.0.1:{receiver.port}"
        for alert in (ALERT, RECOVERED):
            urls = {"opsgenie_url": f"{at}/alert", "opsgenie_recovery_url": f"{at}/alert/note"}
            deliver(call("opsGenie", teams=["blue", "red"]), alert, **settings, **urls)
        opened, over = receiver.got
    assert (opened.path, opened.json) == (
        "/alert/",
        {
            "apiKey": "key",
            "entity": "kapacitor.cpu.serverA",
            "alias": "kapacitor.cpu.serverA",
            "message": "kapacitor.cpu.serverA is CRITICAL",
            "note": "",
            "monitoring_tool": "kapacitor",
            "details": {"Level": "CRITICAL", "Monitoring Tool": "Kapacitor"},
            "description": ALERT.data,
            "teams": ["blue", "red"],
            "recipients": ["a", "b"],
        },
    )
    assert (over.path, over.json["note"], over.json["details"]["Level"]) == (
        *("/alert/note/", "kapacitor.cpu.serverA is OK"),
        "RECOVERY",
    )


def test_ops_genie_2_opens_an_alert_with_priority_and_responders() -> None:
    asked = call("opsGenie2", teams="blue", recipients="ann")
    got = posted(asked, url="opsgenie2_url", path="/v2/alerts", opsgenie_key="key")
    assert (got.path, got.headers["Authorization"], got.json) == (
        *("/v2/alerts", "GenieKey key"),
        {
            "entity": "kapacitor.cpu.serverA",
            "alias": "a2FwYWNpdG9yLmNwdS5zZXJ2ZXJB",
            "message": "kapacitor.cpu.serverA is CRITICAL",
            "note": "",
            "priority": "P1",
            "description": ALERT.data,
            "details": {
                "Monitoring Tool": "Kapacitor",
                "Level": "CRITICAL",
                "host": "serverA",
                "Kapacitor Task Name": "cpu",
            },
            "responders": [{"name": "blue", "type": "team"}, {"username": "ann", "type": "user"}],
        },
    )


@pytest.mark.parametrize(("asked", "action"), [({}, "notes"), ({"recoveryAction": "close"}, "close")])
def test_ops_genie_2_adds_a_note_or_closes_when_it_is_over(asked: dict[str, str], action: str) -> None:
    got = posted(call("opsGenie2", **asked), RECOVERED, url="opsgenie2_url", path="/v2/alerts", opsgenie_key="key")
    assert (got.path, got.json) == (
        f"/v2/alerts/a2FwYWNpdG9yLmNwdS5zZXJ2ZXJB/{action}?identifierType=alias",
        {"note": "kapacitor.cpu.serverA is OK"},
    )


@pytest.mark.parametrize(("alert", "kind"), [(ALERT, "CRITICAL"), (RECOVERED, "RECOVERY")])
def test_victor_ops_gets_the_key_in_the_path_and_the_rows_as_text(alert: Alert, kind: str) -> None:
    asked = call("victorOps", routingKey="team_rocket")
    got = posted(asked, alert, url="victorops_url", path="/alert", victorops_key="key")
    assert (got.path, got.json) == (
        "/alert/key/team_rocket",
        {
            "message_type": kind,
            "entity_id": "kapacitor.cpu.serverA",
            "state_message": alert.message,
            "timestamp": 31_536_010,
            "monitoring_tool": "kapacitor",
            "data": ALERT.data,
        },
    )


def test_alerta_gets_the_measurement_as_resource_unless_the_script_says_otherwise() -> None:
    asked = call("alerta", environment="Production", timeout=3_600_000_000_000, renameSeverity=["crit", "major"])
    got = posted(asked, url="alerta_url", path="/api", alerta_token="token")
    assert (got.path, got.headers["Authorization"], got.json) == (
        *("/api/alert", "Bearer token"),
        {
            "resource": "cpu",
            "event": "kapacitor.cpu.serverA",
            "environment": "Production",
            "severity": "major",
            "group": "host=serverA",
            "value": "",
            "text": "kapacitor.cpu.serverA is CRITICAL",
            "origin": "kapacitor",
            "rawData": DATA,
            "service": ["cpu"],
            "correlate": ["cpu"],
            "timeout": 3600,
            "tags": ["host=serverA"],
        },
    )


@pytest.mark.parametrize(
    ("level", "severity"), [("OK", "ok"), ("INFO", "informational"), ("WARNING", "warning"), ("CRITICAL", "critical")]
)
def test_alertas_severity_is_the_levels(level: str, severity: str) -> None:
    asked = call("alerta", token="own", tokenPrefix="Key", services=["a", "b"])
    got = posted(asked, replace(ALERT, level=level), url="alerta_url")
    assert (got.json["severity"], got.json["service"], got.json["timeout"], got.headers["Authorization"]) == (
        *(severity, ["a", "b"], 86_400),
        "Key own",
    )


@pytest.mark.parametrize(("level", "status"), [("OK", 0), ("INFO", 0), ("WARNING", 1), ("CRITICAL", 2)])
def test_sensu_gets_the_result_of_a_check_on_a_line(level: str, status: int) -> None:
    with tcp_receiver(b"ok") as receiver:
        asked = call("sensu", source="web", handlers=["mail", "sms"], metadata=["ttl", 5])
        deliver(asked, replace(ALERT, level=level), sensu_address=f"127.0.0.1:{receiver.port}")
        (got,) = receiver.got
    assert json.loads(got) == {
        "name": "kapacitor.cpu.serverA",
        "source": "web",
        "output": "kapacitor.cpu.serverA is CRITICAL",
        "status": status,
        "handlers": ["mail", "sms"],
        "ttl": 5,
    }


def test_an_answer_of_sensus_other_than_ok_and_a_name_that_it_does_not_take_are_final() -> None:
    with tcp_receiver(b"invalid") as receiver:
        where = f"127.0.0.1:{receiver.port}"
        with pytest.raises(HandlerRefused, match="answered b'invalid'"):
            deliver(call("sensu"), sensu_address=where)
        with pytest.raises(HandlerRefused, match="this is `cpu:nil`"):
            deliver(call("sensu"), replace(ALERT, alert_id="cpu:nil"), sensu_address=where)


@pytest.mark.parametrize(
    ("level", "color"), [("OK", "green"), ("INFO", "green"), ("WARNING", "yellow"), ("CRITICAL", "red")]
)
def test_hip_chats_room_is_in_the_path_and_its_token_in_the_query(level: str, color: str) -> None:
    asked = call("hipChat", room="1234567", token="a b")
    got = posted(asked, replace(ALERT, level=level), url="hipchat_url", path="/v2/room")
    assert (got.path, got.json) == (
        "/v2/room/1234567/notification?auth_token=a+b",
        {"from": "kapacitor", "message": "kapacitor.cpu.serverA is CRITICAL", "color": color, "notify": True},
    )


def test_teams_gets_a_card_with_a_short_summary() -> None:
    message = "kapacitor.cpu.serverA is CRITICAL"
    assert posted(call("teams"), url="teams_url").json == {
        "@type": "MessageCard",
        "@context": "http://schema.org/extensions",
        "title": "CRITICAL: [kapacitor.cpu.serverA]",
        "text": message,
        "summary": f"CRITICAL: [kapacitor.cpu.serverA] - {message}"[:70] + "...",
        "themeColor": "CC4A31",
    }


def test_telegrams_token_is_in_the_path() -> None:
    asked = call("telegram", chatId="12345678", parseMode="HTML", disableNotification=True)
    got = posted(asked, url="telegram_url", path="/bot", telegram_token="1:token")
    assert (got.path, got.json) == (
        "/bot1:token/sendMessage",
        {
            "chat_id": "12345678",
            "text": "kapacitor.cpu.serverA is CRITICAL",
            "parse_mode": "HTML",
            "disable_notification": True,
        },
    )


def test_discord_gets_an_embed() -> None:
    asked = call("discord", embedTitle="Alert", timestamp=True, username="bot")
    assert posted(asked, url="discord_url").json == {
        "username": "bot",
        "embeds": [
            {
                "color": 0xF95F53,
                "title": "Alert",
                "description": "kapacitor.cpu.serverA is CRITICAL",
                "timestamp": "1971-01-01T00:00:10Z",
            }
        ],
    }
