"""What is written from the declarations: docs/topics.md, docs/settings.md, docs/operators.md, and the names that a file of settings may hold.

`python -m pipeline_cli.reference` writes all four; a test holds that what is written is what is declared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from inspect import get_annotations
from pathlib import Path

from pipeline_queue.catalog import topics
from pipeline_queue.setting_places import all_names_of, is_secret, names_of
from pipeline_queue.settings import ServiceSettings
from pipeline_queue.topics import (
    AGE_S_MAX,
    AHEAD_S_MAX,
    BLOCK_BYTES_MAX,
    EVENT_BYTES_MAX,
    EVENTS_PER_BLOCK_MAX,
    Column,
    Topic,
)
from pydantic.fields import FieldInfo

from pipeline_cli.operators_reference import operators_page
from pipeline_cli.services import services

DOCS = Path("docs")
SETTING_NAMES = Path("queue/pipeline_queue/setting_names.py")
SETTING_NAMES_HEAD = '''"""The name of every setting of every service, old names too: what a file for all of them may hold.

Written from the settings classes by `python -m pipeline_cli.reference`: a service cannot ask those of other stages.
"""

'''


def topics_page() -> str:
    """docs/topics.md: every topic with its columns."""
    return "\n".join(_topics_lines()) + "\n"


def settings_page() -> str:
    """docs/settings.md: every source and job, and every service's settings."""
    return "\n".join(_settings_lines()) + "\n"


def setting_row(field: FieldInfo) -> str:
    """A setting in a table of docs/settings.md."""
    return f"| `{names_of(field)[0]}` | {_default(field)} | {_what_it_is(field)} |"


def setting_names_module() -> str:
    """queue/pipeline_queue/setting_names.py: every name of every service's settings."""
    fields = (field for each in services().values() for field in each.settings.model_fields.values())
    names = sorted({name for field in fields for name in all_names_of(field)})
    return SETTING_NAMES_HEAD + "SETTING_NAMES = (\n" + "".join(f'    "{name}",\n' for name in names) + ")\n"


def main() -> None:
    (DOCS / "topics.md").write_text(topics_page())
    (DOCS / "settings.md").write_text(settings_page())
    (DOCS / "operators.md").write_text(operators_page())
    SETTING_NAMES.write_text(setting_names_module())


def _topics_lines() -> Iterator[str]:
    yield "# Topics"
    yield ""
    yield "Written from `pipeline_queue.topics` and the event types by `python -m pipeline_cli.reference`."
    yield ""
    yield f"A block holds at most {EVENTS_PER_BLOCK_MAX:,} events and {BLOCK_BYTES_MAX:,} bytes, an event at most {EVENT_BYTES_MAX:,} bytes. An event dated"
    yield f"more than {AHEAD_S_MAX} s ahead of its append or more than {AGE_S_MAX // 86400} days before it goes to the dead letters,"
    yield "where the topic does not take any time."
    for topic in topics().values():
        yield f"\n## {topic.name}\n"
        if topic.raw:
            yield f"{topic.doc}. Kept {topic.kept}, partitions: {topic.partitions}."
            continue
        yield f"{topic.doc}. Key `{topic.key}`, partitions: {topic.partitions}, kept {topic.kept}, late after {topic.lateness_s} s{_any_time(topic)}."
        yield ""
        yield "| column | kind | unit | limits | what it is |"
        yield "|---|---|---|---|---|"
        for column in topic.columns:
            yield f"| `{column.name}` | {column.kind}{', tag' if column.tag else ''} | {column.unit} | {_limits(column)} | {column.doc} |"


def _any_time(topic: Topic) -> str:
    return ", any time is taken" if topic.takes_any_time else ""


def _limits(column: Column) -> str:
    if column.low is None and column.high is None:
        return ""
    return f"{'' if column.low is None else column.low} … {'' if column.high is None else column.high}"


def _settings_lines() -> Iterator[str]:
    from pipeline_input.sources import SOURCES
    from pipeline_processing.jobs import JOBS, BatchJob

    yield "# Sources, jobs and settings"
    yield ""
    yield "Written from the declarations by `python -m pipeline_cli.reference`. Settings come from the command line, the environment and"
    yield "files, as [operating.md](operating.md) says; a wrong value is refused at start. `pipeline config` shows what holds."
    yield "\n## Sources\n"
    for each in SOURCES.values():
        names = " and ".join(f"`{topic.name}`" for topic in each.topics)
        yield f"- `{each.name}`: {each.title}, on the topic{'s' if len(each.topics) > 1 else ''} {names}"
    yield "\n## Jobs\n"
    for each in JOBS.values():
        yield f"- `{each.name}`, {'batch' if isinstance(each, BatchJob) else 'streaming'}: {each.title}"
    yield from _of_fields("Every service", ServiceSettings.model_fields.values())
    for each in services().values():
        if own := _own_fields(each.settings):
            yield from _of_fields(each.title, own)


def _own_fields(settings: type[ServiceSettings]) -> list[FieldInfo]:
    """Those that are declared below ServiceSettings."""
    classes = settings.__mro__[: settings.__mro__.index(ServiceSettings)]
    names = {name for each in classes for name in get_annotations(each)}
    return [field for name, field in settings.model_fields.items() if name in names]


def _of_fields(title: str, fields: Iterable[FieldInfo]) -> Iterator[str]:
    yield f"\n## {title}\n"
    yield "| variable | default | what it is |"
    yield "|---|---|---|"
    yield from map(setting_row, fields)


def _default(field: FieldInfo) -> str:
    unset = field.is_required() or field.default_factory or field.default is None or is_secret(field)
    return "unset" if unset else f"`{field.default}`"


def _what_it_is(field: FieldInfo) -> str:
    name, *old = names_of(field)
    said = [" ".join((field.description or "").split()).replace("|", "\\|")]
    if old:
        said.append(f"Old name{'s' if len(old) > 1 else ''}: {', '.join(f'`{each}`' for each in old)}.")
    if is_secret(field):
        said.append(f"A secret: `{name}_FILE` may name a file that holds it.")
    return " ".join(said)


if __name__ == "__main__":
    main()
