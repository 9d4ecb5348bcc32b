"""Settings that every service has; each service's own class extends these.

In:   the environment, read once at start; the command line passes what it was given as keyword arguments.
Out:  a frozen object that is handed down. A wrong value is refused with its name, the value met and what is allowed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipeline_queue.errors import QueueError


class BadSetting(QueueError):
    """A setting's name, the value met, and what is allowed."""


class ServiceSettings(BaseSettings):
    """What each service needs to know about the queue and about being watched."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", populate_by_name=True, use_attribute_docstrings=True)

    queue_url: Annotated[str, Field(validation_alias="QUEUE_URL")] = "sqlite:///data/queue"
    """Where the queue is: `kafka://host:port[,host:port]` or `sqlite:///absolute/folder`."""
    durability: Annotated[Literal["process", "disk"], Field(validation_alias="DURABILITY")] = "process"
    """What an acknowledgement survives: the kill of every process, or power loss too (`disk`)."""
    health_port: Annotated[int, Field(validation_alias="HEALTH_PORT", ge=0, le=65535)] = 0
    """Where `/healthz` and `/metrics` answer on `HEALTH_HOST`; 0 takes any free port."""
    health_host: Annotated[str, Field(validation_alias="HEALTH_HOST")] = "127.0.0.1"
    """The address on which health and metrics answer; loopback unless something outside scrapes them."""
    ledger_dir: Annotated[Path | None, Field(validation_alias="LEDGER_DIR")] = None
    """Where producers note what they made and what was acknowledged; nowhere if unset."""


def filled(settings: type[ServiceSettings], **given: Any) -> Any:
    """An instance from the environment and `given`; raises BadSetting, which reads well."""
    try:
        return settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise BadSetting("; ".join(_said(each) for each in error.errors())) from None


def _said(error: Any) -> str:
    name = ".".join(str(part) for part in error["loc"]) or "setting"
    return f"{name} is {error.get('input')!r}: {error['msg'][0].lower()}{error['msg'][1:]}"
