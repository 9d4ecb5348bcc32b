"""The task API of `tasks_at_hand` with the real engine, recordings and replays beneath it, on a broker in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pipeline_output.state import open_definitions
from pipeline_processing.engine.inhibitions import Inhibitions
from pipeline_processing.engine.live import Live
from pipeline_processing.engine.posting import Reach
from pipeline_processing.engine.task_master import TaskMaster
from pipeline_processing.engine.world import World
from pipeline_processing.points.reading import Reader
from pipeline_processing.tasks.kept_recordings import KeptRecordings
from pipeline_processing.tasks.kept_replays import KeptReplays
from pipeline_queue.brokers.memory import MemoryBroker, MemoryLog
from pipeline_queue.catalog import topics
from pipeline_queue.clock import ManualClock
from pipeline_queue.points.block import messages
from pipeline_queue.recordings.lines import blocks_of_lines
from tasks_at_hand import TaskServer

DBRP = ("telegraf", "autogen")


@dataclass
class RealTaskServer(TaskServer):
    """Recordings go by the manual clock; replays by the machine's, so that one at the recorded pace takes its time."""

    folder: Path = field(kw_only=True)
    log: MemoryLog = field(default_factory=MemoryLog)

    def __post_init__(self) -> None:
        self.broker().create(topics().values())
        inhibitions, reach = Inhibitions(), Reach(allowed=lambda url: False)
        self.live = Live(
            open_broker=self.broker,
            folder=self.folder / "running",
            reader=Reader(),
            open_outlets=lambda task: World(task, open_broker=self.broker, reach=reach, inhibitions=inhibitions),
        )
        self.master = TaskMaster(self.live, self.live.reader)
        self.recordings = KeptRecordings(self.folder / "recordings", self.broker, self.clock)
        self.replays = KeptReplays(self.recordings, self.master)
        self.serve()

    def broker(self) -> MemoryBroker:
        return MemoryBroker(self.log, clock=self.clock)

    def write(self, lines: str) -> None:
        """Their times are seconds."""
        for block in blocks_of_lines(lines, DBRP, "s"):
            self.broker().publish("points", list(messages(block.origin, block.batch)))

    def emitted(self, task_id: str, node: str) -> int:
        return self.master.stats(task_id)["node-stats"][node]["emitted"]


@contextmanager
def real_task_server(folder: Path, *, began_ns: int) -> Iterator[RealTaskServer]:
    with ExitStack() as stack:
        store = stack.enter_context(closing(open_definitions(f"sqlite://{folder}/tasks")))
        here = RealTaskServer(store, clock=ManualClock(began_ns), folder=folder)
        for each in (here.live, here.master, here.recordings, here.replays):
            stack.callback(each.close)
        yield here
