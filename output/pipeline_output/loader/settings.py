"""What the service `loader` can be told, each setting an environment variable.

In:      the environment.
Out:     a frozen object, filled once.
Refuses: a wrong value, with its name, the value met and what is allowed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from pipeline_queue.settings import ServiceSettings
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict


class LoaderSettings(ServiceSettings):
    """Where events of applications go, and how often."""

    model_config = SettingsConfigDict(env_prefix="DB_")

    interval_s: Annotated[float, Field(validation_alias="DB_LOAD_INTERVAL", gt=0, le=86_400)] = 300.0
    """Seconds between two loads."""
    min_interval_s: Annotated[float, Field(validation_alias="DB_LOAD_MIN_INTERVAL", ge=0, le=86_400)] = 10.0
    """Seconds that pass between two loads at least, however much waits."""
    backlog_events: Annotated[int, Field(validation_alias="DB_LOAD_BACKLOG", ge=1)] = 100_000
    """So many waiting events are loaded at once, without waiting for the interval's end."""
    chunk_rows: Annotated[int, Field(validation_alias="DB_LOAD_CHUNK_SIZE", ge=1, le=100_000)] = 20_000
    """Rows that one COPY takes; up to 10,000 more, because a block is not divided. More is faster, and holds more memory."""
    workers: Annotated[int, Field(validation_alias="DB_LOAD_WORKER", ge=1, le=32)] = 2
    """How many event types are loaded at the same time."""
    parquet_dir: Annotated[Path | None, Field(validation_alias="DB_LOAD_PARQUET")] = None
    """A folder that gets the events as Parquet files, beside the database; none if unset."""
    parquet_interval_s: Annotated[float, Field(validation_alias="DB_LOAD_PARQUET_INTERVAL", gt=0, le=86_400)] = 300.0
    """Seconds between two loads into that folder; each makes a file of each type that has something new."""
    database_url: Annotated[SecretStr | None, Field(validation_alias="DATABASE_URL")] = None
    """`postgresql://user:password@host:port/database` or `sqlite:///absolute/file`; goes before the parts below."""
    database_name: Annotated[str, Field(validation_alias="DB_NAME", min_length=1)] = "pipeline"
    """The PostgreSQL database."""
    database_user: Annotated[str, Field(validation_alias="DB_USER", min_length=1)] = "pipeline"
    """Who asks it."""
    database_password: Annotated[SecretStr | None, Field(validation_alias="DB_PASSWORD")] = None
    """By which password; there is no default."""
    database_host: Annotated[str, Field(validation_alias="DB_HOST", min_length=1)] = "127.0.0.1"
    """Where it is."""
    database_port: Annotated[int, Field(validation_alias="DB_PORT", ge=1, le=65535)] = 5432
    """And at which port."""

    @property
    def parquet_url(self) -> str | None:
        """Of the folder, as a database's."""
        return self.parquet_dir and f"parquet://{self.parquet_dir.absolute()}"

    @property
    def url(self) -> str:
        """Of the database, with the password: for connecting, not for showing."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        password = self.database_password.get_secret_value() if self.database_password else ""
        who = ":".join(quote(part, safe="") for part in (self.database_user, password) if part)
        name = quote(self.database_name, safe="")
        return f"postgresql://{who}@{self.database_host}:{self.database_port}/{name}"
