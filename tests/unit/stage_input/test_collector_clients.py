"""The file of clients, and what each may."""

from __future__ import annotations

import hashlib
import time
import uuid
from pathlib import Path

import pytest
from pipeline_cli.main import app
from pipeline_input.collector.clients import BadClients, Client, Clients, Limits, read
from pipeline_input.collector.ids import Ids
from typer.testing import CliRunner

NS = 1_000_000_000
runner = CliRunner()


def commanded(file: Path, *words: str) -> str:
    done = runner.invoke(app, ["clients", *words, "--file", str(file)], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def test_a_token_is_printed_once_and_the_file_has_its_hash(tmp_path: Path) -> None:
    file = tmp_path / "clients.json"
    token = commanded(file, "add", "shop", "--events-per-s", "10").strip()
    assert token not in file.read_text()
    assert read(file)["shop"].token_sha256 == hashlib.sha256(token.encode()).hexdigest()
    assert Clients(read(file)).client(f"Bearer {token}").name == "shop"
    assert commanded(file, "list") == "shop: 10 events/s, any size\n"
    commanded(file, "remove", "shop")
    assert read(file) == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "malformed|truncated"),
        ("[]", "object"),
        ('{"a": {}}', "token_sha256"),
        ('{"a": {"token_sha256": "abc"}}', "token_sha256"),
        ('{"a": {"token_sha256": "%s", "rate": 1}}' % ("0" * 64), "rate"),
        ('{"a": {"token_sha256": "%s", "events_per_s": 0}}' % ("0" * 64), "events_per_s"),
        ("\xff", "clients.json"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_its_name_and_place(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "clients.json"
    file.write_text(text, encoding="latin-1")
    with pytest.raises(BadClients, match=says) as refusal:
        read(file)
    assert str(file) in str(refusal.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadClients, match="cannot be read: No such file"):
        read(tmp_path / "none.json")


def test_a_rate_is_what_flows_after_the_first_burst() -> None:
    client = Client("shop", events_per_s=10)
    granted = sum(not client.wait_s(1, i / 1000) for i in range(1000, 11_000))
    assert granted == pytest.approx(110, abs=2)


def test_a_request_that_is_larger_than_the_rate_is_paid_for_afterwards() -> None:
    client = Client("shop", events_per_s=10)
    assert client.wait_s(100, 1.0) == 0
    assert client.wait_s(1, 2.0) == pytest.approx(8.1)
    assert client.wait_s(1, 10.5) == 0


def test_processes_share_a_rate() -> None:
    digest = hashlib.sha256(b"t").hexdigest()
    of_four = Clients({"shop": Limits(token_sha256=digest, events_per_s=40)}, workers=4).client("Bearer t")
    assert of_four.wait_s(10, 1.0) == 0
    assert of_four.wait_s(1, 1.0) > 0


def test_ids_grow_with_time_and_are_uuids_of_version_7() -> None:
    ids = Ids()
    now = time.time_ns()
    made = [each for step in (0, 0, 100, 1_000_000, -NS, -NS, NS) for each in ids.take(3, now + step)]
    assert made == sorted(set(made))
    parsed = uuid.UUID(made[0])
    assert (parsed.version, parsed.variant, parsed.int >> 80) == (7, uuid.RFC_4122, now // 1_000_000)


def test_a_client_that_could_not_be_read_back_is_not_written(tmp_path: Path) -> None:
    file = tmp_path / "clients.json"
    for words in (["x" * 65], ["shop", "--events-per-s", "nan"]):
        assert runner.invoke(app, ["clients", "add", *words, "--file", str(file)]).exit_code != 0
    assert not file.exists()
