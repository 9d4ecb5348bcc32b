"""Where the services are that alerts are sent to, and by which keys; scripts may say less than that.

In:      the environment.
Out:     a frozen object; keys, and addresses that are as good as keys, are secrets.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pipeline_queue.settings import ServiceSettings
from pydantic import Field, SecretStr


class AlertServiceSettings(ServiceSettings):
    """One block a service; a handler whose address or key is not set is refused when a script names it."""

    smtp_host: Annotated[str, Field(validation_alias="ALERTS_SMTP_HOST", min_length=1)] = "127.0.0.1"
    """The mail server."""
    smtp_port: Annotated[int, Field(validation_alias="ALERTS_SMTP_PORT", ge=1, le=65535)] = 25
    """And its port."""
    smtp_tls: Annotated[Literal["none", "starttls", "tls"], Field(validation_alias="ALERTS_SMTP_TLS")] = "none"
    """How mail is encrypted on its way to the server: not, after `starttls`, or from the first byte on."""
    smtp_user: Annotated[str, Field(validation_alias="ALERTS_SMTP_USER")] = ""
    """Who sends; without it there is no log-in."""
    smtp_password: Annotated[SecretStr | None, Field(validation_alias="ALERTS_SMTP_PASSWORD")] = None
    """By which password."""
    smtp_from: Annotated[str, Field(validation_alias="ALERTS_SMTP_FROM")] = ""
    """The sender's address; without it no mail is sent."""
    smtp_to: Annotated[str, Field(validation_alias="ALERTS_SMTP_TO")] = ""
    """Who gets mail of scripts that name nobody; separated by commas."""

    slack_url: Annotated[SecretStr | None, Field(validation_alias="ALERTS_SLACK_URL")] = None
    """Slack's incoming web hook."""
    slack_channel: Annotated[str, Field(validation_alias="ALERTS_SLACK_CHANNEL")] = ""
    """Where scripts that name no channel write to; the hook's own if unset."""
    slack_username: Annotated[str, Field(validation_alias="ALERTS_SLACK_USERNAME")] = "kapacitor"
    """As whom."""
    slack_icon_emoji: Annotated[str, Field(validation_alias="ALERTS_SLACK_ICON")] = ""
    """With which picture, such as `:bell:`."""

    pagerduty_key: Annotated[SecretStr | None, Field(validation_alias="ALERTS_PAGERDUTY_KEY")] = None
    """PagerDuty's service key, of the events API 1."""
    pagerduty_url: Annotated[str, Field(validation_alias="ALERTS_PAGERDUTY_URL")] = (
        "https://events.pagerduty.com/generic/2010-04-15/create_event.json"
    )
    """Where that API is."""
    pagerduty2_key: Annotated[SecretStr | None, Field(validation_alias="ALERTS_PAGERDUTY2_KEY")] = None
    """PagerDuty's routing key, of the events API 2."""
    pagerduty2_url: Annotated[str, Field(validation_alias="ALERTS_PAGERDUTY2_URL")] = (
        "https://events.pagerduty.com/v2/enqueue"
    )
    """Where that API is."""

    opsgenie_key: Annotated[SecretStr | None, Field(validation_alias="ALERTS_OPSGENIE_KEY")] = None
    """OpsGenie's key, for both of its APIs."""
    opsgenie_teams: Annotated[str, Field(validation_alias="ALERTS_OPSGENIE_TEAMS")] = ""
    """Teams that are told by scripts that name none; separated by commas."""
    opsgenie_recipients: Annotated[str, Field(validation_alias="ALERTS_OPSGENIE_RECIPIENTS")] = ""
    """The same of people."""
    opsgenie_url: Annotated[str, Field(validation_alias="ALERTS_OPSGENIE_URL")] = (
        "https://api.opsgenie.com/v1/json/alert"
    )
    """Where the API 1 is."""
    opsgenie_recovery_url: Annotated[str, Field(validation_alias="ALERTS_OPSGENIE_RECOVERY_URL")] = (
        "https://api.opsgenie.com/v1/json/alert/note"
    )
    """Where API 1 hears that an alert is over."""
    opsgenie2_url: Annotated[str, Field(validation_alias="ALERTS_OPSGENIE2_URL")] = "https://api.opsgenie.com/v2/alerts"
    """Where the API 2 is."""
    opsgenie2_recovery_action: Annotated[
        Literal["notes", "close"], Field(validation_alias="ALERTS_OPSGENIE2_RECOVERY_ACTION")
    ] = "notes"
    """What becomes of an alert that is over: a note is added, or it is closed."""

    victorops_key: Annotated[SecretStr | None, Field(validation_alias="ALERTS_VICTOROPS_KEY")] = None
    """VictorOps' key."""
    victorops_routing_key: Annotated[str, Field(validation_alias="ALERTS_VICTOROPS_ROUTING_KEY")] = ""
    """Which team hears of scripts that name none."""
    victorops_url: Annotated[str, Field(validation_alias="ALERTS_VICTOROPS_URL")] = (
        "https://alert.victorops.com/integrations/generic/20131114/alert"
    )
    """Where it is, without the keys."""

    alerta_url: Annotated[str, Field(validation_alias="ALERTS_ALERTA_URL")] = ""
    """Where Alerta's API is."""
    alerta_token: Annotated[SecretStr | None, Field(validation_alias="ALERTS_ALERTA_TOKEN")] = None
    """Its token, for scripts that bring none."""
    alerta_environment: Annotated[str, Field(validation_alias="ALERTS_ALERTA_ENVIRONMENT")] = ""
    """The environment of scripts that name none."""
    alerta_origin: Annotated[str, Field(validation_alias="ALERTS_ALERTA_ORIGIN")] = "kapacitor"
    """Who says so."""

    sensu_address: Annotated[str, Field(validation_alias="ALERTS_SENSU_ADDRESS")] = ""
    """`host:port` of Sensu's client."""
    sensu_source: Annotated[str, Field(validation_alias="ALERTS_SENSU_SOURCE")] = "Kapacitor"
    """Which machine the results are said to be of."""
    sensu_handlers: Annotated[str, Field(validation_alias="ALERTS_SENSU_HANDLERS")] = ""
    """Sensu's handlers for scripts that name none; separated by commas."""

    hipchat_url: Annotated[str, Field(validation_alias="ALERTS_HIPCHAT_URL")] = ""
    """Where HipChat's rooms are, such as `https://example.hipchat.com/v2/room`."""
    hipchat_room: Annotated[str, Field(validation_alias="ALERTS_HIPCHAT_ROOM")] = ""
    """The room of scripts that name none."""
    hipchat_token: Annotated[SecretStr | None, Field(validation_alias="ALERTS_HIPCHAT_TOKEN")] = None
    """Its token."""

    teams_url: Annotated[SecretStr | None, Field(validation_alias="ALERTS_TEAMS_URL")] = None
    """The web hook of a channel of Microsoft Teams."""
    telegram_url: Annotated[str, Field(validation_alias="ALERTS_TELEGRAM_URL")] = "https://api.telegram.org/bot"
    """Where Telegram is, without the token."""
    telegram_token: Annotated[SecretStr | None, Field(validation_alias="ALERTS_TELEGRAM_TOKEN")] = None
    """The bot's token."""
    telegram_chat_id: Annotated[str, Field(validation_alias="ALERTS_TELEGRAM_CHAT")] = ""
    """The chat of scripts that name none."""
    telegram_parse_mode: Annotated[str, Field(validation_alias="ALERTS_TELEGRAM_PARSE_MODE")] = ""
    """`Markdown`, `HTML` or nothing."""
    discord_url: Annotated[SecretStr | None, Field(validation_alias="ALERTS_DISCORD_URL")] = None
    """Discord's web hook."""


def listed(text: str) -> tuple[str, ...]:
    """What a setting has separated by commas."""
    return tuple(filter(None, (each.strip() for each in text.split(","))))
