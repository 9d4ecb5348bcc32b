"""`pipeline task run` and `pipeline task test` over files."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest
from click.testing import Result
from pipeline_cli.main import app
from typer.testing import CliRunner

DOCUMENT = Path(__file__).parents[3] / "docs/tasks-testing.md"
SCRIPT = """
stream
    |from().measurement('cpu').groupBy('host')
    |alert().id('cpu:{{ .Group }}').message('{{ .ID }} is {{ .Level }}').crit(lambda: "usage" > 90.0).stateChangesOnly().topic('t')
    |httpOut('usage')
"""
POINTS = "cpu,host=a usage=95 1\ncpu,host=a usage=97 2\ncpu,host=a usage=10 3\n"
TEST = (
    DOCUMENT.read_text()
    .split("stands beside `cpu.tick`:\n\n")[1]
    .split("    pipeline task test")[0]
    .replace("\n    ", "\n")[4:]
)


def task(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["task", *map(str, arguments)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cpu.tick").write_text(SCRIPT)
    (tmp_path / "cpu.test").write_text(TEST)
    return tmp_path


@pytest.mark.parametrize("name", ["a.lp", "a.txt.gz", "a.srpl"])
def test_a_run_prints_each_alert_and_what_the_outputs_hold(folder: Path, name: str) -> None:
    path = folder / name
    lines = (
        "".join(f"telegraf\nautogen\n{line}\n" for line in POINTS.split("\n") if line) if ".srpl" in name else POINTS
    )
    path.write_bytes(gzip.compress(lines.encode()) if ".gz" in name else lines.encode())
    done = task("run", folder / "cpu.tick", "--data", path, "--precision", "s")
    told = [json.loads(each) for each in done.stdout.splitlines()]
    assert (done.exit_code, done.stderr) == (0, "")
    assert [(each["alert"], each["level"], each["time"]) for each in told[:-1]] == [
        ("alert2", "CRITICAL", "1970-01-01T00:00:01Z"),
        ("alert2", "OK", "1970-01-01T00:00:03Z"),
    ]
    series = {
        "name": "cpu",
        "tags": {"host": "a"},
        "columns": ["time", "usage"],
        "values": [["1970-01-01T00:00:03Z", 10]],
    }
    assert told[-1] == {"httpOut": "usage", "series": [series]}


def test_what_points_lack_is_counted_with_the_reason(folder: Path) -> None:
    (folder / "a.lp").write_text("cpu,host=a other=1 1\n")
    done = task("run", folder / "cpu.tick", "--data", folder / "a.lp")
    assert done.exit_code == 0
    assert re.fullmatch(r"alert2: 1 × crit: .*missing.*\n", done.stderr)


@pytest.mark.parametrize(
    ("named", "said", "found"),
    [
        ("", [], 3),
        ("", ["--dbrp", "telegraf.autogen"], 3),
        ("", ["--dbrp", "other.autogen"], 0),
        ('dbrp "telegraf"."autogen"\n', [], 3),
        ('dbrp "other"."autogen"\n', [], 0),
        ('dbrp "other"."autogen"\n', ["--dbrp", "telegraf.autogen"], 3),
    ],
)
def test_a_task_reads_what_is_said_else_what_its_script_names_else_all(
    folder: Path, named: str, said: list[str], found: int
) -> None:
    (folder / "a.tick").write_text(f"{named}stream|from()|httpOut('n')")
    (folder / "a.srpl").write_text("".join(f"telegraf\nautogen\nm,n={at} v=1 {at}\n" for at in range(3)))
    done = task("run", folder / "a.tick", "--data", folder / "a.srpl", *said)
    assert done.exit_code == 0
    assert ("has no points of other.autogen" in done.stderr) == (found == 0)
    assert len(json.loads(done.stdout)["series"] or ()) == (1 if found else 0)


def test_the_file_that_the_document_shows_passes(folder: Path) -> None:
    done = task("test", folder)
    assert (done.exit_code, done.stdout) == (0, "1 passed, 0 failed\n")


def test_what_came_otherwise_is_shown_line_by_line(folder: Path) -> None:
    changed = TEST.replace("usage=10 3\n\nalerts", "usage=11 3\n\nalerts").replace("3 OK cpu:host=a", "2 OK cpu:host=a")
    (folder / "cpu.test").write_text(changed)
    done = task("test", folder / "cpu.test")
    path = folder / "cpu.test"
    assert (done.exit_code, done.stdout.splitlines()) == (
        1,
        [
            f"{path}: httpOut usage is not as expected",
            "  - cpu,host=a usage=11 3",
            "  + cpu,host=a usage=10 3",
            f"{path}: alerts is not as expected",
            "    1 CRITICAL cpu:host=a | cpu:host=a is CRITICAL",
            "        cpu,host=a usage=95 1",
            "  - 2 OK cpu:host=a",
            "  + 3 OK cpu:host=a",
            "0 passed, 1 failed",
        ],
    )


def test_an_alert_that_nobody_expects_is_told_whole(folder: Path) -> None:
    (folder / "cpu.test").write_text(f"script: cpu.tick\ndata:\n{POINTS}alerts alert2:\n")
    assert task("test", folder).stdout.splitlines()[1:-1] == [
        "  + 1 CRITICAL cpu:host=a | cpu:host=a is CRITICAL",
        "  +     cpu,host=a usage=95 1",
        "  + 3 OK cpu:host=a | cpu:host=a is OK",
        "  +     cpu,host=a usage=10 3",
    ]


def test_the_types_of_numbers_are_compared(folder: Path) -> None:
    (folder / "cpu.test").write_text(f"script: cpu.tick\ndata:\n{POINTS}httpOut usage:\ncpu,host=a usage=10i 3\n")
    assert task("test", folder).exit_code == 1


def test_variables_are_given_in_a_file(folder: Path) -> None:
    (folder / "cpu.tick").write_text("var limit float\n" + SCRIPT.replace("90.0", "limit"))
    (folder / "low.json").write_text('{"limit": {"type": "float", "value": 96}}')
    (folder / "a.lp").write_text(POINTS)
    assert "missing value" in str(task("run", folder / "cpu.tick", "--data", folder / "a.lp").exception)
    done = task(
        "run", folder / "cpu.tick", "--data", folder / "a.lp", "--precision", "s", "--vars", folder / "low.json"
    )
    assert [json.loads(each).get("time") for each in done.stdout.splitlines()[:2]] == [
        "1970-01-01T00:00:02Z",
        "1970-01-01T00:00:03Z",
    ]
    test = TEST.replace("1 CRITICAL", "2 CRITICAL").replace("usage=95 1\n3 OK", "usage=97 2\n3 OK")
    (folder / "cpu.test").write_text(test.replace("dbrp:", "vars: low.json\ndbrp:"))
    assert task("test", folder).stdout == "1 passed, 0 failed\n"


def test_points_may_be_in_a_file_beside(folder: Path) -> None:
    (folder / "points.lp").write_text(POINTS)
    (folder / "cpu.test").write_text("script: cpu.tick\ndata: points.lp\nhttpOut usage:\ncpu,host=a usage=10.0 3\n")
    assert task("test", folder).exit_code == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("data:\nm v=1 1\nalerts:\n", "it names no script"),
        ("script: no.tick\ndata:\nm v=1 1\nalerts:\n", "no.tick cannot be read"),
        ("script: cpu.tick\ndata:\nm v=1 1\n", "it expects nothing"),
        ("script: cpu.tick\nalerts:\n", "points are either in a section"),
        ("script: cpu.tick\n\nfoo bar\ndata:\n", "line 3: `foo bar` is neither"),
        ("script: cpu.tick\ndata:\n\nm v=1 1\nm v=x 1\nalerts:\n", "line 5: invalid boolean: m v=x 1"),
        ("script: cpu.tick\ndata:\nm v=1 1\nalerts:\n1 BAD a\n", "line 5: `1 BAD a` is no alert"),
        ("script: cpu.tick\ndata:\nm v=1 1\nalerts:\n  m v=1 1\n", "line 5: a row stands below an alert"),
        ("script: cpu.tick\ndata:\nm v=1 1\nalerts no1:\n", "no node is called no1"),
        ("script: cpu.tick\ndata:\nm v=1 1\nhttpOut no:\n", "has no endpoint no"),
        ("script: cpu.tick\nprecision: d\ndata:\nm v=1 1\nalerts:\n", "`d` is no unit of times"),
        ("script: cpu.tick\ndbrp: a\ndata:\nm v=1 1\nalerts:\n", "`a` is no database"),
    ],
)
def test_a_test_file_that_is_wrong_fails_and_says_where(folder: Path, text: str, told: str) -> None:
    (folder / "cpu.test").write_text(text)
    done = task("test", folder)
    assert (done.exit_code, told in done.stdout, done.stdout.splitlines()[-1]) == (1, True, "0 passed, 1 failed")


def test_a_wrong_script_fails_its_test_and_no_other(folder: Path) -> None:
    (folder / "bad.tick").write_text("stream|no()")
    (folder / "bad.test").write_text("script: bad.tick\ndata:\nm v=1 1\nalerts:\n")
    done = task("test", folder)
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (1, "1 passed, 1 failed")
    assert "line 1 char" in done.stdout
