"""The door for points: read, put on the queue durably, then answered.

In:   a write, from an event loop.
Out:  an answer: 204 when the queue has all points; 400 when it has the good ones and some are bad; 503 when it has none.
Requests that come while one is on its way to the queue share the next publish. One door belongs to one event loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from pipeline_queue.brokers import Broker, Message
from pipeline_queue.points.line_protocol import Parser
from pipeline_queue.points.message_ids import MessageIds
from pipeline_queue.service import Service
from pipeline_queue.topics import POINTS, Topic

from pipeline_input.collector.group_commit import GroupCommit, Unavailable
from pipeline_input.points_door import answers
from pipeline_input.points_door.answers import Answer
from pipeline_input.points_door.writing import BODY_BYTES_MAX, Refused, Write, take

PATHS = ("/write", "/kapacitor/v1/write")


class PointsDoor:
    def __init__(
        self,
        open_broker: Callable[[], Broker],
        service: Service,
        loop: asyncio.AbstractEventLoop,
        *,
        now_ns: Callable[[], int] = time.time_ns,
        bytes_max: int = BODY_BYTES_MAX,
    ) -> None:
        self._ids = MessageIds()
        self.commit = GroupCommit(open_broker, [POINTS], service, loop, self._named)
        self._parser, self._now_ns, self._bytes_max = Parser(), now_ns, bytes_max

    def warm_up(self) -> None:
        """Compile what is not compiled yet, so that the first write need not wait for it."""
        self._parser.parse(b'warm,up=1 a=1.5,b=1i,c=t,d="e",f=0.12345678901234567 1\n', now_ns=1)

    async def write(self, write: Write) -> Answer:
        try:
            taken = take(write, self._parser, now_ns=self._now_ns(), bytes_max=self._bytes_max)
            if taken.messages:
                await self.commit.accept({POINTS.name: list(taken.messages)}, taken.points)
        except Refused as reason:
            return answers.refused(reason.status, reason)
        except Unavailable as reason:
            return answers.unavailable(reason)
        return answers.bad_lines(taken.bad, points=taken.points) if taken.bad else answers.DONE

    def stop(self) -> None:
        """Return when what has come is on the queue."""
        self.commit.stop()

    def _named(self, _topic: Topic, messages: list[Message]) -> list[Message]:
        """In the thread that publishes, so that no number is left out."""
        return self._ids.given(messages)
