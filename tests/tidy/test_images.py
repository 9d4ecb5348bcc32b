"""Images hold what they may import, come from one base, and every version is said the same wherever it is said."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOLDS = {
    "queue": {"queue"},
    "output": {"queue", "output"},
    "input": {"queue", "input"},
    "processing": {"queue", "output", "processing"},
    "processing/tasks": {"queue", "output", "input", "processing"},
    "display": {"queue", "output", "display"},
}
"""Stages in each image: its own, and those that it may import (see test_layout.py). One stage has a second image, in
`tasks.Dockerfile`: with the door for points, and without Spark."""


def dockerfile(stage: str) -> str:
    named = ROOT / f"{stage}.Dockerfile"
    return (named if named.exists() else ROOT / stage / "Dockerfile").read_text()


@pytest.mark.parametrize("stage", HOLDS)
def test_an_image_copies_only_the_stages_it_may_import(stage: str) -> None:
    copied = re.findall(r"^COPY (\S+) \S+$", dockerfile(stage), re.M)
    assert {path for path in copied if (ROOT / path / f"pipeline_{path}").is_dir()} == HOLDS[stage]


@pytest.mark.parametrize("stage", HOLDS)
def test_an_image_comes_from_the_one_plain_base(stage: str) -> None:
    assert set(re.findall(r"^FROM (\S+)", dockerfile(stage), re.M)) == {"debian:trixie-slim"}


@pytest.mark.parametrize("stage", HOLDS)
def test_an_image_ends_as_a_user_who_is_not_root(stage: str) -> None:
    assert re.findall(r"^USER (\S+)", dockerfile(stage), re.M)[-1] == "pipeline"


@pytest.mark.parametrize("stage", HOLDS)
def test_an_image_builds_without_an_image_registry(stage: str) -> None:
    assert re.findall(r"^# *syntax|--pull|https?://", dockerfile(stage), re.M) == []


def test_foreign_images_have_one_version_in_compose_laws_and_stand_ins() -> None:
    said = [
        (ROOT / path).read_text()
        for path in ("docker-compose.yml", "tests/real_servers.py", "scripts/offline_images/build.sh")
    ]
    found = [set(re.findall(r"(?:apache/kafka|cassandra):\d+\.\d+\.\d+", text)) for text in said]
    assert found[0] == found[1] == found[2]


def test_stand_ins_hold_the_version_that_they_are_named_for() -> None:
    build = (ROOT / "scripts/offline_images/build.sh").read_text()
    named = dict(re.findall(r"(kafka|cassandra) (?:apache/)?\w+:([\d.]+)", build))
    held = {
        "kafka": pom("scripts/offline_images/kafka", r"<kafka.version>(.*?)<"),
        "cassandra": pom("scripts/offline_images/cassandra", r"cassandra-all</artifactId><version>(.*?)<"),
    }
    assert held == named


def test_the_kafka_connector_is_of_the_pinned_spark() -> None:
    pinned = re.findall(r"^pyspark==(.*)$", (ROOT / "constraints.txt").read_text(), re.M)
    assert [pom("processing", r"<spark.version>(.*?)<")] == pinned


def test_no_pom_names_a_repository() -> None:
    poms = [*ROOT.glob("*/pom.xml"), *ROOT.glob("scripts/offline_images/*/pom.xml")]
    assert [path.name for path in poms if re.search("<(repository|pluginRepository|mirror)>", path.read_text())] == []


def pom(folder: str, pattern: str) -> str:
    found = re.search(pattern, (ROOT / folder / "pom.xml").read_text())
    assert found, f"{folder}/pom.xml lacks {pattern}"
    return found.group(1)
