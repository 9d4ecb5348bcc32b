"""A queue that outlives engines, and a folder that each takes over from the one before.

A crash is a life whose files are copied as they are: what it does at its end, the next one does not see.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from shutil import copytree

from pipeline_processing.engine.inhibitions import Inhibitions
from pipeline_processing.engine.life import Life
from pipeline_processing.engine.limits import Limits
from pipeline_processing.engine.live import Live
from pipeline_processing.engine.posting import Reach
from pipeline_processing.engine.task_master import TaskMaster
from pipeline_processing.engine.world import World
from pipeline_processing.points.reading import Reader
from pipeline_processing.tasks.task_master import TaskDefinition
from pipeline_queue.brokers import Message, Term
from pipeline_queue.brokers.memory import MemoryBroker, MemoryLog
from pipeline_queue.clock import ManualClock
from pipeline_queue.codec import as_repeated, decode
from pipeline_queue.points.block import Origin, messages
from pipeline_queue.points.line_protocol import Parser
from pipeline_queue.points.message_ids import MessageIds
from pipeline_queue.topics import ALERTS, POINTS
from waiting import PATIENCE_S, until

ORIGIN = Origin("db", "rp")


@dataclass
class Machine:
    """`script` is of the one task, `sum`; without a clock it runs by that of the machine."""

    folder: Path
    script: str
    clock: ManualClock | None = None
    limits: Limits = field(default_factory=Limits)
    log: MemoryLog = field(default_factory=MemoryLog)
    masters: list[TaskMaster] = field(default_factory=list)
    opened: list[Live] = field(default_factory=list)
    inhibitions: Inhibitions = field(default_factory=Inhibitions)
    ids: MessageIds = field(default_factory=MessageIds)

    def broker(self) -> MemoryBroker:
        return MemoryBroker(self.log)

    def engine(self, *, version: int = 1, meanwhile: Callable[[], object] = lambda: None) -> TaskMaster:
        """Another one, after a crash of the one before, which knows nothing of what happens `meanwhile`."""
        folder = self.folder / str(len(self.masters))
        if self.masters:
            copytree(self.folder / str(len(self.masters) - 1), folder)
            self.masters[-1].close()
        meanwhile()
        return self._begun(folder, version=version)

    def holder(self, epoch: int) -> TaskMaster:
        """One that has taken over, while the one before knows nothing of it."""
        return self._begun(self.folder / "shared", term=Term(name="store.sum", epoch=epoch))

    def _begun(self, folder: Path, *, version: int = 1, term: Term | None = None) -> TaskMaster:
        live = Live(
            open_broker=self.broker,
            folder=folder,
            reader=Reader(),
            open_outlets=lambda definition: World(
                definition, open_broker=self.broker, reach=Reach(allowed=lambda _: False), inhibitions=self.inhibitions
            ),
            snapshot_interval_s=3600.0,
            limits=self.limits,
        )
        master = TaskMaster(live, life=partial(Life, now_ns=self.clock.now_ns) if self.clock else Life)
        self.opened.append(live)
        self.masters.append(master)
        definition = TaskDefinition(
            id="sum", type="stream", script=self.script, dbrps=(("db", "rp"),), version=version, term=term
        )
        master.start_task(master.new_task(definition))
        return master

    def write(self, *values: int, first: int = 0) -> list[Message]:
        """As the door does; what was published."""
        published = self.made(*values, first=first)
        self.broker().publish(POINTS.name, published)
        return published

    def made(self, *values: int, first: int = 0) -> list[Message]:
        """By the door, and not published yet."""
        return self._messages(*(f"cpu value={value} {first + at}" for at, value in enumerate(values)))

    def repeat(self, published: list[Message]) -> None:
        """As the door does where it did not learn what became of it."""
        self.broker().publish(POINTS.name, [as_repeated(each) for each in published])

    def write_lines(self, *lines: str) -> None:
        self.broker().publish(POINTS.name, self._messages(*lines))

    def _messages(self, *lines: str) -> list[Message]:
        (batch,) = Parser().parse("\n".join(lines).encode(), now_ns=0).batches
        return self.ids.given(messages(ORIGIN, batch))

    def alerts(self) -> list[str]:
        records = self.broker().read(ALERTS.name, self.broker().begin_offsets(ALERTS.name))
        return [event.event_id for record in records for event in decode(ALERTS, record).events]

    def close(self) -> None:
        for master in self.masters:
            master.close()
        for live in self.opened:
            live.close()


def sums(master: TaskMaster) -> list[float]:
    """What the task's httpOut `sum` holds, a group each."""
    return [each["values"][-1][-1] for each in master.series("sum", "sum")]


def comes(ask: Callable[[], bool]) -> bool:
    return until(ask, PATIENCE_S, pause_s=0.01)
