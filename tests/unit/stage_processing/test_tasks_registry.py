"""Definitions and tasks that run: what a start of the server, a failure and another server do to them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from memory_tasks import MemoryTaskMaster
from pipeline_processing.tasks.changes import Change, NewTask
from pipeline_processing.tasks.errors import Conflict, NotStarted
from pipeline_processing.tasks.locks import Locks
from tasks_at_hand import CPU, TaskServer, task_server

DBRPS = (("telegraf", "autogen"),)
WITHIN_S = 20.0


@pytest.fixture
def here(tmp_path: Path) -> Iterator[TaskServer]:
    with task_server(tmp_path) as server:
        yield server


def test_a_start_runs_what_was_enabled_and_nothing_else(here: TaskServer) -> None:
    for name, status in (("a", "enabled"), ("b", "disabled"), ("c", "enabled")):
        here.registry.create(NewTask(id=name, script=CPU, dbrps=DBRPS, status=status))
    here.start()
    assert list(here.master.running) == ["a", "c"]


def test_a_task_that_compiles_no_more_is_shown_with_its_error_and_hurts_no_other(here: TaskServer) -> None:
    for name in ("a", "b", "c"):
        here.define(name, status="enabled")
    (before,) = (each for each in here.store.every() if each.id == "b")
    here.store.replace(before, replace(before, script="stream\n    |gone()"))
    here.start()
    told = here.ask("GET", "/tasks/b").told
    assert list(here.master.running) == ["a", "c"]
    assert (told["status"], told["executing"], told["dot"]) == ("enabled", False, "")
    assert told["error"].startswith("invalid TICKscript: line 2 char 6: ")
    assert here.ask("PATCH", "/tasks/b", {"status": "disabled"}).status == 200


def test_a_task_that_meets_a_defect_at_a_start_hurts_no_other(
    here: TaskServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        here.define(name, status="enabled")
    start = MemoryTaskMaster.start_task

    def sometimes(master: MemoryTaskMaster, task: object) -> None:
        if task.definition.id == "b":  # type: ignore[attr-defined]
            raise ZeroDivisionError("by zero")
        start(master, task)  # type: ignore[arg-type]

    monkeypatch.setattr(MemoryTaskMaster, "start_task", sometimes)
    here.start()
    assert (list(here.master.running), here.ask("GET", "/tasks/b").told["error"]) == (["a", "c"], "by zero")


def test_each_meaning_runs_under_a_version_of_its_own_and_a_restart_keeps_it(here: TaskServer) -> None:
    here.registry.create(NewTask(id="a", script=CPU, dbrps=DBRPS, status="enabled"))
    here.registry.patch("a", Change(status="disabled"))
    here.registry.patch("a", Change(status="enabled"))
    here.registry.patch("a", Change(script=CPU.replace("mean", "other")))
    here.start()
    versions = [version for _, version in here.master.started]
    assert (versions[0] == versions[1] < versions[2] == versions[3], len(versions)) == (True, 4)


def test_what_another_server_changed_meanwhile_is_not_undone(here: TaskServer, monkeypatch: pytest.MonkeyPatch) -> None:
    created = here.registry.create(NewTask(id="a", script=CPU, dbrps=DBRPS))
    theirs = here.store.replace(created, replace(created, script=CPU.replace("mean", "theirs")))
    monkeypatch.setattr(here.store, "find", lambda _: created)
    with pytest.raises(Conflict, match="meanwhile"):
        here.registry.patch("a", Change(script=CPU.replace("mean", "ours")))
    assert here.store.every() == [theirs]


def test_a_task_that_did_not_start_runs_once_its_cause_is_gone(here: TaskServer) -> None:
    asked = NewTask(id="a", script=CPU.replace("mean", "broken"), dbrps=DBRPS, status="enabled")
    with pytest.raises(NotStarted):
        here.registry.create(asked)
    kept = here.registry.patch("a", Change(script=CPU))
    assert (here.registry.error(kept), list(here.master.running)) == ("", ["a"])


def test_who_holds_one_name_lets_others_have_others_and_keeps_them_from_that_one() -> None:
    locks, order = Locks(), list[str]()

    def take(name: str) -> None:
        with locks.held(name):
            order.append(name)

    with ThreadPoolExecutor(2) as threads:
        with locks.held("a", "b", "a"):
            waiting = threads.submit(take, "b")
            threads.submit(take, "c").result(WITHIN_S)
            order.append("left")
        waiting.result(WITHIN_S)
    assert order == ["c", "left", "b"]


def test_what_a_task_remembers_is_forgotten_when_its_name_is_gone(here: TaskServer) -> None:
    for each in ("a", "b", "c"):
        here.registry.create(NewTask(id=each, script=CPU, dbrps=DBRPS, status="enabled"))
    here.registry.delete("a")
    here.registry.patch("b", Change(id="d"))
    here.registry.patch("c", Change(status="disabled"))
    here.start()
    assert here.master.forgotten == ["others than ", "a", "b", "others than c, d"]
