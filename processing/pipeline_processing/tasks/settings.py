"""What the service `tasks` can be told, each setting an environment variable of the same name.

In:      the environment.
Out:     a frozen object, filled once.
Refuses: a wrong value, with its name, the value met and what is allowed.
What most do not set is imported where it is set: the process that only starts others reads settings, too.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self
from urllib.parse import urlsplit

from pipeline_queue.settings import ServiceSettings
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

if TYPE_CHECKING:
    from pipeline_processing.alerts.deadman import Deadman


class TasksSettings(ServiceSettings):
    """Where tasks are handled, by whom, and where their definitions are."""

    model_config = SettingsConfigDict(env_prefix="TASKS_")

    host: Annotated[str, Field(validation_alias="TASKS_HOST")] = "127.0.0.1"
    """The address of the task API; `0.0.0.0` inside a container."""
    port: Annotated[int, Field(validation_alias="TASKS_PORT", ge=1, le=65535)] = 9092
    """The port of the task API."""
    token: Annotated[SecretStr | None, Field(validation_alias="TASKS_TOKEN", min_length=1)] = None
    """What whoever asks must give, as a bearer token or as the password of any user; unset, the API is open to everybody."""
    open_to: Annotated[Literal["loopback", "network"], Field(validation_alias="TASKS_OPEN")] = "loopback"
    """Whom an API without a token may be reached by: this machine alone, or the network that it is in, as in Compose."""
    state_url: Annotated[SecretStr, Field(validation_alias="TASKS_STATE_URL")] = SecretStr("sqlite:///data/tasks")
    """Where definitions of tasks are: `sqlite:///absolute/folder` or `postgresql://user:password@host:port/database`;
    `sqlite:///data/tasks` if unset."""
    folder: Annotated[Path, Field(validation_alias="TASKS_DIR")] = Path("data/tasks")
    """Where tasks that run keep their state, and recordings are."""
    advertised_url: Annotated[
        str | None, Field(validation_alias="TASKS_ADVERTISED_URL", pattern=r"^https?://[^/?#]+")
    ] = None
    """Where servers that share `TASKS_STATE_URL` reach this one; its host and port if unset, and the machine's name where
    it listens on all addresses."""
    lease_s: Annotated[float, Field(validation_alias="TASKS_LEASE_S", ge=0.5, le=600)] = 10.0
    """How long a server is not heard of before others take over its tasks."""
    allow_targets: Annotated[str, Field(validation_alias="TASKS_ALLOW_TARGETS")] = ""
    """Hosts that scripts may send to, as handlers of alerts read it; see the settings of `alerts`."""
    influx_url: Annotated[str, Field(validation_alias="TASKS_INFLUX_URL")] = "http://127.0.0.1:8086"
    """The InfluxDB that `influxDBOut` writes to, unless its `cluster` is a URL."""
    influx_user: Annotated[str, Field(validation_alias="TASKS_INFLUX_USER")] = ""
    """Who writes there, with `TASKS_INFLUX_PASSWORD`; nobody in particular if unset."""
    influx_password: Annotated[SecretStr | None, Field(validation_alias="TASKS_INFLUX_PASSWORD")] = None
    """The password of `TASKS_INFLUX_USER`."""
    influx_token: Annotated[SecretStr | None, Field(validation_alias="TASKS_INFLUX_TOKEN", min_length=1)] = None
    """The token to write there, in place of a user: that of InfluxDB 2, or `user:password`."""
    deadman_id: Annotated[str, Field(validation_alias="TASKS_DEADMAN_ID")] = ""
    """The id of an alert of `deadman` whose script names none, Kapacitor's if unset; a template, in which `NODE_NAME` is the node
    that is watched."""
    deadman_message: Annotated[str, Field(validation_alias="TASKS_DEADMAN_MESSAGE")] = ""
    """And its message, in which `INTERVAL` is how long it is watched."""
    deadman_everywhere: Annotated[bool, Field(validation_alias="TASKS_DEADMAN_GLOBAL")] = False
    """Whether every task is watched for silence as a whole, as if its script ended in `stream|deadman(..)`."""
    deadman_threshold: Annotated[float, Field(validation_alias="TASKS_DEADMAN_THRESHOLD", ge=0, le=1e12)] = 0.0
    """A task that is watched so is dead at so many points or fewer .."""
    deadman_interval_s: Annotated[float, Field(validation_alias="TASKS_DEADMAN_INTERVAL_S", ge=0.001, le=1e6)] = 10.0
    """.. in so many seconds."""
    body_bytes_max: Annotated[int, Field(validation_alias="TASKS_BODY_BYTES_MAX", ge=1024, le=1 << 28)] = 25_000_000
    """How large a request may be, as it is sent; InfluxDB takes as much."""
    snapshot_interval_s: Annotated[float, Field(validation_alias="TASKS_SNAPSHOT_INTERVAL_S", gt=0, le=3600)] = 10.0
    """Seconds between two snapshots of a task: what a task did since the last is done again after a crash."""
    forget_groups_after_s: Annotated[float, Field(validation_alias="TASKS_FORGET_GROUPS_AFTER_S", ge=0)] = 604_800.0
    """Seconds without a point after which a task that runs forgets a group: seven days, so that what comes once a week is still
    known; 0 is never. An alert that is not OK is kept, and so are groups that `stats` or `deadman` tell of."""
    groups_max: Annotated[int, Field(validation_alias="TASKS_GROUPS_MAX", ge=1)] = 2_000_000
    """How many groups a task may have: points of others are dropped and counted."""
    state_bytes_max: Annotated[int, Field(validation_alias="TASKS_STATE_BYTES_MAX", ge=1 << 16)] = 1 << 31
    """How large a task's snapshot may be, about what its state takes in memory: a task that has more stops, and says so."""
    stats_interval_s: Annotated[float, Field(validation_alias="TASKS_STATS_INTERVAL_S", ge=0, le=3600)] = 10.0
    """Seconds between two times that the service writes its own figures, as points of the database `_kapacitor`; 0, never."""
    request_within_s: Annotated[int, Field(validation_alias="TASKS_REQUEST_WITHIN_S", ge=1, le=3600)] = 30
    """How long a connection may take for a request's headers, and again for its body; an idle one is closed after it."""

    @field_validator("deadman_id", "deadman_message")
    @classmethod
    def _readable(cls, text: str) -> str:
        from pipeline_processing.alerts.templates import parsed

        parsed(text, name="deadman")
        return text

    @property
    def deadman(self) -> Deadman:
        from pipeline_processing.alerts.deadman import ID, MESSAGE, Deadman, Rate

        rate = Rate(threshold=self.deadman_threshold, interval_ns=round(self.deadman_interval_s * 1e6) * 1000)
        everywhere = rate if self.deadman_everywhere else None
        return Deadman(id=self.deadman_id or ID, message=self.deadman_message or MESSAGE, everywhere=everywhere)

    @model_validator(mode="after")
    def _writable(self) -> Self:
        """What is refused may hold a password, so it is not shown."""
        parts = urlsplit(self.influx_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
            raise ValueError("TASKS_INFLUX_URL is not of the form `http://host:port`")
        if parts.username is not None:
            raise ValueError("TASKS_INFLUX_URL names a user; TASKS_INFLUX_USER and TASKS_INFLUX_PASSWORD are for that")
        if bool(self.influx_user) != bool(self.influx_password):
            raise ValueError("TASKS_INFLUX_USER and TASKS_INFLUX_PASSWORD go together, and one of them is not set")
        if self.influx_user and self.influx_token:
            raise ValueError("TASKS_INFLUX_USER and TASKS_INFLUX_TOKEN are both set; leave one of them out")
        return self
