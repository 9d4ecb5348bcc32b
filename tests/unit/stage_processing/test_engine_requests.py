"""Requests over HTTP, as a target meets them."""

from __future__ import annotations

import logging

import pytest
from alert_receivers import http_receiver
from pipeline_processing.engine.sender import Post, Refused, over_http, status_over_http
from running_demo import free_port


def post(port: int, **others: object) -> Post:
    return Post(url=f"http://127.0.0.1:{port}/secret", body=b"{}", key="k", **others)


@pytest.mark.parametrize("status", [200, 204, 302, 404, 429, 503])
def test_the_status_is_what_was_answered_once_whatever_it_is(status: int) -> None:
    with http_receiver(lambda _: status) as receiver:
        assert status_over_http(post(receiver.port), told="t") == status
        assert [(each.path, each.headers["Idempotency-Key"]) for each in receiver.got] == [("/secret", "k")]


def test_where_nobody_answers_the_status_is_0_and_the_log_has_no_path(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        assert status_over_http(post(free_port()), told="t") == 0
    assert ("t: 127.0.0.1:" in caplog.text, "secret" in caplog.text) == (True, False)


@pytest.mark.parametrize(("captured", "told"), [(True, "answered 404: no such thing"), (False, "answered 404\n")])
def test_what_an_answer_says_is_in_the_log_if_that_is_wanted(
    captured: bool, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    with http_receiver(lambda _: 404, said=b"no such thing") as receiver, caplog.at_level(logging.ERROR):
        status_over_http(post(receiver.port, is_captured=captured), told="t")
    assert told in caplog.text


@pytest.mark.parametrize(
    ("status", "error"), [(302, Refused), (404, Refused), (408, OSError), (429, OSError), (500, OSError)]
)
def test_who_wants_no_answer_hears_whether_another_try_may_help(status: int, error: type[Exception]) -> None:
    with http_receiver(lambda _: status) as receiver, pytest.raises(error, match=f"answered {status}"):
        over_http(post(receiver.port))
