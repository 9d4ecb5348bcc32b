"""Servers and leases in tables of a database, the same over SQLite and PostgreSQL.

Out:     see `LeaseStore`. Transactions that give or take something away follow each other: all count up one number first.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping

from pipeline_output.state.engine import Engine, Transaction
from pipeline_output.state.leases import Lease, Server, Standing

PREPARE = (
    "create table if not exists task_store (id integer primary key, name text not null, newest_epoch bigint not null)",
    "create table if not exists task_servers (id text primary key, place text not null, address text not null, folder text not null, beats bigint not null)",
    "create table if not exists task_leases (task text primary key, server text not null, epoch bigint not null)",
)
NEXT = "update task_store set newest_epoch = newest_epoch + 1 where id = 0 returning newest_epoch"
COLUMNS = ("id", "place", "address", "folder", "beats")
SERVERS = f"select {', '.join(COLUMNS)} from task_servers order by id"
HELD = "select task, server, epoch from task_leases where server in (select id from task_servers) order by task"
TAKE = """insert into task_leases (task, server, epoch) values (?, ?, ?)
    on conflict (task) do update set server = excluded.server, epoch = excluded.epoch"""


class LeaseTable:
    """See `LeaseStore`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        engine.prepare(PREPARE)
        with engine.transaction("preparing its leases") as run:
            made = (uuid.uuid4().hex[:12],)
            run("insert into task_store (id, name, newest_epoch) values (0, ?, 0) on conflict (id) do nothing", made)
            self.name = str(run("select name from task_store")[0][0])

    def standing(self) -> Standing:
        with self._engine.transaction("looking for servers") as run:
            return _standing(run)

    def join(self, server: Server) -> Standing:
        with self._engine.transaction(f"joining as {server.place}") as run:
            run(NEXT)
            run("delete from task_servers where place = ?", (server.place,))
            run("insert into task_servers (id, place, address, folder, beats) values (?, ?, ?, ?, 0)", _row(server))
            return _standing(run)

    def beat(self, server_id: str) -> Standing | None:
        with self._engine.transaction("renewing leases") as run:
            heard = run("update task_servers set beats = beats + 1 where id = ? returning id", (server_id,))
            return _standing(run) if heard else None

    def evict(self, server: Server) -> bool:
        with self._engine.transaction(f"evicting {server.place}") as run:
            run(NEXT)
            silent = (server.id, server.beats)
            return bool(run("delete from task_servers where id = ? and beats = ? returning id", silent))

    def take(self, server_id: str, tasks: Iterable[str]) -> Mapping[str, int]:
        with self._engine.transaction("taking leases") as run:
            epoch = int(run(NEXT)[0][0])
            standing, wanted = _standing(run), set(tasks)
            if all(each.id != server_id for each in standing.servers):
                return {}
            held = {each.task: each for each in standing.leases if each.task in wanted}
            for task in sorted(wanted - held.keys()):
                run(TAKE, (task, server_id, epoch))
            own = {task: each.epoch for task, each in held.items() if each.server == server_id}
            return own | dict.fromkeys(wanted - held.keys(), epoch)

    def release(self, server_id: str, task: str) -> None:
        with self._engine.transaction(f"releasing the task `{task}`") as run:
            run("delete from task_leases where server = ? and task = ?", (server_id, task))

    def leave(self, server_id: str) -> None:
        with self._engine.transaction("leaving") as run:
            run("delete from task_servers where id = ?", (server_id,))
            run("delete from task_leases where server = ?", (server_id,))

    def close(self) -> None:
        self._engine.close()


def _row(server: Server) -> tuple[str, str, str, str]:
    return server.id, server.place, server.address, server.folder


def _standing(run: Transaction) -> Standing:
    """Leases of servers that are not there are none."""
    servers = tuple(Server(**dict(zip(COLUMNS, row, strict=True))) for row in run(SERVERS))
    leases = tuple(Lease(task=task, server=server, epoch=epoch) for task, server, epoch in run(HELD))
    return Standing(servers=servers, leases=leases)
