"""Settings that every service has; each service's own class extends these.

In:   the environment, read once at start; the command line passes what it was given as keyword arguments.
Out:  a frozen object that is handed down. A wrong value is refused with its name, the value met and what is allowed.
"""

from __future__ import annotations

import difflib
import os
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
    """An instance from the environment and `given`; raises BadSetting, which reads well.

    A variable under the class's own prefix that names no setting is refused too: it is a misspelt one.
    """
    _refuse_unknown(settings)
    try:
        return settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise BadSetting("; ".join(_said(each) for each in error.errors())) from None


def _refuse_unknown(settings: type[ServiceSettings]) -> None:
    prefix = settings.model_config.get("env_prefix")
    known = [str(field.validation_alias) for field in settings.model_fields.values()]
    for name in sorted(os.environ):
        if prefix and name.startswith(prefix) and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = (
                f"; did you mean {near[0]}?"
                if near
                else f"; there are {', '.join(each for each in known if each.startswith(prefix))}"
            )
            raise BadSetting(f"{name} is no setting{hint}")


def _said(error: Any) -> str:
    name = ".".join(str(part) for part in error["loc"]) or "setting"
    return f"{name} is {error.get('input')!r}: {error['msg'][0].lower()}{error['msg'][1:]}"
