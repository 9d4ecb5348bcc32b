"""What goes by HTTP, TCP, mail, a file, a program and apprise, byte by byte where receivers read bytes; and which failures are final."""

from __future__ import annotations

import json
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from alert_receivers import http_receiver, mail_receiver, tcp_receiver
from alert_sending import ALERT, BODY, RECOVERED, call, deliver
from pipeline_output.errors import HandlerRefused, HandlerUnavailable


def test_post_sends_the_alert_with_the_headers_of_the_script_and_the_events_id() -> None:
    with http_receiver() as receiver:
        deliver(call("post", f"http://127.0.0.1:{receiver.port}/a?b=c", header=["X-Team", "blue"]))
        (got,) = receiver.got
    headers = [got.headers[name] for name in ("Content-Type", "X-Team", "Idempotency-Key")]
    assert (got.path, got.json, got.body[-2:], headers) == (
        *("/a?b=c", BODY, b"}\n"),
        ["application/json", "blue", "cpu/1/alert2/0/17"],
    )


@pytest.mark.parametrize(
    ("status", "error"),
    [
        *((204, None), (299, None), (302, HandlerRefused), (400, HandlerRefused), (404, HandlerRefused)),
        *((408, HandlerUnavailable), (429, HandlerUnavailable), (500, HandlerUnavailable), (503, HandlerUnavailable)),
    ],
)
def test_a_status_of_200_to_299_is_done_and_the_others_are_final_or_not(status: int, error: type | None) -> None:
    with http_receiver(lambda _: status, said=b"secret of the receiver") as receiver:
        asked = call("post", f"http://127.0.0.1:{receiver.port}/token")
        if error is None:
            return deliver(asked)
        with pytest.raises(error) as raised:
            deliver(asked)
    assert str(raised.value) == f"http://127.0.0.1:{receiver.port} answered {status}"


def test_what_the_receiver_says_is_shown_when_the_script_asks_for_it_but_not_its_own_headers() -> None:
    with http_receiver(lambda _: 400, said=b"no user hunter2 here") as receiver:
        url = f"http://127.0.0.1:{receiver.port}/"
        asked = call("post", url, captureResponse=True, header=["Authorization", "Bearer hunter2"])
        with pytest.raises(HandlerRefused, match=r"answered 400: no user \*\*\*\*\*\*\*\* here"):
            deliver(asked)


def test_tcp_sends_a_line_that_two_newlines_close() -> None:
    with tcp_receiver() as receiver:
        deliver(call("tcp", f"127.0.0.1:{receiver.port}"))
        (got,) = receiver.wait_for(1)
    assert (json.loads(got), got[-3:], got.count(b"\n")) == (BODY, b"}\n\n", 2)


def test_log_appends_lines_to_a_file_that_only_its_owner_may_read(tmp_path: Path) -> None:
    for alert in (ALERT, RECOVERED):
        deliver(call("log", "alerts.log"), alert, log_dir=tmp_path)
    lines = (tmp_path / "alerts.log").read_text().splitlines()
    assert (json.loads(lines[0]), json.loads(lines[1])["level"], (tmp_path / "alerts.log").stat().st_mode & 0o777) == (
        *(BODY, "OK"),
        0o600,
    )


def test_log_makes_its_file_with_the_mode_of_the_script(tmp_path: Path) -> None:
    deliver(call("log", str(tmp_path / "a.log"), mode=0o640), log_dir=tmp_path)
    assert (tmp_path / "a.log").stat().st_mode & 0o777 == 0o640


def test_exec_gives_the_alert_to_the_programs_standard_input_and_little_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "tell"
    program.write_text('#!/bin/sh\ncat > "$1"\nenv > "$1.env"\n')
    program.chmod(0o755)
    monkeypatch.setenv("DB_PASSWORD", "hunter2")
    deliver(call("exec", str(program), str(tmp_path / "out")), exec_allowed=str(program))
    environment = (tmp_path / "out.env").read_text()
    assert (
        json.loads((tmp_path / "out").read_text()),
        "ALERT_EVENT_ID=cpu/1/alert2/0/17\n" in environment,
        "hunter2" in environment,
    ) == (BODY, True, False)


def test_a_program_that_fails_or_takes_too_long_is_tried_again() -> None:
    with pytest.raises(HandlerUnavailable, match="`/bin/false` ended with status 1"):
        deliver(call("exec", "/bin/false"), exec_allowed="/bin/false")
    with pytest.raises(HandlerUnavailable, match=r"`/bin/sleep` ran for more than 0.05 s and was killed"):
        deliver(call("exec", "/bin/sleep", "60"), exec_allowed="/bin/sleep", timeout_s=0.05)


def mail(**settings: Any) -> dict[str, Any]:
    return {"smtp_from": "alerts@example.com", "smtp_to": "oncall@example.com", **settings}


def test_email_has_the_message_as_its_subject_and_the_details_as_html() -> None:
    with mail_receiver() as receiver:
        deliver(call("email", "a@example.com", to="b@example.com"), **mail(smtp_port=receiver.port))
        deliver(call("email"), replace(ALERT, message="a\r\nBcc: x"), **mail(smtp_port=receiver.port))
        (sender, to, text), (_, others, second) = receiver.got
    sent = message_from_bytes(text, policy=policy.default)
    assert (sender, to, sent["Subject"], sent.get_content_type(), sent.get_content().strip(), others) == (
        *("alerts@example.com", ["a@example.com", "b@example.com"], "kapacitor.cpu.serverA is CRITICAL"),
        *("text/html", "<b>CRITICAL</b>", ["oncall@example.com"]),
    )
    assert message_from_bytes(second, policy=policy.default)["Subject"] == "a Bcc: x"


@pytest.mark.parametrize(("answer", "error"), [("450 later", HandlerUnavailable), ("550 never", HandlerRefused)])
def test_a_mail_that_is_not_taken_is_tried_again_unless_that_is_final(answer: str, error: type) -> None:
    with mail_receiver(answer) as receiver, pytest.raises(error, match=r"takes no mail for a@example\.com"):
        deliver(call("email", "a@example.com"), **mail(smtp_port=receiver.port))


def test_apprise_tells_a_service_that_it_knows_by_a_url() -> None:
    with http_receiver() as receiver:
        deliver(call("apprise", f"json://127.0.0.1:{receiver.port}/hook"))
        (got,) = receiver.got
    assert (got.path, got.json["title"], got.json["message"]) == (
        *("/hook", "kapacitor.cpu.serverA is CRITICAL"),
        "<b>CRITICAL</b>",
    )


def test_a_service_that_apprise_cannot_tell_is_tried_again() -> None:
    with http_receiver(lambda _: 500) as receiver, pytest.raises(HandlerUnavailable, match="could not tell `json://…`"):
        deliver(call("apprise", f"json://127.0.0.1:{receiver.port}/hook"))


@pytest.mark.parametrize(("kind", "scheme"), [("apprise", "json"), ("post", "http")])
def test_no_redirect_is_followed(kind: str, scheme: str) -> None:
    with http_receiver(lambda _: 302) as receiver:
        with pytest.raises((HandlerUnavailable, HandlerRefused)):
            deliver(call(kind, f"{scheme}://127.0.0.1:{receiver.port}/hook"))
        assert [got.path for got in receiver.got] == ["/hook"]
