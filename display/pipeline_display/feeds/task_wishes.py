"""What people want done with tasks from a page, and what the task API answered.

In:   wishes, put by the server; each is sent in a thread of its own, as long as the API takes to try a script out.
Out:  a frame {"id", "do", "task", "status", "error", "told"} for each: the HTTP status, 0 where the API did not answer; why it was
      refused, empty where it was done; and of a recording or replay that was begun its description.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from queue import Empty, SimpleQueue
from typing import Annotated, Any, Literal

import msgspec

from pipeline_display.errors import TasksAway
from pipeline_display.feeds.feed import Batch
from pipeline_display.feeds.task_api import Answer, TaskApi, path_of

WAIT_S = 0.5
ANSWER_WITHIN_S = 60.0
"""The first task that uses an operator waits until its kernel is compiled."""
UNDER_WAY_MAX = 8
SCRIPT_LENGTH_MAX = 100_000

Do = Literal["define", "edit", "enable", "disable", "delete", "record", "replay"]


class Dbrp(msgspec.Struct, frozen=True, kw_only=True):
    db: str
    rp: str


class TaskWish(msgspec.Struct, frozen=True, kw_only=True):
    """`id` names the wish, so that its page knows the answer. `seconds` are a recording's, `recording` and `clock` a replay's."""

    id: str
    do: Do
    task: str
    script: str = ""
    dbrps: list[Dbrp] = []
    seconds: Annotated[int, msgspec.Meta(ge=1, le=3600)] = 30
    recording: str = ""
    clock: Literal["fast", "real"] = "fast"


class TaskWishes:
    """Between the server, which never waits, the feed, and the threads that ask the API."""

    def __init__(self) -> None:
        self._inbox: SimpleQueue[TaskWish | bytes] = SimpleQueue()
        self._lock = threading.Lock()
        self._under_way = 0

    def put(self, wish: TaskWish) -> bool:
        """False where too much is under way already, or a script is too long."""
        with self._lock:
            if self._under_way >= UNDER_WAY_MAX or len(wish.script) > SCRIPT_LENGTH_MAX:
                return False
            self._under_way += 1
        self._inbox.put(wish)
        return True

    def answer(self, frame: bytes) -> None:
        """What a wish came to."""
        with self._lock:
            self._under_way -= 1
        self._inbox.put(frame)

    def take(self, wait_s: float) -> TaskWish | bytes | None:
        """A new wish, or the answer to one."""
        try:
            return self._inbox.get(timeout=wait_s)
        except Empty:
            return None


class TaskWishesReader:
    """See the module; one thread uses it."""

    away: tuple[type[Exception], ...] = ()

    def __init__(self, wishes: TaskWishes, api: TaskApi) -> None:
        self._wishes, self._api = wishes, api

    def look(self) -> Batch:
        taken = self._wishes.take(WAIT_S)
        if isinstance(taken, TaskWish):
            threading.Thread(target=self._do, args=(taken,), name=f"wish {taken.do}", daemon=True).start()
        return Batch(bodies=[taken] if isinstance(taken, bytes) else [])

    def let_go(self) -> None:
        """What is under way ends by itself, or with the process."""

    def _do(self, wish: TaskWish) -> None:
        told: dict[str, Any] = {"id": wish.id, "do": wish.do, "task": wish.task, "status": 0, "error": "", "told": None}
        try:
            answer = self._sent(wish)
            told |= {"status": answer.status, "error": answer.error}
            if wish.do in {"record", "replay"} and not answer.error:
                told["told"] = answer.told
        except TasksAway as away:
            told["error"] = str(away)
        self._wishes.answer(msgspec.json.encode(told))

    def _sent(self, wish: TaskWish) -> Answer:
        method, path, body = request_of(wish, datetime.now(UTC))
        return self._api.send(method, path, body, within_s=ANSWER_WITHIN_S)


def request_of(wish: TaskWish, now: datetime) -> tuple[str, str, Any]:
    """Method, path and body, in the shapes of Kapacitor's clients."""
    task = path_of("tasks", wish.task)
    match wish.do:
        case "define":
            return "POST", "/tasks", {"id": wish.task, "status": "enabled"} | _definition(wish)
        case "edit":
            return "PATCH", task, _definition(wish)
        case "enable" | "disable":
            return "PATCH", task, {"status": f"{wish.do}d"}
        case "delete":
            return "DELETE", task, None
        case "record":
            stop = now + timedelta(seconds=wish.seconds)
            return "POST", "/recordings/stream", {"task": wish.task, "stop": stop.isoformat()}
    return "POST", "/replays", {"task": wish.task, "recording": wish.recording, "clock": wish.clock}


def _definition(wish: TaskWish) -> dict[str, Any]:
    """A change leaves as they are what it does not say."""
    return {"script": wish.script} | ({"dbrps": wish.dbrps} if wish.dbrps else {})
