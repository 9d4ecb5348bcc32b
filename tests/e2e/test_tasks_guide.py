"""From a script and points to Slack, as people who come from Kapacitor do it: by the requests of its own command line.

The walk is that of docs/kapacitor.md, with the very script, points and message that stand there. The second script is one as
guides have it: many handlers in one alert node, of which the operator configured one.
"""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from alert_receivers import Receiver, http_receiver
from running_demo import ROOT
from running_engine import RunningEngine, running_engine
from waiting import PATIENCE_S, until

PAGE = (ROOT / "docs/kapacitor.md").read_text()
HOOK = "/services/T000/B000/secret"
GUIDE = """
dbrp "telegraf"."autogen"

stream
    |from()
        .measurement('cpu')
    |eval(lambda: 100.0 - "usage_idle")
        .as('used')
    |groupBy('service', 'datacenter')
    |window()
        .period(1m)
        .every(1m)
    |percentile('used', 95.0)
    |eval(lambda: sigma("percentile"))
        .as('sigma')
        .keep('percentile', 'sigma')
    |alert()
        .id('{{ .Name }}/{{ index .Tags "service" }}/{{ index .Tags "datacenter"}}')
        .message('{{ .ID }} is {{ .Level }}, 95th percentile {{ index .Fields "percentile" }}')
        .warn(lambda: "sigma" > 2.5)
        .crit(lambda: "sigma" > 3.0)
        .log('/tmp/alerts.log')
        .post('https://alerts.example.com')
        .exec('/bin/tell_somebody.sh')
        .slack()
        .channel('#alerts')
        .pagerDuty()
        .victorOps()
        .routingKey('on_call')
"""


@dataclass(frozen=True)
class Client:
    """What Kapacitor's command line sends, as tests/recorded_clients has it."""

    engine: RunningEngine

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        sent = b"" if body is None else json.dumps(body).encode()
        headers = {"User-Agent": "KapacitorClient", "Content-Type": "application/json"}
        with closing(http.client.HTTPConnection("127.0.0.1", self.engine.port, timeout=PATIENCE_S)) as connection:
            connection.request(method, f"/kapacitor/v1{path}", body=sent, headers=headers)
            answer = connection.getresponse()
            told = answer.read()
        return answer.status, json.loads(told) if told else None

    def define(self, task_id: str, script: str, dbrps: Sequence[dict[str, str]] = ()) -> None:
        assert self.ask("GET", f"/tasks/{task_id}?dot-view=attributes&replay-id=&script-format=formatted")[0] == 404
        task: dict[str, Any] = {"id": task_id, "script": script, "status": "disabled"}
        if dbrps:
            task |= {"type": "stream", "dbrps": list(dbrps)}
        assert self.ask("POST", "/tasks", task)[0] == 200

    def enable(self, task_id: str) -> None:
        found = self.ask("GET", f"/tasks?dot-view=attributes&fields=link&limit=100&offset=0&pattern={task_id}")[1]
        (link,) = [each["link"]["href"].removeprefix("/kapacitor/v1") for each in found["tasks"]]
        status, told = self.ask("PATCH", link, {"status": "enabled"})
        assert (status, told["executing"]) == (200, True)

    def is_finished(self, kind: str, name: str) -> bool:
        status, told = self.ask("GET", f"/{kind}/{name}")
        return (status, told["status"]) == (200, "finished")


@contextmanager
def telling_slack(folder: Path) -> Iterator[tuple[Client, Receiver]]:
    with (
        http_receiver() as slack,
        running_engine(folder, {"ALERTS_SLACK_URL": f"http://127.0.0.1:{slack.port}{HOOK}"}) as engine,
    ):
        yield Client(engine), slack


def part_of_page(begin: str, end: str) -> str:
    """The lines of an indented block of the page's, from the one that begins so to the one that ends so."""
    found = re.search(rf"^    ({re.escape(begin)}.*?{re.escape(end)})$", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"docs/kapacitor.md has no `{begin} .. {end}`"
    return "\n".join(line.removeprefix("    ") for line in found.group(1).splitlines())


def write(client: Client, query: str, lines: str) -> None:
    assert client.engine.ask("POST", f"/write?{query}", lines.encode())[0] == 204


def test_the_walk_from_define_to_slack_and_back_by_replay_is_as_the_page_says(tmp_path: Path) -> None:
    script = part_of_page("stream", ".channel('#ops')")
    lines = part_of_page("curl 'http://127.0.0.1:9092/write", "1010'").split("'")[3]
    said = json.loads(part_of_page('{"as_user"', '"kapacitor"}'))
    with telling_slack(tmp_path) as (client, slack):
        client.define("cpu", script, [{"db": "telegraf", "rp": "autogen"}])
        client.enable("cpu")
        stop = datetime.now(UTC) + timedelta(seconds=60)
        asked = {"id": "monday", "task": "cpu", "stop": stop.isoformat().replace("+00:00", "Z")}
        assert client.ask("POST", "/recordings/stream", asked)[0] == 201
        write(client, "db=telegraf&rp=autogen&precision=s", lines)
        (told,) = slack.wait_for(1)
        assert (told.path, told.headers["Content-Type"], told.json) == (HOOK, "application/json", said)
        live = client.engine.output("cpu", "usage")
        assert [each["values"] for each in live["series"]] == [[["1970-01-01T00:16:50Z", 96]]]
        write(
            client, "db=telegraf&rp=autogen&precision=s", f"later v=1 {int(stop.timestamp()) + 1}"
        )  # ends the recording
        assert until(lambda: client.is_finished("recordings", "monday"), PATIENCE_S)
        replay = {"id": "again", "recording": "monday", "task": "cpu", "recording-time": True, "clock": "fast"}
        assert client.ask("POST", "/replays", replay)[0] == 201
        assert until(lambda: client.is_finished("replays", "again"), PATIENCE_S)
        assert client.ask("GET", "/replays/again/usage") == (200, live)
        alerts = json.loads(part_of_page('{"total"', "]}"))
        assert client.ask("GET", "/replay-alerts/again?fields=time&fields=level&fields=id") == (200, alerts)
        assert len(slack.got) == 1, "the replay told the live task's handlers"


def test_a_script_with_many_handlers_tells_the_one_that_is_configured(tmp_path: Path) -> None:
    """All minutes are busy for 10 % of their time but the fourteenth, 95 %: it is 13 / √14 = 3.5 standard deviations above the mean."""
    minutes = [10] * 13 + [95, 10, 10]
    lines = "\n".join(
        f"cpu,service=cart,datacenter=eu usage_idle={100 - busy}.0 {60 * minute + at}"
        for minute, busy in enumerate(minutes)
        for at in (0, 30)
    )
    with telling_slack(tmp_path) as (client, slack):
        client.define("sigma", GUIDE)
        client.enable("sigma")
        write(client, "db=telegraf&rp=autogen&precision=s", lines)
        told = [each.json["attachments"][0] for each in slack.wait_for(2)]
        assert [(each["color"], each["text"]) for each in told] == [
            ("danger", "cpu/cart/eu is CRITICAL, 95th percentile 95"),
            ("good", "cpu/cart/eu is OK, 95th percentile 10"),
        ]
        assert [each.json["channel"] for each in slack.got] == ["#alerts"] * 2
