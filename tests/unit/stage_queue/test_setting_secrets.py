"""Secrets: they may lie in files, and nothing that is said shows them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import pytest
from pipeline_queue.settings import BadSetting, Held, ServiceSettings, filled, held
from pydantic import AliasChoices, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import SettingsConfigDict

SECRET = "hunter2"
PASSWORD = AliasChoices("DOOR_PASSWORD", "DB_PASSWORD")


class DoorSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="DOOR_")

    password: Annotated[SecretStr, Field(validation_alias=PASSWORD, max_length=7)] = SecretStr("")


class StrictSettings(ServiceSettings):
    password: Annotated[SecretStr, Field(validation_alias="DB_PASSWORD")]
    user: Annotated[str, Field(validation_alias="DB_USER")]

    @model_validator(mode="after")
    def _someone_else(self) -> StrictSettings:
        if self.user == "root":
            raise ValueError("DB_USER is root: use a user who owns one database")
        return self


def refusal(settings: type[ServiceSettings] = DoorSettings) -> str:
    with pytest.raises(BadSetting) as refused:
        filled(settings)
    return str(refused.value)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text(f"{SECRET}\n")
    return path


@pytest.fixture
def named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that $DATAPIPE_CNF names."""
    monkeypatch.setenv("DATAPIPE_CNF", str(tmp_path / "named.json"))
    return tmp_path / "named.json"


def password() -> str:
    return filled(DoorSettings).password.get_secret_value()


@pytest.mark.parametrize("name", ["DOOR_PASSWORD_FILE", "door_password_file", "DB_PASSWORD_FILE"])
def test_a_variable_may_name_the_file_of_a_secret(secret: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, str(secret))
    assert (password(), held(DoorSettings)[-1]) == (
        SECRET,
        Held(name="DOOR_PASSWORD", value="********", origin=f"environment {name}"),
    )


def test_a_key_may_name_the_file_of_a_secret(secret: Path, named: Path) -> None:
    named.write_text(json.dumps({"door_password_file": str(secret)}))
    assert (password(), held(DoorSettings)[-1]) == (
        SECRET,
        Held(name="DOOR_PASSWORD", value="********", origin=f"file {named}"),
    )


@pytest.mark.parametrize(("content", "value"), [("a b", "a b"), ("a\r\n", "a"), (" a\n\n", " a\n"), ("", "")])
def test_only_the_end_of_the_last_line_is_left_out(
    secret: Path, monkeypatch: pytest.MonkeyPatch, content: str, value: str
) -> None:
    secret.write_bytes(content.encode())
    monkeypatch.setenv("DB_PASSWORD_FILE", str(secret))
    assert password() == value


def test_a_secret_and_its_file_are_refused_in_one_place_and_ordered_in_two(
    secret: Path, named: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_PASSWORD_FILE", str(secret))
    named.write_text(json.dumps({"DOOR_PASSWORD": "other"}))
    assert password() == SECRET
    monkeypatch.setenv("DOOR_PASSWORD", SECRET)
    assert refusal() == "DOOR_PASSWORD and DB_PASSWORD_FILE are both given; leave one of them out"


def test_what_is_no_secret_has_no_file(secret: Path, named: Path) -> None:
    named.write_text(json.dumps({"QUEUE_URL_FILE": str(secret)}))
    assert refusal() == f"QUEUE_URL_FILE in `{named}` is no setting of any service; did you mean QUEUE_URL?"


def test_a_file_of_a_secret_that_is_missing_or_no_text_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "none"
    monkeypatch.setenv("DOOR_PASSWORD_FILE", str(path))
    assert refusal() == f"DOOR_PASSWORD_FILE is {str(path)!r}, which cannot be read: No such file or directory"
    path.write_bytes(b"\xff")
    assert refusal() == f"DOOR_PASSWORD_FILE is {str(path)!r}, which is not UTF-8"


def test_a_file_of_a_secret_is_named_by_text(named: Path) -> None:
    named.write_text(json.dumps({"DB_PASSWORD_FILE": 5}))
    assert refusal() == f"DB_PASSWORD_FILE in `{named}` is 5: input should be the path of a file"


@pytest.mark.parametrize("value", [12345678, True, [SECRET], {"a": SECRET}])
def test_a_secret_of_a_wrong_type_is_not_shown(named: Path, value: object) -> None:
    named.write_text(json.dumps({"DB_PASSWORD": value}))
    assert refusal() == f"DB_PASSWORD in `{named}` is ********: input should be a valid string"


def test_a_secret_out_of_bounds_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOOR_PASSWORD", SECRET * 2)
    assert refusal() == "DOOR_PASSWORD is ********: value should have at most 7 items after validation, not 14"


def test_secrets_that_differ_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOOR_PASSWORD", SECRET)
    monkeypatch.setenv("DB_PASSWORD", "other")
    assert refusal() == (
        "DOOR_PASSWORD is ******** and DB_PASSWORD is ********, but they are one setting; leave one of them out"
    )


def test_a_setting_that_is_missing_shows_nothing_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASSWORD", SECRET)
    assert refusal(StrictSettings) == "DB_USER is not set"


def test_settings_that_do_not_fit_together_show_nothing_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASSWORD", SECRET)
    monkeypatch.setenv("DB_USER", "root")
    assert refusal(StrictSettings) == "DB_USER is root: use a user who owns one database"


def test_what_pydantic_itself_says_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASSWORD", SECRET)
    with pytest.raises(ValidationError) as refused:
        StrictSettings()
    assert ("DB_USER" in str(refused.value), SECRET in str(refused.value)) == (True, False)


def test_an_object_of_settings_does_not_print_its_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASSWORD", SECRET)
    assert SECRET not in repr(filled(DoorSettings))
