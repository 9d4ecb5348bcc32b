"""One connection to a Cassandra keyspace in each process, made when first used.

In:      an Address.
Out:     `connection(address)`: connecting costs some 0.3 s, so stores of one process share it; it is safe for threads.
         A forked child gets one of its own.
Refuses: (StoreUnavailable) when nothing answers in time. The driver's InvalidRequest is the caller's to understand.

When no host answers at all, the next call connects anew: a container that was made again may have another address.
The driver takes its event loop from whatever can be imported, so it is named here.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

with warnings.catch_warnings():
    # The driver imports eventlet to see whether it has patched anything, and eventlet warns that it is old.
    warnings.simplefilter("ignore")
    from cassandra import ConsistencyLevel, DriverException, InvalidRequest
    from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable, Session
    from cassandra.concurrent import execute_concurrent
    from cassandra.connection import ConnectionException
    from cassandra.policies import ConstantReconnectionPolicy, DCAwareRoundRobinPolicy, TokenAwarePolicy
    from cassandra.protocol import ErrorMessage
    from cassandra.query import BatchStatement, BatchType, BoundStatement, PreparedStatement, tuple_factory

from pipeline_output.errors import StoreUnavailable
from pipeline_output.stores.cassandra_url import Address

CONNECT_S = 5.0
RECONNECT_S = 1.0
HEARTBEAT_S = 5.0
CONCURRENCY = 32
"""Requests under way at once for one write; more only fills the server's own line."""
PROTOCOL = 5
REACTORS = {
    "libev": ("cassandra.io.libevreactor", "LibevConnection"),
    "eventlet": ("cassandra.io.eventletreactor", "EventletConnection"),
    "asyncio": ("cassandra.io.asyncioreactor", "AsyncioConnection"),
}
FAILURES = (DriverException, NoHostAvailable, ConnectionException, ErrorMessage, OSError)

Statement = BoundStatement | BatchStatement

__all__ = ["BatchStatement", "BatchType", "CassandraConnection", "InvalidRequest", "Statement", "connection"]


def connection(address: Address) -> CassandraConnection:
    """This process's connection to `address`."""
    return _connection(address, os.getpid())


class CassandraConnection:
    """See the module."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._lock = threading.RLock()
        self._cluster: Cluster | None = None
        self._session: Session | None = None
        self._prepared: dict[str, PreparedStatement] = {}

    def connect(self) -> None:
        with self._available("connecting"):
            self._connected()

    def define(self, doing: str, cql: str) -> None:
        """Run a statement that changes definitions."""
        with self._available(doing):
            self._connected().execute(cql)

    def rows(self, doing: str, cql: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        """All rows of a prepared query, however many pages they are."""
        with self._available(doing):
            return list(self._connected().execute(self._statement(cql), values))

    def prepared(self, doing: str, cql: str) -> PreparedStatement:
        with self._available(doing):
            return self._statement(cql)

    def write(self, doing: str, statements: Sequence[Statement]) -> None:
        """Return when all of them are acknowledged."""
        with self._available(doing):
            pairs = [(statement, None) for statement in statements]
            execute_concurrent(self._connected(), pairs, concurrency=CONCURRENCY, raise_on_first_error=True)

    def forget(self) -> None:
        """Close; the next call connects anew."""
        with self._lock:
            cluster, self._cluster, self._session = self._cluster, None, None
            self._prepared.clear()
        if cluster is not None:
            cluster.shutdown()

    def _connected(self) -> Session:
        with self._lock:
            if self._session is None:
                self._cluster = _cluster(self._address)
                self._session = self._cluster.connect()
            return self._session

    def _statement(self, cql: str) -> PreparedStatement:
        session = self._connected()
        with self._lock:
            if cql not in self._prepared:
                self._prepared[cql] = session.prepare(cql)
                self._prepared[cql].is_idempotent = True
            return self._prepared[cql]

    @contextmanager
    def _available(self, doing: str) -> Iterator[None]:
        try:
            yield
        except InvalidRequest:
            raise
        except FAILURES as cause:
            if isinstance(cause, NoHostAvailable):
                self.forget()
            raise StoreUnavailable(self._address.url, doing=doing, cause=cause) from cause


def reactor(name: str) -> type:
    """The driver's connection class by that name; `auto` looks at what was patched, not at what can be imported."""
    patcher = sys.modules.get("eventlet.patcher")
    patched = patcher is not None and patcher.is_monkey_patched("socket")
    module, kind = REACTORS[("eventlet" if patched else "libev") if name == "auto" else name]
    found: type = getattr(importlib.import_module(module), kind)
    return found


@cache
def _connection(address: Address, _process: int) -> CassandraConnection:
    return CassandraConnection(address)


def _cluster(address: Address) -> Cluster:
    # The driver logs a stack trace for each failed attempt; whoever calls us gets one error that says it all.
    logging.getLogger("cassandra").setLevel(logging.CRITICAL)
    profile = ExecutionProfile(
        load_balancing_policy=TokenAwarePolicy(DCAwareRoundRobinPolicy(local_dc=address.datacenter)),
        consistency_level=ConsistencyLevel.LOCAL_QUORUM,
        request_timeout=address.timeout_s,
        row_factory=tuple_factory,
    )
    return Cluster(
        contact_points=address.hosts,
        port=address.hosts[0][1],
        connection_class=reactor(address.reactor),
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
        protocol_version=PROTOCOL,
        reconnection_policy=ConstantReconnectionPolicy(RECONNECT_S, max_attempts=None),
        connect_timeout=CONNECT_S,
        control_connection_timeout=CONNECT_S,
        idle_heartbeat_interval=HEARTBEAT_S,
        idle_heartbeat_timeout=HEARTBEAT_S,
    )
