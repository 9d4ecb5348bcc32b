"""Settings that every service has; each service's own class extends these.

In:      what the command line gave, as keyword arguments; then the places of `setting_places`, read once at start; then
         defaults.
Out:     a frozen object that is handed down, or what holds and where each value comes from.
Refuses: a wrong value, with its name, the value met and what is allowed; of a secret it never shows the value.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from pipeline_queue.errors import BadSetting
from pipeline_queue.setting_places import HIDDEN, Place, is_secret, names_of, places, refuse_unheard, shown


class ServiceSettings(BaseSettings):
    """What each service needs to know about the queue and about being watched."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,  # what pydantic itself says has all that is known, secrets too
    )

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

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        asked = places(settings_cls)
        refuse_unheard(settings_cls, asked, init_settings())
        return init_settings, *asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A setting by its first name, its value as JSON has it, and where that comes from; a secret is hidden."""

    name: str
    value: Any
    origin: str


def filled(settings: type[ServiceSettings], **given: Any) -> Any:
    """An instance from `given`, the environment and files; raises BadSetting, which reads well."""
    try:
        return settings(**_said(given))
    except ValidationError as error:
        raise BadSetting("; ".join(_refusal(settings, each) for each in error.errors())) from None


def held(settings: type[ServiceSettings], **given: Any) -> list[Held]:
    """Every setting as `filled` would fill it; raises BadSetting."""
    values = filled(settings, **given).model_dump(mode="json")
    asked, said = places(settings), _said(given)
    return [
        Held(
            name=names_of(field)[0],
            value=HIDDEN if is_secret(field) and values[name] else values[name],
            origin="command line" if name in said else _origin(field, asked),
        )
        for name, field in settings.model_fields.items()
    ]


def _said(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


def _origin(field: FieldInfo, asked: tuple[Place, ...]) -> str:
    return next((place.origin(met.name) for place in asked if (met := place.met(field))), "default")


def _refusal(settings: type[ServiceSettings], error: Any) -> str:
    """One sentence. The input of a missing field, and of a whole object, is all that is known, so it is not shown."""
    said = f"{error['msg'][0].lower()}{error['msg'][1:]}"
    if not error["loc"]:
        return said.removeprefix("value error, ")
    key, *inner = error["loc"]
    field = settings.model_fields.get(key) or next(
        (each for each in settings.model_fields.values() if key in names_of(each)), None
    )
    if field is None:
        return f"{key} is no setting of {settings.__name__}"
    if error["type"] == "missing":
        return f"{key} is not set"
    name = key if key in settings.model_fields else _spelt(key, field, places(settings))
    return f"{'.'.join(map(str, (name, *inner)))} is {shown(field, error['input'])}: {said}"


def _spelt(key: str, field: FieldInfo, asked: tuple[Place, ...]) -> str:
    """The name that was used, for one that may have several."""
    return next((place.spelt(met.name) for place in asked if (met := place.met(field))), key)
