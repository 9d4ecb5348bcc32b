"""Tasks as they are defined and as they run: the one place that changes either.

In:      what is asked, as changes.py has it.
Out:     definitions in the store, tasks in the engine that follow them.
Refuses: see changes.py; (NoTask) an id that no task has; (BadScript) what does not compile, and then nothing is changed; (Conflict) a
         definition that another server changed meanwhile; (NotStarted) a task that is kept but does not run.
A task that runs is started anew when its definition changes. Who changes one task waits for nobody who changes another.
Where several servers share a store, each runs what it holds (holding.py), whichever of them is asked for a change.
"""

from __future__ import annotations

import logging

from pipeline_output.errors import DefinitionChanged, DefinitionExists
from pipeline_output.state.definitions import Definition, DefinitionStore
from pipeline_queue.brokers import Term
from pipeline_queue.clock import Clock
from pipeline_queue.errors import QueueError

from pipeline_processing.errors import ProcessingError
from pipeline_processing.tasks.changes import Change, NewTask, changed, defined
from pipeline_processing.tasks.errors import BadScript, Conflict, NoTask, NotStarted, Refused
from pipeline_processing.tasks.holding import Alone, Holding
from pipeline_processing.tasks.locks import Locks
from pipeline_processing.tasks.task_master import ScriptError, Task, TaskDefinition, TaskMaster

log = logging.getLogger(__name__)


class TaskRegistry:
    def __init__(
        self, store: DefinitionStore, master: TaskMaster, clock: Clock, holding: Holding | None = None
    ) -> None:
        self._store, self.master, self._clock = store, master, clock
        self._holding = holding or Alone()
        self._locks = Locks()
        self._begun: dict[str, int] = {}
        """Versions that were started here, whether or not they run."""
        self._failures: dict[str, str] = {}

    def forget_deleted(self) -> None:
        """What tasks have kept that there are no more."""
        names = self._holding.name
        self.master.forget_others(lambda: [names(each.id) for each in self._store.every()], begin=names(""))

    def follow(self) -> None:
        """Run what is enabled and for this server, and nothing else.

        One that fails is told of and hurts no other, whatever its failure is.
        """
        enabled = {each.id: each.version for each in self._store.every() if each.status == "enabled"}
        for task_id in {*self._begun, *self._holding.held()}:
            if task_id not in enabled or not self._holding.is_for_me(task_id):
                self._hand_over(task_id)
        here = [
            task_id
            for task_id, version in enabled.items()
            if self._begun.get(task_id) != version and self._holding.is_for_me(task_id)
        ]
        self._holding.take(here)
        for task_id in here:
            self._run(task_id)

    def abandon(self) -> None:
        """Let go of all, as others hold it now."""
        for task_id in list(self._begun):
            with self._locks.held(task_id):
                self.master.abandon_task(task_id)
                self._forget(task_id)

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
            if kept.status == "disabled" or kept.id != task_id:
                self._let_go(task_id)
            if kept.id != task_id:
                self.master.forget_kept(self._holding.name(task_id))
            if kept.status == "enabled" and (
                is_new or (change.status == "enabled" and not self.master.is_executing(task_id))
            ):
                self._stop(task_id)
                self._start(kept)
            return kept

    def delete(self, task_id: str) -> None:
        """No harm if there is none."""
        with self._locks.held(task_id):
            self._store.delete(task_id)
            self._let_go(task_id)
            self.master.forget_kept(self._holding.name(task_id))

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

    def _compiled(self, definition: Definition, term: Term | None = None) -> Task:
        try:
            return self.master.new_task(_asked(definition, term))
        except ScriptError as error:
            raise BadScript(error) from error

    def _hand_over(self, task_id: str) -> None:
        """Unless it was enabled again meanwhile."""
        with self._locks.held(task_id):
            found = self._store.find(task_id)
            if found is None or found.status == "disabled" or not self._holding.is_for_me(task_id):
                self._let_go(task_id)

    def _run(self, task_id: str) -> None:
        """As it is defined now."""
        with self._locks.held(task_id):
            found = self._store.find(task_id)
            if found is None or found.status == "disabled":
                self._let_go(task_id)
            elif self._holding.holds(task_id) and self._begun.get(task_id) != found.version:
                self._stop(task_id)
                self._start_or_tell(found)

    def _start(self, definition: Definition) -> None:
        """Where it is held here, or by nobody. Raises NotStarted, and remembers why."""
        self._holding.take([definition.id])
        if not self._holding.holds(definition.id):
            return
        self._begun[definition.id] = definition.version
        try:
            compiled = self._compiled(definition, self._holding.term(definition.id))
            self.master.start_task(compiled)
        except ProcessingError as error:
            self._failures[definition.id] = str(error)
            raise NotStarted(definition.id, error) from error
        except QueueError:
            self._begun.pop(definition.id, None)  # it is tried again
            raise
        self._failures.pop(definition.id, None)

    def _start_or_tell(self, definition: Definition) -> None:
        try:
            self._start(definition)
        except ProcessingError as error:
            self._failures.setdefault(definition.id, str(error))
            log.warning("the task %s is enabled and does not run: %s", definition.id, error)
        except QueueError as error:
            self._failures[definition.id] = str(error)
            log.warning("the task %s is enabled and does not run yet: %s", definition.id, error)
        except Exception as error:  # a defect that one task meets must not keep the others from running
            self._failures[definition.id] = str(error)
            log.exception("the task %s is enabled and does not run", definition.id)

    def _stop(self, task_id: str) -> None:
        self.master.stop_task(task_id)
        self._forget(task_id)

    def _let_go(self, task_id: str) -> None:
        self._stop(task_id)
        self._holding.release(task_id)

    def _forget(self, task_id: str) -> None:
        self._begun.pop(task_id, None)
        self._failures.pop(task_id, None)

    def _replaced(self, before: Definition, after: Definition) -> Definition:
        try:
            return self._store.replace(before, after)
        except DefinitionExists as taken:
            raise Refused(str(taken)) from taken
        except DefinitionChanged as reason:
            raise Conflict(str(reason)) from reason


def _asked(definition: Definition, term: Term | None = None) -> TaskDefinition:
    return TaskDefinition(
        id=definition.id,
        type=definition.type,
        script=definition.script,
        dbrps=definition.dbrps,
        vars=definition.vars,
        version=definition.version,
        from_ns=definition.begin.time_ns if definition.begin else None,
        term=term,
    )
