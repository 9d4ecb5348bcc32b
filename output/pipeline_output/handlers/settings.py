"""What the delivery of alerts can be told, each setting an environment variable.

In:      the environment.
Out:     a frozen object, filled once.
Refuses: a wrong value, with its name, the value met and what is allowed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from pipeline_output.handlers.service_settings import AlertServiceSettings, listed
from pipeline_output.handlers.targets import Targets


class AlertSettings(AlertServiceSettings):
    """What scripts may make happen, how often it is tried, and the services that are told."""

    model_config = SettingsConfigDict(env_prefix="ALERTS_")

    exec_allowed: Annotated[str, Field(validation_alias="ALERTS_EXEC_ALLOWED")] = ""
    """Programs that scripts may start by `.exec()`, with any arguments: absolute paths, separated by commas; none if unset."""
    allow_targets: Annotated[str, Field(validation_alias="TASKS_ALLOW_TARGETS")] = ""
    """Hosts that scripts may send to: `host`, `host:port`, `*.domain`, addresses, networks as `10.0.0.0/8`, `slack://` and its likes for
    apprise, separated by commas; none if unset. What the operator configures below needs no entry."""
    endpoints_file: Annotated[Path | None, Field(validation_alias="TASKS_ENDPOINTS_FILE")] = None
    """A JSON object of endpoints that `httpPost().endpoint(name)` and `.post().endpoint(name)` post to: each has a `url`, and maybe
    `headers`, `username` and `password`. They need no entry in the list of targets."""
    log_dir: Annotated[Path | None, Field(validation_alias="ALERTS_LOG_DIR")] = None
    """The folder that `.log()` may write into; nowhere if unset."""
    log_allowed: Annotated[str, Field(validation_alias="ALERTS_LOG_ALLOWED")] = ""
    """Further folders for it, separated by commas."""
    handlers_file: Annotated[Path | None, Field(validation_alias="ALERTS_HANDLERS_FILE")] = None
    """A JSON list of handlers that get every alert: `kind`, `arguments`, `properties`, and the least `level`."""
    state_dir: Annotated[Path, Field(validation_alias="ALERTS_STATE_DIR")] = Path("data/alerts")
    """Where it is kept what was delivered and what waits."""
    timeout_s: Annotated[float, Field(validation_alias="ALERTS_TIMEOUT", gt=0, le=300)] = 10.0
    """Seconds that one delivery may take, unless its handler says otherwise."""
    attempts_max: Annotated[int, Field(validation_alias="ALERTS_ATTEMPTS_MAX", ge=1, le=10_000)] = 100
    """After so many attempts an alert is given up; pauses grow from one second to five minutes, so 100 take about eight hours."""
    workers: Annotated[int, Field(validation_alias="ALERTS_WORKERS", ge=1, le=512)] = 64
    """How many targets are told at the same time; each of them one alert at a time."""
    client_url: Annotated[str, Field(validation_alias="ALERTS_CLIENT_URL")] = "http://127.0.0.1:9092"
    """The task server's address, as PagerDuty shows it to people."""

    @field_validator("allow_targets")
    @classmethod
    def _readable(cls, text: str) -> str:
        Targets.of(text)
        return text

    @property
    def targets(self) -> Targets:
        return Targets.of(self.allow_targets)

    @property
    def programs(self) -> tuple[str, ...]:
        return listed(self.exec_allowed)

    @property
    def log_folders(self) -> tuple[Path, ...]:
        own = (self.log_dir,) if self.log_dir else ()
        return (*own, *map(Path, listed(self.log_allowed)))
