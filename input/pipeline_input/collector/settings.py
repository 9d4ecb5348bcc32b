"""What the collector can be told, each setting an environment variable of the same name.

In:      the environment.
Out:     a frozen object, filled once by each process.
Refuses: a wrong value, with its name, the value met and what is allowed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pipeline_queue.settings import ServiceSettings
from pydantic import AliasChoices, Field
from pydantic_settings import SettingsConfigDict


class CollectorSettings(ServiceSettings):
    """Where events come in, and how large they may be."""

    model_config = SettingsConfigDict(env_prefix="EVENTS_")

    host: Annotated[str, Field(validation_alias="EVENTS_HOST")] = "127.0.0.1"
    """The address on which events come in; `0.0.0.0` inside a container."""
    port: Annotated[
        int, Field(validation_alias=AliasChoices("EVENTS_PORT", "DEFAULT_APP_PORT", "PORT"), ge=1, le=65535)
    ] = 8081
    """The port on which events come in."""
    workers: Annotated[int, Field(validation_alias="EVENTS_WORKERS", ge=1, le=64)] = 1
    """How many processes take events on that port."""
    clients: Annotated[Path | None, Field(validation_alias="EVENTS_CLIENTS")] = None
    """A file that says who may send events (`pipeline clients add` writes it); unset, the collector is open to everybody."""
    open_to: Annotated[Literal["loopback", "network"], Field(validation_alias="EVENTS_OPEN")] = "loopback"
    """Whom an open collector may be reached by: this machine alone, or the network that it is in, as in Compose."""
    length_max: Annotated[int, Field(validation_alias="INPUT_MAX_LEN", ge=64, le=12_000)] = 2048
    """How many characters an event may have, as it is sent; the queue's limit of 64 KiB a line is beyond the longest."""
    request_within_s: Annotated[int, Field(validation_alias="EVENTS_REQUEST_WITHIN_S", ge=1, le=3600)] = 30
    """How long a connection may take for a request's headers, and again for its body; an idle one is closed after it."""
    body_bytes_max: Annotated[int, Field(validation_alias="EVENTS_BODY_BYTES_MAX", ge=1024, le=1 << 28)] = 1 << 22
    """How large a request with many events may be, before and after it is unpacked."""
