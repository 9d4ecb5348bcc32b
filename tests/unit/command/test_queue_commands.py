"""`pipeline topics`, `pipeline deadletters` and `pipeline submit` over an embedded queue."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from pipeline_cli.main import app
from pipeline_queue import dead_letters
from pipeline_queue.brokers import Broker, Message, open_broker
from pipeline_queue.catalog import topics
from pipeline_queue.codec import blocks, decode_all
from pipeline_queue.events import event_type
from pipeline_queue.topics import DEAD_LETTERS, JOB_REQUESTS, JOB_RESULTS, RANDOM_NUMBERS, TOPICS
from typer.testing import CliRunner

runner = CliRunner()


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Broker:
    url = f"sqlite://{tmp_path}/log"
    monkeypatch.setenv("QUEUE_URL", url)
    monkeypatch.setenv("NO_COLOR", "1")
    opened = open_broker(url)
    opened.create(TOPICS.values())
    return opened


def number(seq: int) -> object:
    return event_type(RANDOM_NUMBERS)(event_id=f"p-{seq}", time_ns=seq, producer="p", seq=seq, value=seq / 2)


def test_tail_prints_the_newest_lines_and_no_more_than_asked_for(broker: Broker) -> None:
    broker.publish("random-numbers", blocks(RANDOM_NUMBERS, [number(seq) for seq in range(5)], events_max=2))
    printed = runner.invoke(app, ["topics", "tail", "random-numbers", "-n", "3"]).stdout
    assert [json.loads(line)["seq"] for line in printed.splitlines()] == [2, 3, 4]


def test_count_tells_records_from_lines(broker: Broker) -> None:
    broker.publish("random-numbers", blocks(RANDOM_NUMBERS, [number(seq) for seq in range(5)], events_max=2))
    rows = [
        json.loads(line)
        for line in runner.invoke(app, ["topics", "count", "random-numbers", "--json"]).stdout.splitlines()
    ]
    assert (sum(row["records"] for row in rows), sum(row["lines"] for row in rows)) == (3, 5)


def test_an_unknown_topic_is_answered_with_the_nearest() -> None:
    error = runner.invoke(app, ["topics", "tail", "random-number"]).exception
    assert str(error) == "no topic is called `random-number`; did you mean `random-numbers`?"


def test_the_list_has_every_declared_topic() -> None:
    lines = runner.invoke(app, ["topics", "list", "--json"]).stdout.splitlines()
    assert [json.loads(line)["name"] for line in lines] == list(topics())


@pytest.fixture
def letter_id(broker: Broker) -> str:
    broker.publish("random-numbers", [Message(key=b"k", value=b"\x00 no event")])
    partition = next(each for each, end in broker.end_offsets("random-numbers").items() if end)
    dead = decode_all(RANDOM_NUMBERS, broker.read("random-numbers", {partition: 0})).dead
    dead_letters.bury(broker, dead)
    dead_letters.bury(broker, dead)  # as a reader does that restarted before it committed
    return dead[0].letter_id


def test_a_letter_buried_twice_is_listed_once_with_its_bytes(letter_id: str) -> None:
    lines = runner.invoke(app, ["deadletters", "list", "--json"]).stdout.splitlines()
    assert [(json.loads(line)["id"], json.loads(line)["raw_base64"]) for line in lines] == [
        (letter_id, "ACBubyBldmVudA==")
    ]


def test_show_writes_the_bytes_as_they_were(letter_id: str) -> None:
    assert runner.invoke(app, ["deadletters", "show", letter_id]).stdout_bytes == b"\x00 no event\n"


def test_a_replayed_letter_lies_on_its_topic_again_under_its_key(broker: Broker, letter_id: str) -> None:
    runner.invoke(app, ["deadletters", "replay", letter_id], catch_exceptions=False)
    partition = int(letter_id.split("/")[1])
    assert [(record.key, record.value) for record in broker.read("random-numbers", {partition: 1})] == [
        (b"k", b"\x00 no event")
    ]


def test_a_letter_that_is_not_there_is_named(broker: Broker) -> None:
    error = runner.invoke(app, ["deadletters", "show", "a/0/0/0"]).exception
    assert "no dead letter has the id `a/0/0/0`" in str(error)
    assert broker.end_offsets(DEAD_LETTERS.name) == {0: 0}


@pytest.mark.parametrize(("state", "status"), [("finished", 0), ("failed", 1), ("refused", 1)])
def test_submit_ends_as_the_job_did(broker: Broker, monkeypatch: pytest.MonkeyPatch, state: str, status: int) -> None:
    now_ns = time.time_ns()
    monkeypatch.setattr("pipeline_queue.jobs.secrets.token_hex", lambda _: "ab" * 8)
    result = event_type(JOB_RESULTS)(
        event_id="d-0", time_ns=now_ns, producer="d", seq=0, request_id="ab" * 8, job="j", state=state, message="m"
    )
    broker.publish("job-results", blocks(JOB_RESULTS, [result]))
    outcome = runner.invoke(app, ["submit", "j"])
    assert (outcome.exit_code, decode_all(JOB_REQUESTS, broker.read("job-requests", {0: 0})).events[0].job) == (
        status,
        "j",
    )


def test_submit_without_an_answer_says_who_should_have_given_one(broker: Broker) -> None:
    outcome = runner.invoke(app, ["submit", "j", "--wait", "0"])
    assert "does the service `processing` run?" in str(outcome.exception)
    assert sum(broker.end_offsets("job-requests").values()) == 1


def test_what_somebody_sent_neither_breaks_the_listing_nor_steers_the_terminal(broker: Broker) -> None:
    broker.publish("random-numbers", [Message(value=b"[/red]\x1b[2J")])
    dead_letters.bury(broker, decode_all(RANDOM_NUMBERS, broker.read("random-numbers", {0: 0})).dead)
    listed = runner.invoke(app, ["deadletters", "list"], catch_exceptions=False).stdout
    tailed = runner.invoke(app, ["topics", "tail", "random-numbers"], catch_exceptions=False).stdout
    assert ("[/red]" in listed, "\x1b" in listed + tailed, "\\x1b[2J" in tailed) == (True, False, True)
