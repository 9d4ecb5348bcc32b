"""What scripts may not do: send where the operator does not allow it, write or start what he has not listed, learn his keys."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from alert_receivers import closed_port
from pipeline_output.errors import BadHandler, HandlerRefused, HandlerUnavailable
from pipeline_output.handlers import HANDLERS, Operator, made
from pipeline_output.handlers.endpoints import endpoints_of
from pipeline_output.handlers.everyone import GlobalHandler, global_handlers
from pipeline_output.handlers.handler import Delivery
from pipeline_output.handlers.settings import AlertSettings
from pipeline_output.handlers.targets import EVERYWHERE, Targets
from pipeline_output.handlers.transport import Network
from pipeline_queue.alerts import Alert, HandlerCall
from pipeline_queue.errors import BadSetting
from pipeline_queue.settings import filled

LISTED = "example.com, hooks.example.org:8443, *.inside.example, 10.1.0.0/16, 192.168.1.5, 2001:db8::/32, ntfy://"
ALERT = Alert(event_id="e", task="t", node="alert2", alert_id="a", level="CRITICAL", message="m", at_ns=0)
SECRET = "hunter2"
SECRETS = {
    name: SECRET
    for name, field in AlertSettings.model_fields.items()
    if "SecretStr" in str(field.annotation) and not name.endswith("_url")
}


def operator(targets: str = "", **settings: Any) -> Operator:
    return Operator(settings=AlertSettings(**settings), targets=Targets.of(targets))


def refusal(call: HandlerCall, by: Operator) -> str:
    with pytest.raises(BadHandler) as refused:
        made(call, by)
    return str(refused.value)


@pytest.mark.parametrize(
    ("host", "port", "is_allowed"),
    [
        ("example.com", 80, True),
        ("EXAMPLE.com.", 9, True),
        ("www.example.com", 80, False),
        ("example.com.evil", 80, False),
        ("hooks.example.org", 8443, True),
        ("hooks.example.org", 443, False),
        ("a.b.inside.example", 80, True),
        ("inside.example", 80, False),
        ("10.1.2.3", 80, True),
        ("10.2.0.1", 80, False),
        ("::ffff:10.1.2.3", 80, True),
        ("192.168.1.5", 80, True),
        ("2001:db8::1", 80, True),
        ("localhost", 80, False),
        ("127.0.0.1", 80, False),
        ("10.66051", 80, False),
        ("167838211", 80, False),
        ("0x0a010203", 80, False),
    ],
)
def test_a_host_is_allowed_by_its_own_name_or_address_and_by_nothing_else(
    host: str, port: int, is_allowed: bool
) -> None:
    assert Targets.of(LISTED).allowed(host, port) is is_allowed


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("http://example.com/x", True),
        ("https://hooks.example.org:8443/x", True),
        ("https://hooks.example.org/x", False),
        ("http://evil\\@example.com/", True),  # that is what is connected to, too
        ("http://example.com@evil/", False),
        ("http://example.com:80@evil/", False),
        ("http://[2001:db8::7]:9/", True),
        ("http://example.com:99999/", False),
        ("http:///x", False),
    ],
)
def test_of_a_url_the_host_counts(url: str, is_allowed: bool) -> None:
    assert Targets.of(LISTED).allowed_url(url) is is_allowed


def test_nothing_is_allowed_by_an_empty_list_and_everything_by_a_star() -> None:
    asked = [("a", 1), ("127.0.0.1", 1), ("::1", None)]
    assert [Targets.of("").allowed(*each) for each in asked] + [Targets.of("*").allowed(*each) for each in asked] == (
        [False] * 3 + [True] * 3
    )


@pytest.mark.parametrize("entry", ["10.0.0.1/8", "a b", "http://x/y", "x:y", "@"])
def test_a_list_that_cannot_be_read_is_refused_with_the_settings_name(entry: str) -> None:
    with pytest.raises(BadSetting, match=r"^TASKS_ALLOW_TARGETS|^allow_targets"):
        filled(AlertSettings, allow_targets=entry)


@pytest.mark.parametrize(
    "call",
    [
        HandlerCall(kind="post", arguments=("http://evil.example/",)),
        HandlerCall(kind="tcp", arguments=("evil.example:9",)),
        HandlerCall(kind="teams", properties={"channelURL": (("http://evil.example/",),)}),
        HandlerCall(kind="apprise", arguments=("json://evil.example/",)),
        HandlerCall(kind="apprise", arguments=("json://example.com/, json://evil.example/",)),
        HandlerCall(kind="apprise", arguments=("json://example.com#@evil.example/",)),
        HandlerCall(kind="apprise", arguments=("mailto://example.com?smtp=evil.example",)),
    ],
)
def test_a_script_may_not_send_to_a_host_that_is_not_on_the_list(call: HandlerCall) -> None:
    assert "TASKS_ALLOW_TARGETS" in refusal(call, operator("example.com"))


def test_a_script_may_tell_any_service_of_a_scheme_that_is_on_the_list() -> None:
    call = HandlerCall(kind="apprise", arguments=("ntfy://anywhere/topic",))
    assert made(call, operator("ntfy://")).target.startswith("apprise ntfy ")


@pytest.mark.parametrize(
    "url", ["ftp://example.com/", "example.com", "http://", "http://exa mple:x/", "file:///etc/passwd"]
)
def test_what_is_no_url_of_http_is_refused_without_being_shown(url: str) -> None:
    call = HandlerCall(kind="post", arguments=(url,))
    assert refusal(call, operator("*")) == ("the alert handler `post` needs a URL of the form `http://host:port/path`")


@pytest.mark.parametrize("path", ["/etc/cron.d/x", "../x", "a/../../x", "link/x", "."])
def test_a_log_outside_of_the_operators_folders_is_refused(tmp_path: Path, path: str) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    call = HandlerCall(kind="log", arguments=(path,))
    assert "ALERTS_LOG_DIR and ALERTS_LOG_ALLOWED allow" in refusal(call, operator(log_dir=folder))


def test_a_log_may_be_in_a_further_folder_and_nowhere_without_any(tmp_path: Path) -> None:
    call = HandlerCall(kind="log", arguments=(str(tmp_path / "b/x.log"),))
    allowed = made(call, operator(log_dir=tmp_path / "a", log_allowed=f"/nowhere,{tmp_path}/b"))
    assert (allowed.target, "may not write anywhere" in refusal(call, operator())) == (f"log {tmp_path}/b/x.log", True)


def test_a_log_is_not_written_through_a_link_that_came_later(tmp_path: Path) -> None:
    handler = made(HandlerCall(kind="log", arguments=("x",)), operator(log_dir=tmp_path))
    (tmp_path / "x").symlink_to(tmp_path / "y")
    with pytest.raises(HandlerUnavailable, match="cannot append"):
        handler.deliver(Delivery(alert=ALERT, key="e"), transport=Network())
    assert not (tmp_path / "y").exists()


@pytest.mark.parametrize("program", ["/bin/sh", "sh", "/usr/bin/tell/../../sh", "", "/opt/tell"])
def test_a_program_that_is_not_listed_is_not_started(program: str) -> None:
    call = HandlerCall(kind="exec", arguments=(program, "-c", "x"))
    assert "ALERTS_EXEC_ALLOWED allows /usr/bin/tell" in refusal(call, operator(exec_allowed="/usr/bin/tell"))


def test_a_listed_program_may_be_named_in_short() -> None:
    handler = made(HandlerCall(kind="exec", arguments=("tell", "a")), operator(exec_allowed="/usr/bin/tell"))
    assert handler.target == "exec /usr/bin/tell"


@pytest.mark.parametrize(
    ("kind", "setting"),
    [
        ("email", "ALERTS_SMTP_TO"),
        ("slack", "ALERTS_SLACK_URL"),
        ("pagerDuty", "ALERTS_PAGERDUTY_KEY"),
        ("pagerDuty2", "ALERTS_PAGERDUTY2_KEY"),
        ("opsGenie", "ALERTS_OPSGENIE_KEY"),
        ("opsGenie2", "ALERTS_OPSGENIE_KEY"),
        ("victorOps", "ALERTS_VICTOROPS_KEY"),
        ("alerta", "ALERTS_ALERTA_TOKEN"),
        ("sensu", "ALERTS_SENSU_ADDRESS"),
        ("hipChat", "ALERTS_HIPCHAT_URL"),
        ("teams", "ALERTS_TEAMS_URL"),
        ("telegram", "ALERTS_TELEGRAM_TOKEN"),
        ("discord", "ALERTS_DISCORD_URL"),
    ],
)
def test_a_service_that_is_not_configured_is_refused_with_the_setting_that_is_missing(kind: str, setting: str) -> None:
    assert f"{setting} is not set" in refusal(HandlerCall(kind=kind), operator())


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (HandlerCall(kind="slak"), "`slak` is none; did you mean `slack`?"),
        (HandlerCall(kind="post"), "needs an argument: the URL"),
        (HandlerCall(kind="post", arguments=(5,)), "takes text as `the URL`, got a int"),
        (HandlerCall(kind="post", arguments=("http://a", "http://b")), "takes 1 arguments, got 2"),
        (
            HandlerCall(kind="post", arguments=("http://a",), properties={"timout": ((1,),)}),
            "has no property `timout`; did you mean `timeout`?",
        ),
        (
            HandlerCall(kind="post", arguments=("http://a",), properties={"header": (("a",),)}),
            "takes 2 arguments in `header`, got 1",
        ),
        (
            HandlerCall(kind="post", arguments=("http://a",), properties={"timeout": (("soon",),)}),
            "takes a duration as `timeout`, got 'soon'",
        ),
    ],
)
def test_what_a_handler_does_not_take_is_said(call: HandlerCall, said: str) -> None:
    assert said in refusal(call, operator("*"))


def test_a_handlers_key_is_in_no_error_and_no_representation() -> None:
    url = f"http://127.0.0.1:{closed_port()}/{SECRET}"
    settings = AlertSettings(
        **SECRETS,
        **{name: url for name in AlertSettings.model_fields if name.endswith("_url") and name != "client_url"},
        **{"smtp_port": closed_port(), "smtp_from": "a@b", "smtp_to": "c@d", "smtp_user": "u", "hipchat_room": "r"},
        **{"sensu_address": f"127.0.0.1:{closed_port()}", "telegram_chat_id": "1"},
    )
    said = []
    for kind in set(HANDLERS) - {"log", "exec", "post", "tcp", "apprise", "sensu"}:
        handler = made(HandlerCall(kind=kind), Operator(settings=settings, targets=EVERYWHERE))
        with pytest.raises((HandlerUnavailable, HandlerRefused)) as raised:
            handler.deliver(Delivery(alert=ALERT, key="e"), transport=Network())
        said.append((kind, str(raised.value), handler.target, repr(handler)))
    assert [each for each in said if SECRET in "".join(each)] == []


def test_a_receiver_that_gives_a_byte_now_and_then_is_cut_off_in_time() -> None:
    ended = threading.Event()

    def drip(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, suppress(OSError):
            while not ended.wait(0.01):
                connection.send(b"H")

    with socket.create_server(("127.0.0.1", 0)) as server:
        dripping = threading.Thread(target=drip, args=[server], daemon=True)
        dripping.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        call = HandlerCall(kind="post", arguments=(url,), properties={"timeout": (("200ms",),)})
        with pytest.raises(HandlerUnavailable, match="did not answer"):
            made(call, operator("127.0.0.1")).deliver(Delivery(alert=ALERT, key="e"), transport=Network())
        ended.set()
        dripping.join()


def test_the_operators_file_may_name_any_target_and_says_from_which_level_on(tmp_path: Path) -> None:
    path = tmp_path / "handlers.json"
    path.write_text(json.dumps([{"kind": "post", "arguments": ["http://any.example/"], "level": "WARNING"}]))
    by = Operator(settings=AlertSettings(), targets=EVERYWHERE)
    (found,) = global_handlers(path, by)
    levels = [("OK", "OK"), ("INFO", "OK"), ("WARNING", "OK"), ("CRITICAL", "OK"), ("OK", "INFO"), ("OK", "CRITICAL")]
    assert [found.gets(*each) for each in levels] == [False, False, True, True, False, True]
    assert found == GlobalHandler(kind="post", arguments=("http://any.example/",), level="WARNING")


@pytest.mark.parametrize("content", ["{", '[{"kind": "slak"}]', '[{"kind": "slack", "x": 1}]', '[{"level": "OK"}]'])
def test_an_operators_file_that_is_wrong_is_refused_with_its_path(tmp_path: Path, content: str) -> None:
    path = tmp_path / "handlers.json"
    path.write_text(content)
    with pytest.raises(BadSetting, match=f"ALERTS_HANDLERS_FILE is `{path}`, which cannot be used: "):
        global_handlers(path, Operator(settings=AlertSettings(), targets=EVERYWHERE))


def test_an_endpoint_is_the_operators_whatever_hosts_scripts_may_send_to(tmp_path: Path) -> None:
    path = tmp_path / "endpoints.json"
    path.write_text(
        '{"ops": {"url": "https://ops.example/x", "headers": {"X-A": "1"}, "username": "u", "password": "p"}}'
    )
    by = Operator(settings=AlertSettings(), targets=Targets.of(""), endpoints=endpoints_of(path))
    properties = {"endpoint": (("ops",),), "header": (("X-A", "2"), ("X-B", "3"))}
    found = made(HandlerCall(kind="post", properties=properties), by)
    assert (found.url, found.headers) == (
        "https://ops.example/x",
        {"X-A": "2", "Authorization": "Basic dTpw", "X-B": "3"},
    )


def test_an_endpoint_that_there_is_not_is_refused_by_name() -> None:
    call = HandlerCall(kind="post", properties={"endpoint": (("ops",),)})
    with pytest.raises(BadHandler, match="has no endpoint `ops`; TASKS_ENDPOINTS_FILE"):
        made(call, Operator(settings=AlertSettings(), targets=EVERYWHERE))


@pytest.mark.parametrize(
    "content", ["[]", '{"a": {}}', '{"a": {"url": "ftp://x/"}}', '{"a": {"url": "http://x/", "y": 1}}']
)
def test_a_file_of_endpoints_that_is_wrong_is_refused_with_its_path(tmp_path: Path, content: str) -> None:
    path = tmp_path / "endpoints.json"
    path.write_text(content)
    with pytest.raises(BadSetting, match=f"TASKS_ENDPOINTS_FILE is `{path}`, which cannot be used: "):
        endpoints_of(path)
