"""The embedded pipeline's processes: started by their names, revived one by one, ended together.

In:   the data folder and the ports of the pages, of events and of tasks.
Out:  one process a service, each the leader of its own session, so that Ctrl-C reaches only the supervisor and a stop
      reaches grandchildren (the Spark JVM, its Python workers) too. Should the supervisor be killed, the kernel sends
      each child SIGTERM (PR_SET_PDEATHSIG).
A service that dies is started again after a pause that doubles from 1 s to 30 s while it keeps dying. One that has an end
is done when it ends with status 0.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline_queue.brokers.sqlite import SqliteBroker
from pipeline_queue.catalog import topics
from pipeline_queue.errors import QueueUnavailable

from pipeline_cli.errors import CommandError, FolderInUse

STOP_WITHIN_S = 3.5
"""Then SIGKILL; Ctrl-C promises that nothing is left after 5 s."""
TRIM_LOCK_WAIT_S = 0.5
PAUSE_S_MIN, PAUSE_S_MAX = 1.0, 30.0
STEADY_S = 60.0
"""Who ran that long before dying is revived at once."""
PR_SET_PDEATHSIG = 1
SERVICES = {
    "display": ["serve"],
    "input-monitoring": ["produce", "monitoring"],
    "input-random-numbers": ["produce", "random-numbers"],
    "input-census": ["produce", "census"],
    "collector": ["collect"],
    "loader": ["load"],
    "processing": ["process"],
    "tasks": ["tasks"],
}
FIRST = ("display", "input-monitoring", "input-random-numbers")
"""The pages and what they show at once: a person waits for them, and who starts beside them takes their processors."""
DEMO_LOAD_INTERVAL_S = "1"
"""Who tries it out wants to see his event in its table."""
LOOPBACK = "localhost,127.0.0.0/8,::1"
"""Where tasks of a demo may send to."""
OLD_NAMES = frozenset({"DEFAULT_APP_PORT", "PORT", "DATABASE_URL_FILE", "TASKS_STATE_URL_FILE"})
"""Of what a demo sets itself; a PORT that is somebody else's must not contradict it."""
ONCE = frozenset({"input-census"})
"""Those that have an end."""


@dataclass(slots=True)
class _Child:
    name: str
    process: subprocess.Popen[bytes]
    started_at: float
    pause_s: float = PAUSE_S_MIN
    revive_at: float | None = field(default=None)


class Supervisor:
    """See the module; `start`, then `revive` now and then, then `stop`."""

    def __init__(self, folder: Path, *, port: int, events_port: int, tasks_port: int) -> None:
        self.port, self.events_port, self.tasks_port = port, events_port, tasks_port
        self.logs = folder / "logs"
        self._folder = folder
        self._children: dict[str, _Child] = {}
        self._prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None

    def start(self, names: Iterable[str]) -> None:
        """These services; called again for those that come later."""
        self.logs.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(SqliteBroker(self._folder / "queue")) as broker:
            broker.create(topics().values())
        for name in names:
            self._children[name] = self._spawn(name)

    def wait_for_pages(self, within_s: float) -> None:
        """Return when the index answers; raises CommandError with the log's end when it does not."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline and self._children["display"].process.poll() is None:
            with contextlib.suppress(OSError, urllib.error.URLError):
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=1).close()
                return
            time.sleep(0.05)
        said = (self.logs / "display.log").read_text(errors="replace")[-2000:]
        raise CommandError(f"the pages did not start on port {self.port}; the end of their log:\n{said}")

    def revive(self) -> Iterator[tuple[str, int]]:
        """Start again who died and has paused; the name and exit status of each that was found dead."""
        now = time.monotonic()
        for name, child in list(self._children.items()):
            status = child.process.poll()
            if status is None:
                continue
            if status == 0 and name in ONCE:
                del self._children[name]  # its process id may soon be another's, who must not be signalled
                continue
            if child.revive_at is None:
                steady = now - child.started_at > STEADY_S
                child.pause_s = PAUSE_S_MIN if steady else min(child.pause_s * 2, PAUSE_S_MAX)
                child.revive_at = now + child.pause_s
                _kill_group(child.process.pid, signal.SIGKILL)
                yield name, status
            elif now >= child.revive_at:
                self._children[name] = self._spawn(name, pause_s=child.pause_s)

    def trim(self) -> None:
        """Forget what is beyond the topics' retention: this process is the queue's one owner.

        A topic that is locked for longer waits for the next time.
        """
        with contextlib.closing(SqliteBroker(self._folder / "queue", lock_wait_s=TRIM_LOCK_WAIT_S)) as broker:
            for name in topics():
                with contextlib.suppress(QueueUnavailable):
                    broker.expire(name)

    def stop(self) -> None:
        """End all of it: asked first, killed after STOP_WITHIN_S."""
        for child in self._children.values():
            _kill_group(child.process.pid, signal.SIGTERM, leader_only=True)
        deadline = time.monotonic() + STOP_WITHIN_S
        for child in self._children.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.0, deadline - time.monotonic()))
        for child in self._children.values():
            _kill_group(child.process.pid, signal.SIGKILL)
            child.process.wait()

    def _spawn(self, name: str, *, pause_s: float = PAUSE_S_MIN) -> _Child:
        with (self.logs / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "pipeline_cli", *SERVICES[name]],
                env=overlaid(os.environ, self._settings()),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=self._end_with_parent if self._prctl else None,
            )
        return _Child(name=name, process=process, started_at=time.monotonic(), pause_s=pause_s)

    def _end_with_parent(self) -> None:
        self._prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

    def _settings(self) -> dict[str, str]:
        """What makes the services find each other; all else may be set by the environment as in Compose."""
        return {
            "QUEUE_URL": f"sqlite://{self._folder}/queue",
            "STORES": f"disk://{self._folder}/disk,sqlite://{self._folder}/cassandra-stand-in.db",
            "CHECKPOINT_DIR": f"{self._folder}/checkpoints",
            "LEDGER_DIR": f"{self._folder}/ledger",
            "DISPLAY_PORT": str(self.port),
            "EVENTS_PORT": str(self.events_port),
            "COLLECTOR_URL": f"http://127.0.0.1:{self.events_port}",
            "DATABASE_URL": f"sqlite://{self._folder}/events.db",
            "DB_LOAD_INTERVAL": os.environ.get("DB_LOAD_INTERVAL", DEMO_LOAD_INTERVAL_S),
            "DB_LOAD_MIN_INTERVAL": os.environ.get("DB_LOAD_MIN_INTERVAL", DEMO_LOAD_INTERVAL_S),
            "TASKS_PORT": str(self.tasks_port),
            "TASKS_HOST": "127.0.0.1",
            "TASKS_URL": f"http://127.0.0.1:{self.tasks_port}",
            "TASKS_STATE_URL": f"sqlite://{self._folder}/tasks",
            "TASKS_DIR": f"{self._folder}/tasks",
            "TASKS_ALLOW_TARGETS": os.environ.get("TASKS_ALLOW_TARGETS", LOOPBACK),
            "ALERTS_STATE_DIR": f"{self._folder}/alerts",
            "ALERTS_LOG_DIR": f"{self._folder}/alerts/logs",
            "ALERTS_CLIENT_URL": f"http://127.0.0.1:{self.tasks_port}",
            "HEALTH_PORT": "0",
        }


def overlaid(environment: Mapping[str, str], ours: dict[str, str]) -> dict[str, str]:
    """The environment with our settings in place of those of the same name, in whatever case, or of an old one."""
    return {name: value for name, value in environment.items() if name.upper() not in ours.keys() | OLD_NAMES} | ours


@contextlib.contextmanager
def held_folder(folder: Path) -> Iterator[None]:
    """Hold the folder for one demo; raises FolderInUse."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise FolderInUse(folder) from None
        yield


def _kill_group(leader: int, signal_number: int, *, leader_only: bool = False) -> None:
    """Signal a session's processes; those that are gone already are no error."""
    with contextlib.suppress(ProcessLookupError):
        if leader_only:
            os.kill(leader, signal_number)
        else:
            os.killpg(leader, signal_number)
