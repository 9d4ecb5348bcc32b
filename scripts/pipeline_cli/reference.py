"""The reference pages, written from the declarations: docs/topics.md and docs/settings.md.

`python -m pipeline_cli.reference` writes them; a test holds that what is written is what is declared.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline_queue.settings import ServiceSettings
from pipeline_queue.topics import (
    AGE_S_MAX,
    AHEAD_S_MAX,
    BLOCK_BYTES_MAX,
    EVENT_BYTES_MAX,
    EVENTS_PER_BLOCK_MAX,
    TOPICS,
    Column,
)

DOCS = Path("docs")


def topics_page() -> str:
    """docs/topics.md: every topic with its columns."""
    return "\n".join(_topics_lines()) + "\n"


def settings_page() -> str:
    """docs/settings.md: every source and job, and every service's settings."""
    return "\n".join(_settings_lines()) + "\n"


def main() -> None:
    (DOCS / "topics.md").write_text(topics_page())
    (DOCS / "settings.md").write_text(settings_page())


def _topics_lines() -> Iterator[str]:
    yield "# Topics"
    yield ""
    yield "Written from `pipeline_queue.topics` by `python -m pipeline_cli.reference`."
    yield ""
    yield f"A block holds at most {EVENTS_PER_BLOCK_MAX:,} events and {BLOCK_BYTES_MAX:,} bytes, an event at most {EVENT_BYTES_MAX:,} bytes. An event dated"
    yield f"more than {AHEAD_S_MAX} s ahead of its append or more than {AGE_S_MAX // 86400} days before it goes to the dead letters."
    for topic in TOPICS.values():
        yield f"\n## {topic.name}\n"
        if topic.raw:
            yield f"{topic.doc}. Kept {topic.retention_s / 3600:g} h, partitions: {topic.partitions}."
            continue
        yield f"{topic.doc}. Key `{topic.key}`, partitions: {topic.partitions}, kept {topic.retention_s / 3600:g} h, late after {topic.lateness_s} s."
        yield ""
        yield "| column | kind | unit | limits | what it is |"
        yield "|---|---|---|---|---|"
        for column in topic.columns:
            yield f"| `{column.name}` | {column.kind}{', tag' if column.tag else ''} | {column.unit} | {_limits(column)} | {column.doc} |"


def _limits(column: Column) -> str:
    if column.low is None and column.high is None:
        return ""
    return f"{'' if column.low is None else column.low} … {'' if column.high is None else column.high}"


def _settings_lines() -> Iterator[str]:
    from pipeline_display.settings import DisplaySettings
    from pipeline_input.sources import SOURCES
    from pipeline_processing.jobs import JOBS
    from pipeline_processing.settings import ProcessingSettings

    yield "# Sources, jobs and settings"
    yield ""
    yield "Written from the declarations by `python -m pipeline_cli.reference`. Settings come from the environment; a wrong value is refused at start."
    yield "\n## Sources\n"
    yield from (f"- `{each.name}`: {each.title}, on the topic `{each.topic.name}`" for each in SOURCES.values())
    yield "\n## Jobs\n"
    yield from (f"- `{each.name}`: {each.title}" for each in JOBS.values())
    yield from _of_class("Every service", ServiceSettings, inherited=False)
    for source in SOURCES.values():
        yield from _of_class(f"`pipeline produce {source.name}`", source.settings)
    yield from _of_class("`pipeline process`", ProcessingSettings)
    yield from _of_class("`pipeline serve`", DisplaySettings)


def _of_class(title: str, settings: type[ServiceSettings], *, inherited: bool = True) -> Iterator[str]:
    yield f"\n## {title}\n"
    yield "| variable | default | what it is |"
    yield "|---|---|---|"
    shared = set(ServiceSettings.model_fields) if inherited else set()
    for name, field in settings.model_fields.items():
        if name not in shared:
            text = " ".join((field.description or "").split()).replace("|", "\\|")
            default = "unset" if field.default_factory or field.default is None else f"`{field.default}`"
            yield f"| `{field.validation_alias}` | {default} | {text} |"


if __name__ == "__main__":
    main()
