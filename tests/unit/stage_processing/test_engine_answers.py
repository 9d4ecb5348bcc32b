"""What `httpPost` was answered is a part of a task's steps: a life after a crash has the same answers, and asks for the others."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import pytest
from pipeline_output.handlers.endpoints import Endpoint
from pipeline_processing.engine import world
from pipeline_processing.engine.courier import Post
from pipeline_processing.engine.inhibitions import Inhibitions
from pipeline_processing.engine.live import Live
from pipeline_processing.engine.posting import Reach
from pipeline_processing.engine.task_master import TaskMaster
from pipeline_processing.engine.world import World
from pipeline_processing.errors import NotStartable
from pipeline_processing.points.reading import Reader
from pipeline_processing.tasks.task_master import TaskDefinition
from pipeline_queue.brokers.memory import MemoryBroker, MemoryLog
from pipeline_queue.catalog import topics
from pipeline_queue.points.block import Origin, messages
from pipeline_queue.points.line_protocol import Parser
from pipeline_queue.topics import POINTS
from waiting import PATIENCE_S, until

SCRIPT = """
stream
    |from().measurement('cpu')
    |httpPost({where}).codeField('code')
    |window().periodCount(100).everyCount(1)
    |httpOut('out')
"""


class Target:
    """Answers with the next of its statuses; silent, with none, until it has others."""

    def __init__(self, *statuses: int) -> None:
        self.statuses, self.asked, self.urls = list(statuses), [], []

    def __call__(self, post: Post, *, told: str) -> int:
        self.asked.append((post.key, dict(post.headers).get("X-Who")))
        self.urls.append(post.url)
        assert until(lambda: bool(self.statuses) or self.is_gone, PATIENCE_S, pause_s=0.001)
        return self.statuses.pop(0) if self.statuses else 0

    is_gone = False


class Engine:
    def __init__(self, folder: Path, log: MemoryLog, where: str) -> None:
        def broker() -> MemoryBroker:
            return MemoryBroker(log)

        self.broker = broker
        endpoints = {
            "here": Endpoint(url="http://elsewhere/", headers={"X-Who": "us"}),
            "of the point": Endpoint(url="http://elsewhere/{{ .Name }}"),
        }
        live = Live(
            open_broker=broker,
            folder=folder,
            reader=Reader(),
            open_outlets=lambda definition: World(
                definition,
                open_broker=broker,
                reach=Reach(allowed=lambda url: url.startswith("http://allowed"), endpoints=endpoints),
                inhibitions=Inhibitions(),
            ),
            snapshot_interval_s=3600.0,
            endpoints=frozenset(endpoints),
        )
        self.live, self.master = live, TaskMaster(live)
        self.script = SCRIPT.format(where=where)

    def start(self) -> Engine:
        definition = TaskDefinition(id="t", type="stream", script=self.script, dbrps=(("db", "rp"),), version=1)
        self.master.start_task(self.master.new_task(definition))
        return self

    def write(self, *values: int) -> None:
        lines = "".join(f"cpu value={value} {value}\n" for value in values)
        (batch,) = Parser().parse(lines.encode(), now_ns=0).batches
        self.broker().publish(POINTS.name, list(messages(Origin("db", "rp"), batch)))

    def holds(self, *pairs: tuple[int, int]) -> bool:
        """Code and value of each point behind the POST."""
        return until(lambda: self._rows() == [list(each) for each in pairs], PATIENCE_S, pause_s=0.01)

    def _rows(self) -> list[list[float]]:
        return [row[1:] for each in self.master.series("t", "out") for row in each["values"]]

    def close(self) -> None:
        self.master.close()
        self.live.close()


@pytest.fixture
def log() -> MemoryLog:
    log = MemoryLog()
    MemoryBroker(log).create(topics().values())
    return log


@pytest.fixture
def engines(tmp_path: Path, log: MemoryLog) -> Iterator[list[Engine]]:
    engines: list[Engine] = []
    yield engines
    for each in engines:
        each.close()


def engine(
    engines: list[Engine],
    tmp_path: Path,
    log: MemoryLog,
    where: str = "'http://allowed/'",
    *,
    asked: Target | None = None,
) -> Engine:
    """Another one, on what the one before had on its disk when it was killed; whom that one `asked` answers no more."""
    folder = tmp_path / str(len(engines))
    if engines:
        copytree(tmp_path / str(len(engines) - 1), folder)
        if asked:
            asked.is_gone = True
        engines[-1].close()
    engines.append(Engine(folder, log, where))
    return engines[-1]


def at(monkeypatch: pytest.MonkeyPatch, target: Target) -> Target:
    monkeypatch.setattr(world, "status_over_http", target)
    return target


def test_after_a_crash_recorded_answers_stay_and_the_others_are_asked_for_again(
    engines: list[Engine], tmp_path: Path, log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = at(monkeypatch, Target(201, 202))
    first = engine(engines, tmp_path, log).start()
    first.write(1, 2, 3)
    assert first.holds((201, 1), (202, 2))
    assert until(lambda: len(before.asked) == 3, PATIENCE_S, pause_s=0.001)  # who asks next asks the other target
    after = at(monkeypatch, Target(500, 204))
    second = engine(engines, tmp_path, log, asked=before).start()
    second.write(4)
    assert second.holds((201, 1), (202, 2), (500, 3), (204, 4))
    assert [key for key, _ in before.asked[:3]] == [f"t.1.http_post2.{cause}.0" for cause in (0, 1, 2)]
    assert [key for key, _ in after.asked] == [f"t.1.http_post2.{cause}.0" for cause in (2, 3)]


def test_what_a_task_was_answered_to_points_that_the_queue_has_deleted_is_said_of_no_others(
    engines: list[Engine], tmp_path: Path, log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = at(monkeypatch, Target(201, 202))
    first = engine(engines, tmp_path, log).start()
    for value in (1, 2):
        first.write(value)
        assert first.holds(*((200 + each, each) for each in range(1, value + 1)))
    at(monkeypatch, Target(500))
    second = engine(engines, tmp_path, log, asked=before)
    log.begin.update({(POINTS.name, each): end // 2 for each, end in first.broker().end_offsets(POINTS.name).items()})
    assert second.start().holds((500, 2))


def test_a_stop_and_a_start_lose_no_point_that_waits(
    engines: list[Engine], tmp_path: Path, log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = at(monkeypatch, Target(201))
    first = engine(engines, tmp_path, log).start()
    first.write(1, 2)
    assert first.holds((201, 1))
    kept = tmp_path / "0" / "t" / "state.snapshot"
    at_start = kept.stat().st_ino
    first.master._lives["t"].end_soon()
    assert until(lambda: kept.stat().st_ino != at_start, PATIENCE_S, pause_s=0.001)
    target.is_gone = True
    first.master.stop_task("t")
    at(monkeypatch, Target(202))
    assert engine(engines, tmp_path, log).start().holds((201, 1), (202, 2))


def test_what_became_of_posts_is_among_the_counters_of_their_node(
    engines: list[Engine], tmp_path: Path, log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, Target(200, 500))
    it = engine(engines, tmp_path, log).start()
    it.write(1, 2)
    assert it.holds((200, 1), (500, 2))
    counters = it.master.stats("t")["node-stats"]["http_post2"]
    assert {name: count for name, count in counters.items() if name.startswith("post")} == {
        **{"posts_sent": 1, "post_errors": 1, "posts_given_up": 1, "posts_waiting": 0}
    }
    assert 'posts_given_up="1" ' in it.master.dot("t", "attributes")


def test_a_target_that_is_not_allowed_is_answered_for_with_0(
    engines: list[Engine], tmp_path: Path, log: MemoryLog, caplog: pytest.LogCaptureFixture
) -> None:
    it = engine(engines, tmp_path, log, "'http://other/'").start()
    with caplog.at_level(logging.ERROR):
        it.write(1)
        assert it.holds((0, 1))
    assert "may not post to http://other/: it is not in TASKS_ALLOW_TARGETS" in caplog.text


def test_an_endpoint_has_its_own_url_and_headers_and_needs_no_list(
    engines: list[Engine], tmp_path: Path, log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = at(monkeypatch, Target(200))
    it = engine(engines, tmp_path, log, ").endpoint('here'").start()
    it.write(1)
    assert it.holds((200, 1))
    assert target.asked == [("t.1.http_post2.0.0", "us")]


def test_a_url_is_filled_in_with_each_point_before_it_is_looked_up_in_the_list(
    engines: list[Engine], tmp_path: Path, log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = at(monkeypatch, Target(200, 201))
    where = """'http://{{ if gt (index (index .Values 0) "value") 1.0 }}other{{ else }}allowed{{ end }}/{{ .Name }}'"""
    it = engine(engines, tmp_path, log, where).start()
    it.write(1, 2)
    assert it.holds((200, 1), (0, 2))
    assert target.urls == ["http://allowed/cpu"]


def test_a_url_that_cannot_be_filled_in_leads_nowhere_and_says_why(
    engines: list[Engine], tmp_path: Path, log: MemoryLog, caplog: pytest.LogCaptureFixture
) -> None:
    it = engine(engines, tmp_path, log, "'http://allowed/{{ .Level }}'").start()
    with caplog.at_level(logging.ERROR):
        it.write(1, 2)
        assert it.holds((0, 1), (0, 2))
    assert caplog.text.count("task t: http_post2: template: url:1: can't evaluate field Level") == 1


def test_the_url_of_an_endpoint_is_filled_in_too(
    engines: list[Engine], tmp_path: Path, log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = at(monkeypatch, Target(200))
    it = engine(engines, tmp_path, log, ").endpoint('of the point'").start()
    it.write(1)
    assert it.holds((200, 1))
    assert target.urls == ["http://elsewhere/cpu"]


def test_a_task_whose_url_is_no_template_that_can_be_read_does_not_start(
    engines: list[Engine], tmp_path: Path, log: MemoryLog
) -> None:
    with pytest.raises(NotStartable, match=r"line 4 char 6: httpPost: template: url:1: "):
        engine(engines, tmp_path, log, "'http://allowed/{{ .Name'").start()


def test_an_endpoint_that_there_is_not_keeps_a_task_from_starting(
    engines: list[Engine], tmp_path: Path, log: MemoryLog
) -> None:
    with pytest.raises(NotStartable, match=r"line 4 char 6: endpoint 'nope' does not exist; TASKS_ENDPOINTS_FILE"):
        engine(engines, tmp_path, log, ").endpoint('nope'").start()
