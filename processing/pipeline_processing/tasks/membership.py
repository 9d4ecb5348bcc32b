"""This server among those that share a store of definitions: who is there, who holds what, and what is held here.

In:      beats, which somebody makes every `beat_s`, and a clock that only goes forward.
Out:     see holding.py; for every task the server that requests about it are for.
Refuses: (Misfit) to be there beside servers that listen elsewhere under the same address, or keep tasks in another folder.
A server is dead for this one when it has seen no beat of it for `lease_s` of its own clock: clocks of two machines are never
compared. Time in which this server did not look, being frozen itself, counts as one look. A task is for the server that comes
first for it by rendezvous hashing, so that one who comes or goes moves no tasks but its own share.
From:    Thaler and Ravishankar, "A Name-Based Mapping Scheme for Rendezvous", 1996.
"""

from __future__ import annotations

import hashlib
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

from pipeline_output.state import LeaseStore, Server, Standing
from pipeline_queue.brokers import Term
from pipeline_queue.errors import TermOver, TermUnsure

from pipeline_processing.tasks.errors import Misfit

BEATS_PER_LEASE = 5
NO_TASK = ":"
"""How the name of a lease begins that is of no task; no task's name holds one."""


@dataclass(slots=True)
class Silence:
    """How long a server has not been heard, as its `beats` have it."""

    beats: int
    seconds: float = 0.0


class Membership:
    """Any thread may ask. `server` says where this one is; its id is given anew each time it joins."""

    def __init__(
        self,
        store: LeaseStore,
        server: Server,
        *,
        lease_s: float,
        now_s: Callable[[], float] = time.monotonic,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self._store, self.me, self._lease_s = store, server, lease_s
        self._now_s, self._pause = now_s, pause
        self._guard = threading.Lock()
        self._epochs: dict[str, int] = {}
        self._standing = Standing(servers=(server,), leases=())
        self._silences: dict[str, Silence] = {}
        self._looked_at_s = self._renewed_at_s = now_s()
        self.is_lost = False
        """Whether others have ended this server's being there; it holds nothing then, and may join again."""

    @property
    def beat_s(self) -> float:
        return self._lease_s / BEATS_PER_LEASE

    def join(self) -> None:
        """Raises Misfit, StoreUnavailable."""
        me = replace(self.me, id=uuid.uuid4().hex, beats=0)
        asked_at_s = self._now_s()
        standing = self._store.join(me)
        with self._guard:
            self.me, self.is_lost = me, False
            self._epochs.clear()
            self._silences.clear()
            self._renewed_at_s = self._looked_at_s = asked_at_s
            self._see(standing)
        if misfit := self._misfit():
            self._wait_out(misfit)

    def renew(self) -> None:
        """One beat, and a look around; raises StoreUnavailable."""
        asked_at_s, me = self._now_s(), self.me
        standing = self._store.beat(me.id)
        with self._guard:
            if me is not self.me:
                return
            if standing is None:
                self.is_lost = True
                self._epochs.clear()
                return
            self._renewed_at_s = asked_at_s
            self._see(standing)
            silent = [each for each in standing.servers if self._silences[each.id].seconds >= self._lease_s]
        for each in silent:
            if self._store.evict(each):
                self._forget(each)

    def others(self) -> list[Server]:
        """Who is there besides, as far as is known."""
        return [each for each in self._standing.servers if each.id != self.me.id]

    def owner(self, task_id: str) -> Server:
        """Who holds it, else who should."""
        if task_id in self._epochs:
            return self.me
        servers = {each.id: each for each in self._standing.servers}
        holder = next((each.server for each in self._standing.leases if each.task == task_id), "")
        if holder in servers and holder != self.me.id:
            return servers[holder]
        return self._first(task_id)

    def is_for_me(self, task_id: str) -> bool:
        return not self.is_lost and self._first(task_id).id == self.me.id

    def take(self, task_ids: Iterable[str]) -> None:
        """Raises StoreUnavailable."""
        wanted = [each for each in task_ids if each not in self._epochs]
        if wanted and not self.is_lost:
            me = self.me
            taken = self._store.take(me.id, wanted)
            with self._guard:
                if me is self.me:
                    self._epochs.update(taken)

    def holds(self, task_id: str) -> bool:
        return task_id in self._epochs

    def held(self) -> set[str]:
        with self._guard:
            return {each for each in self._epochs if not each.startswith(NO_TASK)}

    def term(self, task_id: str) -> Term:
        epoch = self._epochs.get(task_id, 0)
        return Term(name=self.name(task_id), epoch=epoch, look=partial(self._look, task_id, epoch))

    def name(self, task_id: str) -> str:
        return f"{self._store.name}.{task_id}"

    def release(self, task_id: str) -> None:
        """Raises StoreUnavailable, and it is held on."""
        if task_id in self._epochs:
            self._store.release(self.me.id, task_id)
            with self._guard:
                self._epochs.pop(task_id, None)

    def leave(self) -> None:
        """Raises StoreUnavailable."""
        with self._guard:
            self.is_lost = True
            self._epochs.clear()
        self._store.leave(self.me.id)

    def _forget(self, gone: Server) -> None:
        with self._guard:
            servers = tuple(each for each in self._standing.servers if each.id != gone.id)
            self._standing = replace(self._standing, servers=servers)

    def _first(self, task_id: str) -> Server:
        return first_for(task_id, self._standing.servers)

    def _look(self, task_id: str, epoch: int) -> None:
        """Others evict this server later than it stops being sure: they count from when they saw its beat."""
        if self._epochs.get(task_id) != epoch:
            raise TermOver(task_id, epoch=epoch)
        if (silent_s := self._now_s() - self._renewed_at_s) >= self._lease_s:
            raise TermUnsure(task_id, epoch=epoch, silent_s=silent_s)

    def _see(self, standing: Standing) -> None:
        now_s = self._now_s()
        since_s = min(now_s - self._looked_at_s, 2 * self.beat_s)
        self._looked_at_s, self._standing = now_s, standing
        before, self._silences = self._silences, {}
        for each in standing.servers:
            silence = before.get(each.id)
            is_heard = silence is None or silence.beats != each.beats
            seconds = 0.0 if is_heard or silence is None else silence.seconds + since_s
            self._silences[each.id] = Silence(beats=each.beats, seconds=seconds)

    def _misfit(self) -> Server | None:
        return next((each for each in self.others() if not self.me.fits(each)), None)

    def _wait_out(self, misfit: Server) -> None:
        """It may be one that has died: then it is not heard, and evicted. Raises Misfit."""
        while not self.is_lost and any(each.id == misfit.id for each in self.others()):
            if self._silences[misfit.id].beats != misfit.beats:
                self.leave()
                raise Misfit(self.me, misfit)
            self._pause(self.beat_s)
            self.renew()
        if another := self._misfit():
            self._wait_out(another)


def first_for(task_id: str, servers: Iterable[Server]) -> Server:
    """Which of them is to run it."""
    return max(servers, key=lambda each: _rank(each, task_id))


def _rank(server: Server, task_id: str) -> bytes:
    return hashlib.blake2b(f"{server.place}\n{task_id}".encode(), digest_size=8).digest()
