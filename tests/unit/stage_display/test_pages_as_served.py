"""What the server hands out: demos, headers, health, and nothing that a strict policy would have to allow."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pipeline_display
import pytest
from flask.testing import FlaskClient
from pipeline_display.app import Parts, create_app
from pipeline_display.demos import DEMOS
from pipeline_display.path import STAGES, stand_ins, steps, store_of
from pipeline_display.settings import DisplaySettings
from pipeline_display.terminal import of_dead_letters, of_demo
from pipeline_display.wakeup import Bell
from pipeline_queue.service import Service, ServiceOptions

PACKAGE = Path(pipeline_display.__file__).parent
KAFKA = "kafka://kafka:9092"
EMBEDDED = ("disk:///data/disk", "sqlite:///data/windows.db")
STACK = ("disk:///data/disk", "cassandra://cassandra:9042/pipeline")


def client_of(**settings: str) -> FlaskClient:
    given = DisplaySettings(queue_url="sqlite:///q", async_mode="threading", **settings)
    service = Service(ServiceOptions(name="display", stage="display", queue_url=given.queue_url))
    app, _ = create_app(Parts(settings=given, service=service, bell=Bell()))
    return app.test_client()


@pytest.fixture
def client() -> FlaskClient:
    return client_of(stores=",".join(EMBEDDED))


def test_the_index_links_every_demo_and_names_the_five_stages(client: FlaskClient) -> None:
    page = client.get("/").text
    assert re.findall(r'class="card" href="([^"]+)"', page) == [demo.path for demo in DEMOS.values()]
    assert re.findall(r'data-stage="(\w+)"', page) == list(STAGES)


@pytest.mark.parametrize("path", ["/", "/demo1", "/demo5", "/demo6", "/healthz", "/nowhere", "/static/page.js"])
def test_every_answer_has_the_policy(client: FlaskClient, path: str) -> None:
    policy = client.get(path).headers["Content-Security-Policy"]
    assert (policy.startswith("default-src 'none'"), "unsafe" in policy) == (True, False)


@pytest.mark.parametrize("path", ["/", "/demo1", "/demo5", "/demo6"])
def test_no_page_has_inline_code_or_style_or_reaches_another_host(client: FlaskClient, path: str) -> None:
    page = client.get(path).text
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|https?://", page) == []


def test_an_unknown_page_is_not_found(client: FlaskClient) -> None:
    assert client.get("/demo99").status_code == 404


def test_the_page_is_healthy_while_its_loop_beats(client: FlaskClient) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"service": "display", "healthy": True, "trouble": None})


def test_what_stands_in_for_cassandra_says_so(client: FlaskClient) -> None:
    said = "Stand-ins here: SQLite log for Kafka, SQLite for Cassandra."
    assert ("SQLite, standing in for Cassandra" in client.get("/demo6").text, said in client.get("/demo6").text) == (
        True,
        True,
    )


def test_nothing_stands_in_for_anything_in_the_stack() -> None:
    found = [stand_ins(steps(demo, queue_url=KAFKA, store_url=store_of(demo, STACK))) for demo in DEMOS.values()]
    assert found == [[], [], []]


@pytest.mark.parametrize(
    ("urls", "disk", "database"),
    [(EMBEDDED, *EMBEDDED), (STACK, *STACK), ((), None, None), (EMBEDDED[1:], None, EMBEDDED[1])],
)
def test_each_demo_finds_its_store_by_scheme(urls: tuple[str, ...], disk: str | None, database: str | None) -> None:
    assert [store_of(DEMOS[name], urls) for name in ("demo1", "demo5", "demo6")] == [None, disk, database]


def test_cassandra_is_taken_before_its_stand_in() -> None:
    assert store_of(DEMOS["demo6"], (*EMBEDDED, *STACK)) == STACK[1]


def test_a_demo_without_its_store_says_what_to_set() -> None:
    assert "add a `disk:` URL to STORES" in client_of().get("/demo5").text.replace("&#39;", "'")


def test_demo_1_passes_by_processing_and_output() -> None:
    way = steps(DEMOS["demo1"], queue_url=KAFKA, store_url=None)
    assert [step.stage for step in way if step.used] == ["input", "queue", "display"]


def test_the_commands_of_the_embedded_mode_say_where_things_are() -> None:
    settings = DisplaySettings(queue_url="sqlite:///data/my queue", stores=",".join(EMBEDDED))
    assert [*(of_demo(demo, settings) for demo in DEMOS.values()), of_dead_letters(settings)] == [
        "QUEUE_URL='sqlite:///data/my queue' .venv/bin/pipeline topics tail -f monitoring",
        "STORES=disk:///data/disk .venv/bin/python -m pipeline_display.tail demo5",
        "STORES=sqlite:///data/windows.db .venv/bin/python -m pipeline_display.tail demo6",
        "QUEUE_URL='sqlite:///data/my queue' .venv/bin/pipeline deadletters list",
    ]


def test_the_commands_of_the_stack_go_into_its_container() -> None:
    settings = DisplaySettings(queue_url=KAFKA, stores=",".join(STACK))
    assert [*(of_demo(demo, settings) for demo in DEMOS.values()), of_dead_letters(settings)] == [
        "docker compose exec display pipeline topics tail -f monitoring",
        "docker compose exec display python -m pipeline_display.tail demo5",
        "docker compose exec display python -m pipeline_display.tail demo6",
        "docker compose exec display pipeline deadletters list",
    ]


def test_the_vendored_files_are_those_that_the_notes_name() -> None:
    notes = (PACKAGE / "static/vendor/README.md").read_text()
    noted = dict(re.findall(r"\| `([\w.]+\.js)` .*?\| `([0-9a-f]{64})` \|", notes))
    here = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (PACKAGE / "static/vendor").glob("*.js")
    }
    assert noted == here


def test_our_scripts_are_small() -> None:
    ours = [path for path in (PACKAGE / "static").rglob("*.js") if "vendor" not in path.parts]
    assert [path.name for path in ours if path.read_text().count("\n") > 250] == []
