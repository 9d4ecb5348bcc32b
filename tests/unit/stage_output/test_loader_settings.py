"""Where the loader's database is, as its settings say."""

from __future__ import annotations

import pytest
from loading import NOTE
from pipeline_output.errors import BadDatabaseUrl, TableUnfit
from pipeline_output.loader import open_database
from pipeline_output.loader.event_table import event_table
from pipeline_output.loader.settings import LoaderSettings
from pipeline_queue.service_events import EventType
from pipeline_queue.settings import BadSetting, filled


def test_without_a_word_it_is_the_postgresql_of_this_machine() -> None:
    assert filled(LoaderSettings).url == "postgresql://pipeline@127.0.0.1:5432/pipeline"


def test_parts_make_a_url_in_which_a_password_may_have_any_character(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"DB_HOST": "db", "DB_PORT": "6000", "DB_PASSWORD": "p@s/:w", "DB_NAME": "a b"}.items():
        monkeypatch.setenv(name, value)
    assert filled(LoaderSettings).url == "postgresql://pipeline:p%40s%2F%3Aw@db:6000/a%20b"


def test_a_whole_url_goes_before_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:///data/events.db")
    monkeypatch.setenv("DB_HOST", "db")
    assert filled(LoaderSettings).url == "sqlite:///data/events.db"


def test_a_password_is_not_shown() -> None:
    settings = filled(LoaderSettings, database_password="secret", database_url="postgresql://a:secret@b/c")
    assert "secret" not in repr(settings)


def test_a_misspelt_setting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_LOAD_INTERVALL", "3")
    with pytest.raises(BadSetting, match="DB_LOAD_INTERVALL is no setting; did you mean DB_LOAD_INTERVAL"):
        filled(LoaderSettings)


def test_every_setting_says_what_it_is() -> None:
    assert [name for name, field in LoaderSettings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize("url", ["mysql://here/db", "sqlite://relative", "sqlite:///a?b=c", "nothing"])
def test_a_url_of_no_known_form_is_refused_with_those_there_are(url: str) -> None:
    with pytest.raises(BadDatabaseUrl, match="use `postgresql://"):
        open_database(url)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://me:secret@here/db",
        "postgresql://me:sec/ret@here/db",
        "postgresql://me:ret@x@here/db",
        "postgresql://me:ret@here:p/db",
        "postgresql://me:s[ret@here/db",
        "postgresql://here:port/db?password=secret",
        "host=here user=me password=secret",
    ],
)
def test_a_url_that_is_refused_does_not_show_its_password(url: str) -> None:
    with pytest.raises(BadDatabaseUrl) as refused:
        open_database(url)
    assert "ret" not in str(refused.value).replace("secret", "ret").partition(";")[0]


def test_a_type_may_not_be_called_as_a_table_of_the_loaders_own() -> None:
    with pytest.raises(TableUnfit, match="`load_offsets`"):
        event_table(type("Taken", (EventType,), {"name": "load_offsets", "doc": "d"}))


def test_a_table_has_the_key_and_what_every_event_has_before_the_types_own_fields() -> None:
    assert NOTE.names == ("client", "event_id", "time_ns", "user_id", "timestamp", "size", "order")


def test_a_url_under_nearly_its_name_is_refused_unless_the_url_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URLL", "sqlite:///other.db")
    with pytest.raises(BadSetting, match="DATABASE_URLL is no setting; did you mean DATABASE_URL"):
        filled(LoaderSettings)
    monkeypatch.setenv("DATABASE_URL", "sqlite:///events.db")
    assert filled(LoaderSettings).url == "sqlite:///events.db"
