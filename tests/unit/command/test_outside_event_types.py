"""An event type of a package outside: what docs/events.md says is put into a package, installed beside the pipeline, and followed to its row."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from collector_at_hand import Protocol, collector, done
from loading import opened, rows
from pipeline_cli.reference import topics_page
from pipeline_input.collector.openapi import document
from pipeline_input.collector.settings import CollectorSettings
from pipeline_output.loader.event_table import event_table
from pipeline_output.loader.turn import take_turn
from pipeline_queue import catalog
from pipeline_queue.service_events import event_types

GUIDE = (Path(__file__).parents[3] / "docs/events.md").read_text()
PACKAGE = "my_package"
SENT = {"event_name": "level_done", "user_id": 8, "timestamp": 1, "level": "a,b\n", "seconds": 86_400}


def fenced(language: str, holds: str) -> str:
    """The guide's piece of that language that holds this."""
    (found,) = (each for each in re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL) if holds in each)
    return found


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package, as an installer leaves it."""
    (group, points) = next(iter(tomllib.loads(fenced("toml", "entry-points"))["project"]["entry-points"].items()))
    package, about = tmp_path / PACKAGE, tmp_path / f"{PACKAGE}-1.0.dist-info"
    for folder in (package, about):
        folder.mkdir()
    (package / "events.py").write_text(fenced("python", "EventType"))
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[{group}]\n" + "".join(f"{name} = {at}\n" for name, at in points.items()))
    monkeypatch.syspath_prepend(tmp_path)
    forget()
    yield
    forget()


def forget() -> None:
    """What the process knows of packages."""
    event_types.cache_clear()
    catalog.topics.cache_clear()
    for name in [each for each in sys.modules if each.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


def test_it_has_a_topic_that_the_reference_shows() -> None:
    names = [column.name for column in catalog.topic("events-level-done").own_columns]
    assert names == ["client", "user_id", "timestamp", "level", "seconds"]
    assert "\n## events-level-done\n\nA player finished a level. Key `producer`" in topics_page()


def test_openapi_tells_its_fields_and_their_limits() -> None:
    told = document(event_types(), CollectorSettings())["components"]["schemas"]
    seconds = told["level_done"]["properties"]["seconds"]
    assert told["level_done"]["required"] == ["event_name", "user_id", "timestamp", "level", "seconds"]
    assert (seconds["type"], seconds["minimum"], seconds["maximum"]) == ("integer", 0, 86_400)
    assert {"$ref": "#/components/schemas/level_done"} in told["Event"]["oneOf"]


def test_it_is_checked_at_the_door_and_has_a_table_with_what_was_accepted(tmp_path: Path) -> None:
    url, table = f"sqlite://{tmp_path}/events.db", event_table(event_types()["level_done"])

    async def run() -> list[Protocol]:
        with collector() as here:
            sent = (SENT, SENT | {"seconds": 86_401}, {**SENT, "level": 1})
            replies = [await here.ask("/", each) for each in sent]
            with closing(opened(here.broker, url, [table])) as loading:
                take_turn(loading, table)
            return replies

    assert [reply.told["status_code"] for reply in done(run())] == [0, 5, 5]
    assert [row[-4:] for row in rows(url, table)] == [(8, 1, "a,b\n", 86_400)]
