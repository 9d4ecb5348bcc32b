"""A broker in memory, for tests: the same contract, nothing outlives the process.

Brokers opened with one name share one log, also between threads.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence

from pipeline_queue.brokers.protocol import Message, Offsets, Record, Term, check_sizes, partition_of
from pipeline_queue.clock import Clock, SystemClock
from pipeline_queue.errors import OffsetGone, StaleEpoch, TermOver, UnknownTopic
from pipeline_queue.topics import Topic


class MemoryLog:
    """What brokers of one name share."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.records: dict[str, list[list[Record]]] = {}
        self.begin: dict[tuple[str, int], int] = {}
        self.commits: dict[tuple[str, str], tuple[int, dict[int, int]]] = {}
        self.terms: dict[tuple[str, str], int] = {}


class MemoryBroker:
    """See `Broker`."""

    def __init__(self, log: MemoryLog | None = None, *, clock: Clock | None = None) -> None:
        self._log = log or MemoryLog()
        self._clock = clock or SystemClock()

    def create(self, topics: Iterable[Topic]) -> None:
        with self._log.changed:
            for topic in topics:
                self._log.records.setdefault(topic.name, [[] for _ in range(topic.partitions)])

    def topics(self) -> list[str]:
        return sorted(self._log.records)

    def partitions(self, topic: str) -> int:
        return len(self._logs(topic))

    def publish(self, topic: str, messages: Sequence[Message], *, term: Term | None = None) -> None:
        check_sizes(topic, messages)
        logs = self._logs(topic)
        with self._log.changed:
            if term:
                self._check_term(topic, term)
            for message in messages:
                partition = 0 if message.key is None else partition_of(message.key, len(logs))
                logs[partition].append(self._record(topic, partition, len(logs[partition]), message))
            self._log.changed.notify_all()

    def begin_term(self, topic: str, term: Term) -> None:
        with self._log.changed:
            self._check_term(topic, term)
            self._log.terms[topic, term.name] = term.epoch

    def read(self, topic: str, start: Offsets, *, wait_s: float = 0.0, limit: int = 10_000) -> list[Record]:
        deadline = time.monotonic() + wait_s
        with self._log.changed:
            while not (found := self._available(topic, start)[:limit]):
                left = deadline - time.monotonic()
                if left <= 0 or not self._log.changed.wait(left):
                    return self._available(topic, start)[:limit]
            return found

    def begin_offsets(self, topic: str) -> dict[int, int]:
        return {partition: self._log.begin.get((topic, partition), 0) for partition in range(self.partitions(topic))}

    def end_offsets(self, topic: str) -> dict[int, int]:
        return {partition: len(log) for partition, log in enumerate(self._logs(topic))}

    def offsets_at(self, topic: str, append_time_ns: int) -> dict[int, int]:
        return {
            partition: next((record.offset for record in log if record.append_time_ns >= append_time_ns), len(log))
            for partition, log in enumerate(self._logs(topic))
        }

    def commit(self, group: str, topic: str, offsets: Offsets, *, epoch: int = 0) -> None:
        self._logs(topic)
        with self._log.changed:
            newest, kept = self._log.commits.get((group, topic), (epoch, {}))
            if epoch < newest:
                raise StaleEpoch(group, topic, epoch=epoch, newest=newest)
            self._log.commits[group, topic] = (epoch, {**kept, **offsets})

    def committed(self, group: str, topic: str) -> dict[int, int]:
        self._logs(topic)
        return dict(self._log.commits.get((group, topic), (0, {}))[1])

    def trim(self, topic: str, begin: Offsets) -> None:
        """Forget what is below `begin`, as retention does."""
        with self._log.changed:
            self._log.begin.update({(topic, partition): offset for partition, offset in begin.items()})

    def close(self) -> None:
        """Nothing to let go of."""

    def _logs(self, topic: str) -> list[list[Record]]:
        try:
            return self._log.records[topic]
        except KeyError:
            raise UnknownTopic(topic, known=self._log.records) from None

    def _check_term(self, topic: str, term: Term) -> None:
        if term.epoch < self._log.terms.get((topic, term.name), term.epoch):
            raise TermOver(term.name, epoch=term.epoch)

    def _available(self, topic: str, start: Offsets) -> list[Record]:
        logs, found = self._logs(topic), []
        for partition, offset in start.items():
            begin = self._log.begin.get((topic, partition), 0)
            if offset < begin:
                raise OffsetGone(topic, partition, offset=offset, begin=begin)
            found.extend(logs[partition][offset:])
        return found

    def _record(self, topic: str, partition: int, offset: int, message: Message) -> Record:
        return Record(
            topic=topic,
            partition=partition,
            offset=offset,
            append_time_ns=self._clock.now_ns(),
            key=message.key,
            value=message.value,
            headers=message.headers,
        )
