"""Settings from the environment and from files: who goes before whom, what a name may be, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import pytest
from pipeline_queue import setting_places
from pipeline_queue.settings import BadSetting, Held, ServiceSettings, filled, held
from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import SettingsConfigDict

PORT = AliasChoices("DOOR_PORT", "DEFAULT_DOOR_PORT", "PORT")
PASSWORD = AliasChoices("DOOR_PASSWORD", "DB_PASSWORD")


class DoorSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="DOOR_")

    port: Annotated[int, Field(validation_alias=PORT, ge=1, le=65535)] = 8080
    is_open: Annotated[bool, Field(validation_alias="DOOR_IS_OPEN")] = False
    password: Annotated[SecretStr | None, Field(validation_alias=PASSWORD, min_length=6)] = None


class GuestSettings(ServiceSettings):
    user: Annotated[str, Field(validation_alias="DB_USER")] = "nobody"


class SeekingSettings(ServiceSettings):
    queue_url: Annotated[str | None, Field(validation_alias="QUEUE_URL")] = None


class Files:
    """The two files that settings may come from, neither of them there yet."""

    def __init__(self, folder: Path) -> None:
        self.system, self.named = folder / "system.json", folder / "named.json"

    def system_holds(self, **settings: object) -> None:
        self.system.write_text(json.dumps(settings))

    def named_holds(self, **settings: object) -> None:
        self.named.write_text(json.dumps(settings))


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    made = Files(tmp_path)
    monkeypatch.setattr(setting_places, "SYSTEM_FILE", made.system)
    return made


@pytest.fixture
def named(files: Files, monkeypatch: pytest.MonkeyPatch) -> Files:
    """Those files, with $DATAPIPE_CNF set."""
    monkeypatch.setenv("DATAPIPE_CNF", str(files.named))
    return files


def refusal(settings: type[ServiceSettings] = DoorSettings, **given: object) -> str:
    with pytest.raises(BadSetting) as refused:
        filled(settings, **given)
    return str(refused.value)


def origin(name: str, **given: object) -> str:
    return next(each.origin for each in held(DoorSettings, **given) if each.name == name)


def test_the_command_line_goes_before_the_environment_the_named_file_the_system_file_and_the_default(
    named: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    named.named_holds()
    seen = [filled(DoorSettings).port]
    named.system_holds(DOOR_PORT=1)
    seen.append(filled(DoorSettings).port)
    named.named_holds(DOOR_PORT=2)
    seen.append(filled(DoorSettings).port)
    monkeypatch.setenv("DOOR_PORT", "3")
    seen += [filled(DoorSettings).port, filled(DoorSettings, port=4).port]
    assert seen == [8080, 1, 2, 3, 4]


def test_each_value_says_which_place_it_is_from(named: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    named.system_holds(QUEUE_URL="memory://s", DOOR_PORT=1)
    named.named_holds(durability="disk", DOOR_PORT=2)
    monkeypatch.setenv("health_port", "8090")
    assert held(DoorSettings, port=4) == [
        Held(name="QUEUE_URL", value="memory://s", origin=f"file {named.system}"),
        Held(name="DURABILITY", value="disk", origin=f"file {named.named}"),
        Held(name="HEALTH_PORT", value=8090, origin="environment health_port"),
        Held(name="HEALTH_HOST", value="127.0.0.1", origin="default"),
        Held(name="LEDGER_DIR", value=None, origin="default"),
        Held(name="DOOR_PORT", value=4, origin="command line"),
        Held(name="DOOR_IS_OPEN", value=False, origin="default"),
        Held(name="DOOR_PASSWORD", value=None, origin="default"),
    ]


def test_a_name_may_be_in_any_case(named: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    named.named_holds(door_Is_Open=True)
    monkeypatch.setenv("door_port", "3")
    settings = filled(DoorSettings)
    assert (settings.port, settings.is_open) == (3, True)


@pytest.mark.parametrize("name", ["DEFAULT_DOOR_PORT", "PORT", "port"])
def test_an_old_name_fills_and_is_told_as_what_it_is_now(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "3")
    assert (filled(DoorSettings).port, origin("DOOR_PORT")) == (3, f"environment {name}")


def test_the_attribute_of_a_setting_is_no_name_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER", "root")
    assert filled(GuestSettings).user == "nobody"


def test_two_cases_of_a_name_that_differ_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOOR_PORT", "1")
    monkeypatch.setenv("door_port", "2")
    assert refusal() == "DOOR_PORT is '1' and door_port is '2', but they are one setting; leave one of them out"


def test_two_names_of_a_setting_that_differ_are_refused_and_those_that_agree_are_not(named: Files) -> None:
    named.named_holds(PORT=1, DOOR_PORT=1)
    assert filled(DoorSettings).port == 1
    named.named_holds(PORT=1, DOOR_PORT=2)
    assert (
        refusal() == f"DOOR_PORT is 2 and PORT in `{named.named}` is 1, but they are one setting; leave one of them out"
    )


def test_an_old_name_in_the_environment_goes_before_the_new_one_in_a_file(
    named: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    named.named_holds(DOOR_PORT=1)
    monkeypatch.setenv("PORT", "2")
    assert filled(DoorSettings).port == 2


def test_a_wrong_value_is_refused_under_the_name_that_was_used_and_with_its_place(
    named: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    named.named_holds(port=0)
    assert refusal() == f"port in `{named.named}` is 0: input should be greater than or equal to 1"
    monkeypatch.setenv("DEFAULT_DOOR_PORT", "0")
    assert refusal() == "DEFAULT_DOOR_PORT is '0': input should be greater than or equal to 1"
    assert refusal(port=99_999) == "port is 99999: input should be less than or equal to 65535"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (True, "is True: input should be a valid integer"),
        (None, "is None: input should be a valid integer"),
        (80.5, "is 80.5: input should be a valid integer, got a number with a fractional part"),
        ("eighty", "is 'eighty': input should be a valid integer, unable to parse string as an integer"),
        ([80], "is [80]: input should be a valid integer"),
    ],
)
def test_a_wrong_type_in_a_file_is_refused(named: Files, value: object, said: str) -> None:
    named.named_holds(DOOR_PORT=value)
    assert refusal() == f"DOOR_PORT in `{named.named}` {said}"


def test_a_name_of_another_service_may_be_in_a_file(named: Files) -> None:
    named.named_holds(RANDOM_NUMBERS_RATE="any", display_port=9)
    assert filled(DoorSettings).port == 8080


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("DISPLAY_PROT", "of any service; did you mean DISPLAY_PORT?"),
        ("door_porch", "of any service; did you mean DOOR_PORT?"),
        ("x", "of any service; docs/settings.md has them all"),
        ("mq_host", "any more: QUEUE_URL says where the queue is"),
    ],
)
def test_a_name_of_no_service_in_a_file_is_refused_without_its_value(named: Files, name: str, said: str) -> None:
    named.named_holds(**{name: "hunter2"})
    assert refusal() == f"{name} in `{named.named}` is no setting {said}"


def test_a_name_on_the_command_line_that_is_no_setting_is_refused() -> None:
    assert refusal(prot=1) == "prot is no setting of DoorSettings"


def test_a_misspelt_variable_in_lower_case_is_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("door_prot", "7")
    assert refusal() == "door_prot is no setting; did you mean DOOR_PORT?"


@pytest.mark.parametrize("name", ["DURABILITYY", "DURABILIT", "URABILITY", "DURABILITI", "DURAIBLITY", "durability_"])
def test_a_variable_one_letter_beside_a_setting_that_nobody_gives_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "disk")
    meant = "did you mean DURABILITY? Where it is another program's, set DURABILITY too"
    assert refusal() == f"{name} is no setting; {meant}"


@pytest.mark.parametrize("name", ["DURABLE", "DURABILITIES", "MY_DURABILITY", "PORTS", "EVENTS_PORT"])
def test_a_variable_further_away_or_beside_a_short_name_is_another_programs(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "disk")
    assert filled(DoorSettings).durability == "process"


def test_a_setting_that_is_given_excuses_what_resembles_it(named: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    named.named_holds()
    for name in ("DURABILITYY", "QUEUE_URI", "MQ_HOST"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("durability", "disk")
    assert filled(DoorSettings, queue_url="sqlite:///queue").queue_url == "sqlite:///queue"
    named.named_holds(queue_url="sqlite:///other")
    assert (filled(DoorSettings).queue_url, origin("QUEUE_URL")) == ("sqlite:///other", f"file {named.named}")


@pytest.mark.parametrize("name", ["MQ_HOST", "mq_project_id"])
def test_where_the_old_queue_was_is_refused_by_a_service_that_would_take_the_default(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "mq.example")
    assert refusal() == f"{name} is no setting any more: QUEUE_URL says where the queue is"
    assert filled(SeekingSettings).queue_url is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not JSON: Expecting value: line 1 column 1 (char 0)"),
        (b'{"DOOR_PORT": 1', "is not JSON: Expecting ',' delimiter: line 1 column 16 (char 15)"),
        (b'{"DOOR_PORT": NaN}', "is not JSON: NaN is no number there"),
        (
            b'{"DOOR_PORT": "\xff"}',
            "is not JSON: 'utf-8' codec can't decode byte 0xff in position 15: invalid start byte",
        ),
        (b"[1]", "is not one JSON object, with names of settings and their values"),
        (b'{"DOOR_PORT": 1, "door_port": 1}', "has one name twice, as DOOR_PORT and as door_port"),
        (b'{"PORT": 1, "PORT": 2}', "has one name twice, as PORT and as PORT"),
    ],
)
def test_a_file_that_is_no_object_of_settings_is_refused_with_the_reason(
    named: Files, content: bytes, said: str
) -> None:
    named.named.write_bytes(content)
    assert refusal() == f"`{named.named}` {said}"


def test_a_named_file_that_is_missing_is_refused(named: Files) -> None:
    assert refusal() == f"`{named.named}` cannot be read: No such file or directory"


def test_the_variable_of_the_file_may_be_empty_or_in_lower_case(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATAPIPE_CNF", "")
    assert filled(DoorSettings).port == 8080
    files.named_holds(PORT=3)
    monkeypatch.setenv("datapipe_CNF", str(files.named))
    assert filled(DoorSettings).port == 3


def test_two_named_files_are_refused(named: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("datapipe_cnf", "z")
    assert refusal() == f"DATAPIPE_CNF names {named.named} and z; leave one of them out"


def test_a_system_file_that_cannot_be_read_is_refused(files: Files) -> None:
    files.system.mkdir()
    assert refusal() == f"`{files.system}` cannot be read: Is a directory"
