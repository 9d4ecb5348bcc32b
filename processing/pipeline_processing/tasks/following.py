"""Tasks run where their leases say: beats of this server, and what has to be started and stopped here after each.

In:      a membership, a registry, and what one server alone may do.
Out:     two threads: beats go on however long the start or stop of a task takes.
While the store is away, what runs goes on; it is asked again with the next beat.
"""

from __future__ import annotations

import logging
import threading
from typing import Protocol

from pipeline_output.errors import StoreUnavailable

from pipeline_processing.tasks.errors import Misfit
from pipeline_processing.tasks.membership import NO_TASK, Membership
from pipeline_processing.tasks.registry import TaskRegistry

RECORDINGS = f"{NO_TASK}recordings"
"""The lease of the one server that records and replays."""
STOP_WITHIN_S = 0.5
"""Who follows may be in the middle of a task's first step, which compiles: what runs is to end with a snapshot meanwhile."""

log = logging.getLogger(__name__)


class Ended(Protocol):
    """What is done by one server alone, until it no longer may: recordings, replays."""

    def close(self) -> None:
        """End what runs; it may be used again after that."""


class Beats:
    """Use as a context manager: others see this server while it is entered."""

    def __init__(self, membership: Membership) -> None:
        self._membership = membership
        self._stopping, self.looked = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._beat, name="lease-beats", daemon=True)

    def __enter__(self) -> Beats:
        self._membership.join()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        try:
            self._membership.leave()
        except StoreUnavailable as error:
            log.warning("others take over when they miss this server: %s", error)

    def _beat(self) -> None:
        while not self._stopping.wait(self._membership.beat_s):
            try:
                self._membership.renew()
            except StoreUnavailable as error:
                log.warning("leases are not renewed: %s", error)
            self.looked.set()


class Follower:
    """Use as a context manager: it follows each of the beats while it is entered."""

    def __init__(self, beats: Beats, membership: Membership, registry: TaskRegistry, *alone: Ended) -> None:
        self._looked, self._membership, self._registry, self._alone = beats.looked, membership, registry, alone
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="lease-follower", daemon=True)

    def __enter__(self) -> Follower:
        self._registry.forget_deleted()
        self.follow()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._looked.set()
        self._thread.join(STOP_WITHIN_S)

    def follow(self) -> None:
        """Raises StoreUnavailable, Misfit."""
        if self._membership.is_lost:
            log.warning("this server was silent for too long; others have taken over its tasks, and it begins anew")
            self._registry.abandon()
            self._end_alone()
            self._membership.join()
        if self._membership.owner(RECORDINGS).id == self._membership.me.id:
            self._membership.take([RECORDINGS])
        self._registry.follow()

    def _follow(self) -> None:
        while self._looked.wait() and not self._stopping.is_set():
            self._looked.clear()
            try:
                self.follow()
            except (StoreUnavailable, Misfit) as error:
                log.warning("tasks stay as they are: %s", error)
            except Exception:
                log.exception("tasks stay as they are")

    def _end_alone(self) -> None:
        for each in self._alone:
            each.close()
