"""`pipeline task fmt` over files and standard input."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import Result
from pipeline_cli.main import app
from typer.testing import CliRunner

LOOSE, LAID_OUT = "var  x=1 // one\n", "var x = 1\n\n// one\n\n"


def fmt(*arguments: object, given: str | bytes = "") -> Result:
    return CliRunner().invoke(app, ["task", "fmt", *map(str, arguments)], input=given)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "a.tick"
    path.write_text(LOOSE)
    return path


@pytest.mark.parametrize("arguments", [[], ["-"]])
def test_standard_input_is_laid_out_on_standard_output(arguments: list[str]) -> None:
    done = fmt(*arguments, given=LOOSE)
    assert (done.exit_code, done.stdout, done.stderr) == (0, LAID_OUT, "")


def test_files_are_printed_and_stay_as_they_are(script: Path) -> None:
    done = fmt(script, script)
    assert (done.exit_code, done.stdout, script.read_text()) == (0, LAID_OUT * 2, LOOSE)


def test_in_place_writes_and_prints_nothing(script: Path) -> None:
    done = fmt("--in-place", script)
    assert (done.exit_code, done.stdout, script.read_text()) == (0, "", LAID_OUT)


def test_check_names_those_that_are_laid_out_otherwise(script: Path, tmp_path: Path) -> None:
    good = tmp_path / "good.tick"
    good.write_text(LAID_OUT)
    done = fmt("--check", script, good)
    assert (done.exit_code, done.stdout, done.stderr) == (
        1,
        "",
        f"{script}: not laid out as `pipeline task fmt` does\n",
    )
    assert fmt("--check", good).exit_code == 0


def test_upgrade_turns_0_10_into_1_x() -> None:
    done = fmt("--upgrade", "-", given="stream.from()")
    assert (done.exit_code, done.stdout) == (0, "stream\n    |from()\n")


def test_a_refusal_names_file_line_and_character_and_the_others_are_done(script: Path, tmp_path: Path) -> None:
    bad, missing = tmp_path / "bad.tick", tmp_path / "missing.tick"
    bad.write_text("stream\n  ||from()")
    done = fmt(bad, missing, "-", script, given=b"\xff")
    assert (done.exit_code, done.stdout, done.stderr.splitlines()) == (
        1,
        LAID_OUT,
        [
            f"{bad}: line 2 char 4: unexpected |; expected identifier; one | is enough in a chain, and OR is the operator",
            f"{missing}: No such file or directory",
            "standard input: line 1 char 1: byte 0xff is not UTF-8",
        ],
    )


def test_a_file_that_is_refused_is_not_written(tmp_path: Path) -> None:
    bad = tmp_path / "bad.tick"
    bad.write_text("var x = 1 )")
    assert (fmt("--in-place", bad).exit_code, bad.read_text()) == (1, "var x = 1 )")


def test_check_and_in_place_exclude_each_other(script: Path) -> None:
    assert (fmt("--check", "--in-place", script).exit_code, script.read_text()) == (2, LOOSE)
