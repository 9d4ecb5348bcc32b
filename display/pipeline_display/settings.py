"""The display's settings; see `pipeline_queue.settings` for those that every service has."""

from __future__ import annotations

from typing import Annotated, Literal

from pipeline_output.stores import split_urls
from pipeline_queue.settings import ServiceSettings
from pydantic import Field, PositiveFloat, SecretStr
from pydantic_settings import SettingsConfigDict

TASKS_URL = "http://127.0.0.1:9092"
AsyncMode = Literal["eventlet", "threading"]


class DisplaySettings(ServiceSettings):
    """Where the pages are, and what they show."""

    model_config = SettingsConfigDict(env_prefix="DISPLAY_")

    host: Annotated[str, Field(validation_alias="DISPLAY_HOST")] = "127.0.0.1"
    """The address on which the pages are served; `0.0.0.0` inside a container."""
    port: Annotated[int, Field(validation_alias="DISPLAY_PORT", ge=0, le=65535)] = 8080
    """The port of the pages; 0 takes any free one."""
    async_mode: Annotated[AsyncMode, Field(validation_alias="DISPLAY_ASYNC_MODE")] = "eventlet"
    """How connections are served: green threads (`eventlet`), or a thread for each (`threading`)."""
    stores: Annotated[str, Field(validation_alias="STORES")] = ""
    """The stores that hold the windows, by commas: `disk:///folder,cassandra://host:port/keyspace` or `sqlite:///file`."""
    history_s: Annotated[PositiveFloat, Field(validation_alias="DISPLAY_HISTORY_S")] = 600.0
    """How much of the recent past a page gets when it is opened."""

    collector_url: Annotated[str | None, Field(validation_alias="COLLECTOR_URL", pattern=r"^http://[^/]+$")] = None
    """Where the page `/events` sends what people type there, such as `http://127.0.0.1:8081`; without it the page has no form."""
    events_token: Annotated[SecretStr | None, Field(validation_alias="EVENTS_TOKEN")] = None
    """The page's token, where the collector asks for one."""

    tasks_url: Annotated[str, Field(validation_alias="TASKS_URL", pattern=r"^https?://[^/]+$")] = TASKS_URL
    """Where the task API is, which the pages `/tasks` show and change."""
    tasks_token: Annotated[SecretStr | None, Field(validation_alias="TASKS_TOKEN")] = None
    """What the task API asks for, if it asks. Who reaches the pages may then change tasks without it."""

    @property
    def store_urls(self) -> tuple[str, ...]:
        return split_urls(self.stores)
