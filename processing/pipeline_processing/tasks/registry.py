"""Tasks as they are defined and as they run: the one place that changes either.

In:      what is asked, as changes.py has it.
Out:     definitions in the store, tasks in the engine that follow them.
Refuses: see changes.py; (NoTask) an id that no task has; (BadScript) what does not compile, and then nothing is changed; (Conflict) a
         definition that another server changed meanwhile; (NotStarted) a task that is kept but does not run.
A task that runs is started anew when its definition changes. Who changes one task waits for nobody who changes another.
"""

from __future__ import annotations

import logging

from pipeline_output.errors import DefinitionChanged, DefinitionExists
from pipeline_output.state.definitions import Definition, DefinitionStore
from pipeline_queue.clock import Clock

from pipeline_processing.errors import ProcessingError
from pipeline_processing.tasks.changes import Change, NewTask, changed, defined
from pipeline_processing.tasks.errors import BadScript, Conflict, NoTask, NotStarted, Refused
from pipeline_processing.tasks.locks import Locks
from pipeline_processing.tasks.task_master import ScriptError, Task, TaskDefinition, TaskMaster

log = logging.getLogger(__name__)


class TaskRegistry:
    def __init__(self, store: DefinitionStore, master: TaskMaster, clock: Clock) -> None:
        self._store, self.master, self._clock = store, master, clock
        self._locks = Locks()
        self._failures: dict[str, str] = {}

    def start(self) -> None:
        """Run what was enabled. One that fails is told of and hurts no other, whatever its failure is."""
        self.master.forget_others(lambda: [each.id for each in self._store.every()])
        for definition in self._store.every():
            if definition.status == "enabled":
                with self._locks.held(definition.id):
                    self._start_or_tell(definition)

    def create(self, asked: NewTask) -> Definition:
        definition = defined(asked, self._clock.now_ns())
        with self._locks.held(definition.id):
            if self._store.find(definition.id):
                raise Refused(str(DefinitionExists(definition.id)))
            self._compiled(definition)
            try:
                kept = self._store.create(definition)
            except DefinitionExists as taken:
                raise Refused(str(taken)) from taken
            if kept.status == "enabled":
                self._start(kept)
            return kept

    def patch(self, task_id: str, change: Change) -> Definition:
        with self._locks.held(task_id, change.id or task_id):
            before = self.definition(task_id)
            after = changed(before, change, self._clock.now_ns())
            is_new = after.meaning != before.meaning
            if is_new:
                self._compiled(after)
            kept = self._replaced(before, after)
            if kept.id != task_id:
                self._forget(task_id)
            if kept.status == "disabled":
                self._stop(task_id)
            elif is_new or (change.status == "enabled" and not self.master.is_executing(task_id)):
                self._stop(task_id)
                self._start(kept)
            return kept

    def delete(self, task_id: str) -> None:
        """No harm if there is none."""
        with self._locks.held(task_id):
            self._store.delete(task_id)
            self._forget(task_id)

    def definition(self, task_id: str) -> Definition:
        """Raises NoTask."""
        found = self._store.find(task_id)
        if found is None:
            raise NoTask
        return found

    def definitions(self) -> list[Definition]:
        """All of them, by id."""
        return self._store.every()

    def compiled(self, task_id: str) -> TaskDefinition:
        """One that compiles, for a recording or a replay; raises NoTask, BadScript."""
        definition = self.definition(task_id)
        self._compiled(definition)
        return _asked(definition)

    def dot(self, definition: Definition) -> str:
        """Its graph without counters; raises BadScript."""
        return self._compiled(definition).dot()

    def error(self, definition: Definition) -> str:
        """Why it does not run, where that is not as it should be; empty otherwise."""
        if self.master.is_executing(definition.id):
            return ""
        return self._failures.get(definition.id, "") or self.master.error(definition.id)

    def _compiled(self, definition: Definition) -> Task:
        try:
            return self.master.new_task(_asked(definition))
        except ScriptError as error:
            raise BadScript(error) from error

    def _start(self, definition: Definition) -> None:
        """Raises NotStarted, and remembers why."""
        try:
            self.master.start_task(self._compiled(definition))
        except ProcessingError as error:
            self._failures[definition.id] = str(error)
            raise NotStarted(definition.id, error) from error
        self._failures.pop(definition.id, None)

    def _start_or_tell(self, definition: Definition) -> None:
        try:
            self._start(definition)
        except ProcessingError as error:
            self._failures.setdefault(definition.id, str(error))
            log.warning("the task %s is enabled and does not run: %s", definition.id, error)
        except Exception as error:  # a defect that one task meets must not keep the others from running
            self._failures[definition.id] = str(error)
            log.exception("the task %s is enabled and does not run", definition.id)

    def _stop(self, task_id: str) -> None:
        self.master.stop_task(task_id)
        self._failures.pop(task_id, None)

    def _forget(self, task_id: str) -> None:
        self.master.forget_task(task_id)
        self._failures.pop(task_id, None)

    def _replaced(self, before: Definition, after: Definition) -> Definition:
        try:
            return self._store.replace(before, after)
        except DefinitionExists as taken:
            raise Refused(str(taken)) from taken
        except DefinitionChanged as reason:
            raise Conflict(str(reason)) from reason


def _asked(definition: Definition) -> TaskDefinition:
    return TaskDefinition(
        id=definition.id,
        type=definition.type,
        script=definition.script,
        dbrps=definition.dbrps,
        vars=definition.vars,
        version=definition.version,
        from_ns=definition.begin.time_ns if definition.begin else None,
    )
