"""What this machine has, asked of psutil and of the programs themselves; shared by `doctor` and `demo`."""

from __future__ import annotations

import socket

import psutil


def port_holder(port: int) -> str | None:
    """Who listens on the loopback port, by name and PID where the system tells; None if nobody does."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            return "the system, which keeps ports below 1024 for root"
        except OSError:
            return _listener(port) or "a process of another user"
    return None


def _listener(port: int) -> str | None:
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return None
    for connection in connections:
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
            try:
                process = psutil.Process(connection.pid)
                return f"`{' '.join(process.cmdline())[:80] or process.name()}` (PID {connection.pid})"
            except psutil.NoSuchProcess:
                return None
    return None
