"""What the server hands out: demos, headers, health, and nothing that a strict policy would have to allow."""

from __future__ import annotations

import hashlib
import html
import json
import re
from pathlib import Path

import pipeline_display
import pytest
from flask.testing import FlaskClient
from pipeline_display.app import Parts, create_app, page_of
from pipeline_display.demos import DEMOS
from pipeline_display.path import STAGES, stand_ins, steps, store_of
from pipeline_display.settings import DisplaySettings
from pipeline_display.terminal import of_dead_letters, of_demo, of_task, of_tasks, that_starts_tasks
from pipeline_display.wakeup import Bell
from pipeline_queue.service import Service, ServiceOptions

PACKAGE = Path(pipeline_display.__file__).parent
KAFKA = "kafka://kafka:9092"
EMBEDDED = ("disk:///data/disk", "sqlite:///data/windows.db")
PAGES = ["/", "/events", "/tasks", "/tasks/cpu", "/alerts", *(demo.path for demo in DEMOS.values())]
STACK = ("disk:///data/disk", "cassandra://cassandra:9042/pipeline")


def client_of(**settings: str) -> FlaskClient:
    given = DisplaySettings(queue_url="sqlite:///q", async_mode="threading", **settings)
    service = Service(ServiceOptions(name="display", stage="display", queue_url=given.queue_url))
    service.beat("serving")
    app, _ = create_app(Parts(settings=given, service=service, bell=Bell()))
    return app.test_client()


@pytest.fixture
def client() -> FlaskClient:
    return client_of(stores=",".join(EMBEDDED))


def test_the_index_links_every_demo_and_names_the_five_stages(client: FlaskClient) -> None:
    page = client.get("/").text
    assert re.findall(r'class="card" href="([^"]+)"', page) == [demo.path for demo in DEMOS.values()]
    assert re.findall(r'data-stage="(\w+)"', page) == list(STAGES)


@pytest.mark.parametrize("path", [*PAGES, "/healthz", "/nowhere", "/static/page.js"])
def test_every_answer_has_the_policy(client: FlaskClient, path: str) -> None:
    policy = client.get(path).headers["Content-Security-Policy"]
    assert (policy.startswith("default-src 'none'"), "unsafe" in policy) == (True, False)


@pytest.mark.parametrize("path", PAGES)
def test_no_page_has_inline_code_or_style_or_reaches_another_host(client: FlaskClient, path: str) -> None:
    page = client.get(path).text
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|https?://", page) == []


ALIASES = {
    "/live/monitoring": "/demo1",
    "/live/random-numbers": "/demo2",
    "/spark/cassandra/census-data": "/demo3",
    "/spark/disk/census-data": "/demo4",
    "/spark-streaming/disk/random-numbers": "/demo5",
    "/spark-streaming/cassandra/random-numbers": "/demo6",
    "/spark-streaming/disk/monitoring": "/demo7",
    "/spark-streaming/cassandra/monitoring": "/demo8",
}


@pytest.mark.parametrize("alias", ALIASES)
def test_an_alias_leads_to_the_page_and_no_browser_remembers_it(client: FlaskClient, alias: str) -> None:
    answer = client.get(alias)
    led = (answer.status_code, answer.headers["Location"], answer.headers["Cache-Control"])
    assert (led, client.get(alias, follow_redirects=True).status_code) == ((308, ALIASES[alias], "no-cache"), 200)


def test_every_alias_leads_to_its_demo_and_no_page_links_it(client: FlaskClient) -> None:
    aliases = {demo.alias: demo.path for demo in DEMOS.values() if demo.alias}
    pages = "".join(client.get(path).text for path in ("/", *(demo.path for demo in DEMOS.values())))
    assert {alias: client.get(alias).headers["Location"] for alias in aliases} == aliases
    assert [alias for alias in aliases if alias in pages] == []


def test_the_index_says_how_to_draw_each_demo_small(client: FlaskClient) -> None:
    page = client.get("/").text
    told = json.loads(html.unescape(re.findall(r'data-page="([^"]*)"', page)[0]))["demos"]
    cards = re.findall(r'<a class="card" [^>]*data-demo="(\w+)"', page)
    assert ([each["feed"] for each in told], cards) == ([*DEMOS], [*DEMOS])
    assert [each["chart"] for each in told] == [demo.chart for demo in DEMOS.values()]


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
    assert found == [[]] * len(DEMOS)


@pytest.mark.parametrize(
    ("urls", "disk", "database"),
    [(EMBEDDED, *EMBEDDED), (STACK, *STACK), ((), None, None), (EMBEDDED[1:], None, EMBEDDED[1])],
)
def test_each_demo_finds_its_store_by_scheme(urls: tuple[str, ...], disk: str | None, database: str | None) -> None:
    found = {name: store_of(demo, urls) for name, demo in DEMOS.items()}
    assert [found[name] for name in ("demo1", "demo5", "demo6", "demo7", "demo8")] == [None, *[disk, database] * 2]


def test_cassandra_is_taken_before_its_stand_in() -> None:
    assert store_of(DEMOS["demo6"], (*EMBEDDED, *STACK)) == STACK[1]


def test_a_demo_without_its_store_says_what_to_set() -> None:
    assert "add a `disk:` URL to STORES" in client_of().get("/demo5").text.replace("&#39;", "'")


def test_each_demo_has_its_chart() -> None:
    charts = PACKAGE / "static/charts"
    assert [demo.chart for demo in DEMOS.values() if not (charts / f"{demo.chart}.js").is_file()] == []


@pytest.mark.parametrize("name", ["demo1", "demo2"])
def test_what_is_drawn_straight_from_the_queue_passes_by_processing_and_output(name: str) -> None:
    way = steps(DEMOS[name], queue_url=KAFKA, store_url=None)
    assert [step.stage for step in way if step.used] == ["input", "queue", "display"]


def test_the_commands_of_the_embedded_mode_say_where_things_are() -> None:
    settings = DisplaySettings(queue_url="sqlite:///data/my queue", stores=",".join(EMBEDDED))
    commands = {
        "demo1": "QUEUE_URL='sqlite:///data/my queue' .venv/bin/pipeline topics tail -f monitoring",
        "demo2": "QUEUE_URL='sqlite:///data/my queue' .venv/bin/pipeline topics tail -f random-numbers",
        "demo3": "STORES=sqlite:///data/windows.db .venv/bin/python -m pipeline_display.tail demo3",
        "demo4": "STORES=disk:///data/disk .venv/bin/python -m pipeline_display.tail demo4",
        "demo5": "STORES=disk:///data/disk .venv/bin/python -m pipeline_display.tail demo5",
        "demo6": "STORES=sqlite:///data/windows.db .venv/bin/python -m pipeline_display.tail demo6",
        "demo7": "STORES=disk:///data/disk .venv/bin/python -m pipeline_display.tail demo7",
        "demo8": "STORES=sqlite:///data/windows.db .venv/bin/python -m pipeline_display.tail demo8",
    }
    assert {name: of_demo(DEMOS[name], settings) for name in commands} == commands
    assert of_dead_letters(settings) == "QUEUE_URL='sqlite:///data/my queue' .venv/bin/pipeline deadletters list"


def test_the_commands_of_the_stack_go_into_its_container() -> None:
    settings = DisplaySettings(queue_url=KAFKA, stores=",".join(STACK))
    commands = {
        "demo1": "docker compose exec display pipeline topics tail -f monitoring",
        "demo2": "docker compose exec display pipeline topics tail -f random-numbers",
        **{
            name: f"docker compose exec display python -m pipeline_display.tail {name}"
            for name in ("demo3", "demo4", "demo7", "demo8")
        },
        "demo5": "docker compose exec display python -m pipeline_display.tail demo5",
        "demo6": "docker compose exec display python -m pipeline_display.tail demo6",
    }
    assert {name: of_demo(DEMOS[name], settings) for name in commands} == commands
    assert of_dead_letters(settings) == "docker compose exec display pipeline deadletters list"


def test_a_store_of_three_hosts_is_one_store() -> None:
    three = "cassandra://a:1,b:2,c:3/pipeline?replication=3"
    settings = DisplaySettings(queue_url=KAFKA, stores=f"disk:///data/disk, {three}")
    assert [store_of(DEMOS[name], settings.store_urls) for name in ("demo5", "demo6")] == ["disk:///data/disk", three]


def test_the_pages_of_tasks_say_what_starts_the_engine() -> None:
    starts = "QUEUE_URL=sqlite:///q .venv/bin/pipeline tasks"
    client = client_of()
    assert [starts in client.get(path).text for path in ("/tasks", "/tasks/cpu", "/alerts")] == [True] * 3


def test_the_commands_about_tasks_say_where_the_api_is_unless_it_is_where_it_usually_is() -> None:
    usual, other = DisplaySettings(queue_url="sqlite:///q"), DisplaySettings(tasks_url="http://127.0.0.1:1")
    stack = DisplaySettings(queue_url=KAFKA)
    assert (of_tasks(usual), of_task("a", other)) == (
        ".venv/bin/pipeline task list",
        "TASKS_URL=http://127.0.0.1:1 .venv/bin/pipeline task show a",
    )
    assert of_tasks(stack) == "docker compose exec display pipeline task list"
    assert that_starts_tasks(stack) == "docker compose --profile tasks up -d"


def test_a_task_of_any_name_has_a_page_that_says_it_as_text(client: FlaskClient) -> None:
    page = client.get("/tasks/%3Cb%3E'%22").text
    told = json.loads(html.unescape(re.findall(r'data-page="([^"]*)"', page)[0]))
    assert (told, "<b>" in page) == ({"task": "<b>'\""}, False)


def test_the_vendored_files_are_those_that_the_notes_name() -> None:
    notes = (PACKAGE / "static/vendor/README.md").read_text()
    noted = dict(re.findall(r"\| `([\w.-]+\.js(?:on)?)` .*?\| `([0-9a-f]{64})` \|", notes))
    files = [path for path in (PACKAGE / "static/vendor").iterdir() if path.suffix in {".js", ".json"}]
    here = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    assert noted == here


def test_every_vendored_file_has_its_licence_beside_it() -> None:
    notes = (PACKAGE / "static/vendor/README.md").read_text()
    licences = re.findall(r"\| \w+, `([\w.-]+\.LICENSE)`", notes)
    assert len(licences) == len(re.findall(r"[0-9a-f]{64}", notes))
    assert sorted(licences) == sorted(path.name for path in (PACKAGE / "static/vendor").glob("*.LICENSE"))


def test_the_shapes_of_the_states_are_served_as_json(client: FlaskClient) -> None:
    assert client.get("/static/vendor/states-10m.json").mimetype == "application/json"


@pytest.mark.parametrize("name", ["demo3", "demo4"])
def test_a_census_page_says_its_rules_and_sources_and_offers_no_time_span(client: FlaskClient, name: str) -> None:
    page = client.get(f"/{name}").text
    told = ("a + 0.5 years", "1.5 times its lower bound", "not endorsed or certified by the Census Bureau")
    assert [text in page for text in told] == [True] * 3
    assert ('name="span"' in page, 'id="latency-p99"' in page, "Computed" in page) == (False, False, True)


def test_a_page_of_windows_offers_time_spans(client: FlaskClient) -> None:
    page = client.get("/demo5").text
    assert ('name="span"' in page, 'id="latency-p99"' in page, 'name="table"' in page) == (True, True, False)


def test_a_census_page_knows_the_key_and_the_columns_of_its_tables() -> None:
    told = page_of(DEMOS["demo4"], DisplaySettings(stores=",".join(EMBEDDED)))
    assert [(table["name"], table["key"]) for table in told["tables"]] == [
        ("census_population", ("year_start_ns", "sex", "age")),
        ("census_age", ("year_start_ns", "sex")),
        ("census_income", ("year_start_ns", "kind", "place")),
    ]
    assert told["is_settled"] is True


def test_the_path_of_census_data_names_a_batch_and_three_tables() -> None:
    _, _, processing, output, _ = steps(DEMOS["demo3"], queue_url=KAFKA, store_url=STACK[1])
    assert (processing.what, output.name) == (
        "Spark, in one batch",
        "tables census_population, census_age, census_income",
    )


def test_our_scripts_are_small() -> None:
    ours = [path for path in (PACKAGE / "static").rglob("*.js") if "vendor" not in path.parts]
    assert [path.name for path in ours if path.read_text().count("\n") > 250] == []
