"""`pipeline collect`: check what it was told, then let Granian run the workers.

Refuses: (BadSetting) wrong settings; (BadClients) a file of clients that cannot be used; (OpenToAll) a collector without
         clients on an address that others reach; (AddressTaken).
A worker that dies is started again.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import socket
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from pipeline_queue.setting_places import names_of
from pipeline_queue.settings import filled

from pipeline_input.collector.clients import read
from pipeline_input.collector.figures import shared_folder
from pipeline_input.collector.settings import CollectorSettings
from pipeline_input.errors import InputError

WORKER = "pipeline_input.collector.worker:worker"
CONNECTIONS_PER_WORKER_MAX = 1024
STOP_WITHIN_S = 8

log = logging.getLogger(__name__)


class OpenToAll(InputError):
    def __init__(self, host: str) -> None:
        super().__init__(
            f"the collector knows no clients, so it must not listen on {host}, where other machines reach it: say who may "
            "send in EVENTS_CLIENTS (`pipeline clients add`), or EVENTS_OPEN=network if its network is yours alone"
        )


class AddressTaken(InputError):
    def __init__(self, host: str, port: int, cause: OSError) -> None:
        super().__init__(f"{host}:{port} cannot be listened on: {cause.strerror}; choose another in EVENTS_PORT")


def collect(**given: Any) -> None:
    """Take events until SIGINT or SIGTERM; `given` overrides the environment's settings."""
    settings: CollectorSettings = filled(CollectorSettings, **given)
    _tell_workers({name: value for name, value in given.items() if value is not None})
    address = _address(settings)
    if settings.clients:
        log.info("%d clients may send events", len(read(settings.clients)))
    else:
        log.warning(
            "OPEN: everybody who reaches %s:%d may send events; EVENTS_CLIENTS would say who", address, settings.port
        )
    with nullcontext() if settings.workers == 1 else shared_folder():
        _serve(settings, address)


def _serve(settings: CollectorSettings, address: str) -> None:
    Granian(
        WORKER,
        address=address,
        port=settings.port,
        interface=Interfaces.RSGI,
        workers=settings.workers,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=1000 * settings.request_within_s),
        backpressure=CONNECTIONS_PER_WORKER_MAX,
        websockets=False,
        loop=Loops.uvloop,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_WITHIN_S,
        log_level=LogLevels.warning,
    ).serve()


def _tell_workers(given: Mapping[str, Any]) -> None:
    """They read the environment."""
    for field, value in given.items():
        names = names_of(CollectorSettings.model_fields[field])
        for name in [each for each in os.environ if each.upper() in names]:
            del os.environ[name]
        os.environ[names[0]] = str(value)


def _address(settings: CollectorSettings) -> str:
    """Of the host; raises OpenToAll, AddressTaken."""
    try:
        address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0][4][0]
        socket.create_server((address, settings.port), family=_family(address)).close()
    except OSError as cause:
        raise AddressTaken(settings.host, settings.port, cause) from cause
    is_open = settings.clients is None and settings.open_to == "loopback"
    if is_open and not ipaddress.ip_address(address).is_loopback:
        raise OpenToAll(settings.host)
    return address


def _family(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET
