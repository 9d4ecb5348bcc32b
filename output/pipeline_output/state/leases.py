"""Which server holds which task: servers that are there, and the leases that they hold.

A server is there from `join` until it leaves or is evicted by another, who has seen no beat of it for long enough; how long that
is each judges by its own clock, and no time is ever kept or compared. A lease lasts as long as its server is there. Its epoch is
greater than that of any lease before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One life of a server: started again, it has another id and the same place."""

    id: str
    place: str
    """The machine and port where it listens: two are never there at once."""
    address: str
    """Where others reach its API."""
    folder: str = ""
    """What its tasks' folder is known by, so that servers with different ones do not mix."""
    beats: int = 0

    def fits(self, other: Server) -> bool:
        """Whether both can be there at once."""
        return self.place != other.place and self.address != other.address and self.folder == other.folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    task: str
    server: str
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How things stood at one moment."""

    servers: tuple[Server, ...]
    leases: tuple[Lease, ...]


class LeaseStore(Protocol):
    """Any thread may call it. Each call is done whole or not at all; all raise StoreUnavailable."""

    name: str
    """Made when the store was: no other has it."""

    def standing(self) -> Standing:
        """As things are."""

    def join(self, server: Server) -> Standing:
        """Be there; who was at this place before is not any more. How things stand then."""

    def beat(self, server_id: str) -> Standing | None:
        """Be heard; None if it was evicted."""

    def evict(self, server: Server) -> bool:
        """End its being there, unless it was heard since it had so many beats; whether that was done."""

    def take(self, server_id: str, tasks: Iterable[str]) -> Mapping[str, int]:
        """Epochs of those of the tasks that it holds then: they were free, or its own. None if it was evicted."""

    def release(self, server_id: str, task: str) -> None:
        """Let another take it; no harm if it is not held."""

    def leave(self, server_id: str) -> None:
        """Not be there any more, and hold nothing."""

    def close(self) -> None:
        """Let go of connections and files."""
