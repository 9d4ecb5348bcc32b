"""Requests over HTTP, as a target meets them."""

from __future__ import annotations

import logging

import pytest
from alert_receivers import http_receiver
from pipeline_processing.engine.courier import Post
from pipeline_processing.engine.over_http import Refused, over_http, status_over_http
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
        over_http(post(receiver.port, attempts_max=5))


@pytest.mark.parametrize(("status", "error"), [(400, Refused), (401, OSError), (403, OSError), (404, OSError)])
def test_who_asks_for_ever_waits_for_a_user_and_a_database_that_are_not_there_yet(
    status: int, error: type[Exception]
) -> None:
    said = b"database not found"
    with http_receiver(lambda _: status, said=said) as receiver, pytest.raises(error, match=f"{status}: database not"):
        over_http(post(receiver.port, is_captured=True))


def test_a_user_in_a_url_asks_by_that_name_unless_a_header_says_who_asks() -> None:
    with http_receiver() as receiver:
        url = f"http://us:p%40ss@127.0.0.1:{receiver.port}/a?b"
        for headers in ((), (("Authorization", "Token t"),)):
            over_http(Post(url=url, body=b"{}", key="k", headers=headers))
    who = [(each.path, each.headers["Authorization"]) for each in receiver.got]
    assert who == [("/a?b", "Basic dXM6cEBzcw=="), ("/a?b", "Token t")]
