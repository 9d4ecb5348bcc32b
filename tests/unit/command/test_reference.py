"""What the page of settings says of one setting."""

from __future__ import annotations

from typing import Annotated

from pipeline_cli.reference import setting_row
from pipeline_queue.settings import ServiceSettings
from pydantic import AliasChoices, Field, SecretStr


class DoorSettings(ServiceSettings):
    port: Annotated[int, Field(validation_alias=AliasChoices("DOOR_PORT", "DEFAULT_DOOR_PORT", "PORT"))] = 8080
    """Where it listens."""
    password: Annotated[SecretStr, Field(validation_alias=AliasChoices("DOOR_KEY", "KEY"))] = SecretStr("hunter2")
    """What opens it."""


def test_the_first_name_is_the_name_and_the_others_are_old_names() -> None:
    assert setting_row(DoorSettings.model_fields["port"]) == (
        "| `DOOR_PORT` | `8080` | Where it listens. Old names: `DEFAULT_DOOR_PORT`, `PORT`. |"
    )


def test_a_secret_may_lie_in_a_file_and_its_default_is_not_shown() -> None:
    assert setting_row(DoorSettings.model_fields["password"]) == (
        "| `DOOR_KEY` | unset | What opens it. Old name: `KEY`. A secret: `DOOR_KEY_FILE` may name a file that holds it. |"
    )
