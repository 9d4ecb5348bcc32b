"""The port of the pages: taken early, and if somebody else has it, says who."""

from __future__ import annotations

import errno
import socket

import psutil

from pipeline_display.errors import PortTaken

BACKLOG = 128


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; raises PortTaken, which names the process that holds the port."""
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        if error.errno != errno.EADDRINUSE:
            raise
        raise PortTaken(host, port, holder=holder(port)) from None
    return listening


def holder(port: int) -> str:
    """The process that listens on `port`, in words."""
    try:
        found = [each for each in psutil.net_connections("tcp") if each.laddr and each.laddr.port == port]
        pid = next((each.pid for each in found if each.status == psutil.CONN_LISTEN and each.pid), None)
        process = psutil.Process(pid) if pid else None
        return f"process {pid}, `{' '.join(process.cmdline())[:120]}`" if process else "a process of another user"
    except psutil.Error:
        return "a process that cannot be asked"
