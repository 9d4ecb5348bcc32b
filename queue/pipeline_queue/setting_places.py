"""Places that settings come from: the environment, then JSON files; names in any case.

In:      the environment; the file that $DATAPIPE_CNF names, if it names one; SYSTEM_FILE, if it is there. A file holds one
         object for all services of a machine.
Out:     what each place says of a settings class, under each field's first name.
Refuses: a file that cannot be read, is no JSON or no object; one setting twice in a place, unless both say the same; a name
         that is no setting: in a file of any service, in the environment under the class's own prefix, and also one that is
         nearly a setting's, or was one, where the setting itself is not given.
A secret may lie in a file of its own, which NAME_FILE names. No refusal shows what it is.
"""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any, get_args

from pydantic import AliasChoices, SecretStr, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from pipeline_queue.errors import BadSetting
from pipeline_queue.setting_names import SETTING_NAMES

FILE_VARIABLE = "DATAPIPE_CNF"
SYSTEM_FILE = Path("/etc/datapipe.json")
HIDDEN = "********"
NEAR_LENGTH_MIN = 9
"""Shorter names of settings resemble too many of other programs'."""
OLD_QUEUE = {
    "MQ_HOST": "QUEUE_URL says where the queue is",
    "MQ_PROJECT_ID": "QUEUE_URL says where the queue is",
    "MQ_TOKEN": "QUEUE_URL says where the queue is, and it asks for no token",
}
GONE = OLD_QUEUE | {"ENCODING_SCHEME": "all text is UTF-8"}
"""Names that older files hold, and what became of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """What a place says of one setting: the name that it uses, and the value."""

    name: str
    value: Any


class Place(PydanticBaseSettingsSource):
    """One place; without a path it is the environment."""

    def __init__(self, settings: type[BaseSettings], given: Mapping[str, Any], path: Path | None = None) -> None:
        super().__init__(settings)
        self._given = given
        self._path = path

    def __call__(self) -> dict[str, Any]:
        fields = self.settings_cls.model_fields.values()
        return {names_of(field)[0]: met.value for field in fields if (met := self.met(field))}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        met = self.met(field)
        return met.value if met else None, names_of(field)[0], False

    def met(self, field: FieldInfo) -> Met | None:
        """What is said of the field, if anything."""
        known = all_names_of(field)
        names = [name for each in known for name in self._given if name.upper() == each]
        if not names:
            return None
        for other in names[1:]:
            self._refuse_difference(field, names[0], other)
        return Met(name=names[0], value=self._value(field, names[0]))

    def spelt(self, name: str) -> str:
        """The name as a refusal says it."""
        return f"{name} in `{self._path}`" if self._path else name

    def origin(self, name: str) -> str:
        """Where a value comes from that is there under the name."""
        return f"file {self._path}" if self._path else f"environment {name}"

    def _refuse_difference(self, field: FieldInfo, name: str, other: str) -> None:
        value, different = self._given[name], self._given[other]
        if (name.upper() in names_of(field)) != (other.upper() in names_of(field)):
            raise BadSetting(f"{name} and {self.spelt(other)} are both given; leave one of them out")
        if value != different:
            raise BadSetting(
                f"{name} is {shown(field, value)} and {self.spelt(other)} is {shown(field, different)}, "
                "but they are one setting; leave one of them out"
            )

    def _value(self, field: FieldInfo, name: str) -> Any:
        value = self._given[name]
        if name.upper() not in names_of(field):
            return _secret_in(value, self.spelt(name))
        if isinstance(value, bool):
            self._refuse_truth(field, name, value)
        return value

    def _refuse_truth(self, field: FieldInfo, name: str, value: bool) -> None:
        """JSON's `true` would pass for the number 1."""
        try:
            TypeAdapter(field.annotation).validate_python(value, strict=True)
        except ValidationError as error:
            said = error.errors()[0]["msg"]
            raise BadSetting(f"{self.spelt(name)} is {shown(field, value)}: {said[0].lower()}{said[1:]}") from None


def places(settings: type[BaseSettings]) -> tuple[Place, ...]:
    """All places, the one that goes before the others first."""
    own = tuple(name for field in settings.model_fields.values() for name in all_names_of(field))
    _refuse_misspelt(os.environ, own, prefix=settings.model_config.get("env_prefix") or "")
    files = [Place(settings, _read(path, {*own, *SETTING_NAMES}), path) for path in _files(os.environ)]
    return Place(settings, os.environ), *files


def refuse_unheard(settings: type[BaseSettings], asked: Sequence[Place], said: Collection[str]) -> None:
    """Raises BadSetting for a variable that would have no effect though it seems meant: see the module.

    Other programs have variables too. What is `said` on the command line, or by a place, excuses all that resembles it.
    """
    fields = settings.model_fields
    known = {*SETTING_NAMES, *(name for field in fields.values() for name in all_names_of(field))}
    strange = sorted(name for name in os.environ if name.upper() not in known)
    for name, field in fields.items():
        if not {name, *names_of(field)} & {*said} and not any(place.met(field) for place in asked):
            _refuse_gone(strange, field)
            _refuse_near(strange, field)


def names_of(field: FieldInfo) -> tuple[str, ...]:
    """The field's name and its old ones."""
    alias = field.validation_alias
    return tuple(str(each) for each in alias.choices) if isinstance(alias, AliasChoices) else (str(alias),)


def all_names_of(field: FieldInfo) -> tuple[str, ...]:
    """Those too that say in which file a secret lies."""
    names = names_of(field)
    return (*names, *(f"{name}_FILE" for name in names)) if is_secret(field) else names


def is_secret(field: FieldInfo) -> bool:
    return SecretStr in (field.annotation, *get_args(field.annotation))


def shown(field: FieldInfo, value: object) -> str:
    """The value as a refusal says it."""
    return HIDDEN if is_secret(field) else repr(value)


def _refuse_misspelt(environment: Collection[str], known: Collection[str], *, prefix: str) -> None:
    ours = [name for name in known if name.startswith(prefix)]
    for name in sorted(environment):
        is_known = name.upper() in known or name.upper() in SETTING_NAMES  # another service's may have the same prefix
        if prefix and name.upper().startswith(prefix) and not is_known:
            hint = _nearest(name, known) or f"; there are {', '.join(ours)}"
            raise BadSetting(f"{name} is no setting{hint}")


def _refuse_gone(strange: Iterable[str], field: FieldInfo) -> None:
    """A service without QUEUE_URL would take the default for what MQ_HOST says; who has no default looks for the queue itself."""
    if "QUEUE_URL" in names_of(field) and field.default is not None:
        for name in strange:
            if name.upper() in OLD_QUEUE:
                raise BadSetting(f"{name} is no setting {_way_out(name, ())}")


def _refuse_near(strange: Iterable[str], field: FieldInfo) -> None:
    meant = [name for name in all_names_of(field) if len(name) >= NEAR_LENGTH_MIN]
    for name in strange:
        for each in meant:
            if _is_near(name.upper(), each):
                raise BadSetting(
                    f"{name} is no setting; did you mean {each}? Where it is another program's, set {each} too"
                )


def _is_near(name: str, meant: str) -> bool:
    """One letter too many, too few or another, or two that changed places."""
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(name, meant, strict=False)))
    rest, wanted = name[same:], meant[same:]
    swapped = wanted[1:2] + wanted[:1] + wanted[2:]
    return rest in (wanted[1:], swapped) or rest[1:] in (wanted, wanted[1:])


def _nearest(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name.upper(), sorted(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _files(environment: Mapping[str, str]) -> Iterator[Path]:
    named = {value for name, value in environment.items() if name.upper() == FILE_VARIABLE and value}
    if len(named) > 1:
        raise BadSetting(f"{FILE_VARIABLE} names {' and '.join(sorted(named))}; leave one of them out")
    yield from map(Path, named)
    if os.path.lexists(SYSTEM_FILE):
        yield SYSTEM_FILE


def _read(path: Path, known: Collection[str]) -> dict[str, Any]:
    """The file's object; raises BadSetting."""
    try:
        found = json.loads(_text(path), object_pairs_hook=partial(_once, path), parse_constant=_refuse_constant)
    except ValueError as cause:
        raise BadSetting(f"`{path}` is not JSON: {cause}") from None
    if not isinstance(found, dict):
        raise BadSetting(f"`{path}` is not one JSON object, with names of settings and their values")
    for name in found:
        if name.upper() not in known:
            raise BadSetting(f"{name} in `{path}` is no setting {_way_out(name, known)}")
    return found


def _way_out(name: str, known: Collection[str]) -> str:
    gone = GONE.get(name.upper())
    return (
        f"any more: {gone}" if gone else f"of any service{_nearest(name, known) or '; docs/settings.md has them all'}"
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as cause:
        raise BadSetting(f"`{path}` cannot be read: {cause.strerror}") from None


def _once(path: Path, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, str] = {}
    for name, _ in pairs:
        if name.upper() in found:
            raise BadSetting(f"`{path}` has one name twice, as {found[name.upper()]} and as {name}")
        found[name.upper()] = name
    return dict(pairs)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number there")


def _secret_in(path: object, spelt: str) -> str:
    """What the file holds, without the end of its line."""
    if not isinstance(path, str):
        raise BadSetting(f"{spelt} is {path!r}: input should be the path of a file")
    try:
        return Path(path).read_text(encoding="utf-8").removesuffix("\n")
    except OSError as cause:
        raise BadSetting(f"{spelt} is {path!r}, which cannot be read: {cause.strerror}") from None
    except UnicodeDecodeError:
        raise BadSetting(f"{spelt} is {path!r}, which is not UTF-8") from None
