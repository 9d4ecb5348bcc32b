"""Definitions in a table of a database, the same over SQLite and PostgreSQL.

In:      a definition: its body is one JSON text, so that whatever a script holds is kept (PostgreSQL's text knows no NUL).
Out:     see `DefinitionStore`.
Refuses: (DefinitionExists, DefinitionChanged) see there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace

from pipeline_output.errors import DefinitionChanged, DefinitionExists
from pipeline_output.state.definitions import Begin, Definition
from pipeline_output.state.engine import Engine, KeyTaken, Row, Transaction

PREPARE = (
    """create table if not exists task_definitions (
    id text primary key, version bigint not null, revision bigint not null, status text not null,
    created_ns bigint not null, modified_ns bigint not null, last_enabled_ns bigint, body text not null)""",
    "create table if not exists task_revisions (id integer primary key, newest bigint not null)",
    "insert into task_revisions (id, newest) values (0, 0) on conflict (id) do nothing",
)
NEXT = "update task_revisions set newest = newest + 1 where id = 0 returning newest"
COLUMNS = ("id", "version", "revision", "status", "created_ns", "modified_ns", "last_enabled_ns", "body")
SELECT = f"select {', '.join(COLUMNS)} from task_definitions"
INSERT = f"insert into task_definitions ({', '.join(COLUMNS)}) values ({', '.join('?' for _ in COLUMNS)})"
UPDATE = f"update task_definitions set {', '.join(f'{name} = ?' for name in COLUMNS)} where id = ? and revision = ? returning id"


class DefinitionTable:
    """See `DefinitionStore`."""

    def __init__(self, engine: Engine) -> None:
        self.url, self._engine = engine.url, engine
        engine.prepare(PREPARE)

    def create(self, definition: Definition) -> Definition:
        with _unique(definition.id), self._engine.transaction(f"creating the task `{definition.id}`") as run:
            number = _next(run)
            created = replace(definition, version=number, revision=number)
            run(INSERT, _row(created))
        return created

    def find(self, task_id: str) -> Definition | None:
        with self._engine.transaction(f"looking for the task `{task_id}`") as run:
            rows = run(f"{SELECT} where id = ?", (task_id,))
        return _definition(rows[0]) if rows else None

    def every(self) -> list[Definition]:
        with self._engine.transaction("listing the tasks") as run:
            rows = run(SELECT)
        return sorted(map(_definition, rows), key=lambda each: each.id)

    def replace(self, before: Definition, after: Definition) -> Definition:
        with _unique(after.id), self._engine.transaction(f"changing the task `{before.id}`") as run:
            number = _next(run)
            version = before.version if after.meaning == before.meaning else number
            kept = replace(after, version=version, revision=number)
            if not run(UPDATE, (*_row(kept), before.id, before.revision)):
                raise DefinitionChanged(before.id)
        return kept

    def delete(self, task_id: str) -> Definition | None:
        with self._engine.transaction(f"deleting the task `{task_id}`") as run:
            rows = run(f"delete from task_definitions where id = ? returning {', '.join(COLUMNS)}", (task_id,))
        return _definition(rows[0]) if rows else None

    def close(self) -> None:
        self._engine.close()


@contextmanager
def _unique(task_id: str) -> Iterator[None]:
    try:
        yield
    except KeyTaken:
        raise DefinitionExists(task_id) from None


def _next(run: Transaction) -> int:
    """Whoever asks meanwhile waits for the end of this transaction."""
    return int(run(NEXT)[0][0])


def _row(definition: Definition) -> Row:
    body = {"type": definition.type, "dbrps": definition.dbrps, "script": definition.script, "vars": definition.vars}
    if definition.begin:
        body["begin"] = asdict(definition.begin)
    return (
        *(definition.id, definition.version, definition.revision, definition.status),
        *(definition.created_ns, definition.modified_ns, definition.last_enabled_ns, json.dumps(body)),
    )


def _definition(row: Row) -> Definition:
    *columns, text = row
    body = json.loads(text)
    body["dbrps"] = tuple((database, retention_policy) for database, retention_policy in body["dbrps"])
    if "begin" in body:
        body["begin"] = Begin(**body["begin"])
    return Definition(**dict(zip(COLUMNS[:-1], columns, strict=True)), **body)
