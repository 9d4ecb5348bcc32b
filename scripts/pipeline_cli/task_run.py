"""`pipeline task run` and `pipeline task test`: scripts over points at hand, without a server."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pipeline_queue.errors import QueueError

from pipeline_cli.errors import CommandError
from pipeline_cli.task_variables import variables_in

if TYPE_CHECKING:
    from pipeline_processing.tasks.verdict import Difference
    from pipeline_queue.points.block import PointBlock
    from pipeline_queue.recordings.rows import Dbrp

TEST_SUFFIX = ".test"
DBRP = ("data", "autogen")
FORMS = "Points: .parquet, .srpl, .brpl, .zip, .lp or .txt (line protocol), .ndjson; gzipped or not."
Precision = Annotated[str, typer.Option(help="The unit of the times of line protocol: n, u, ms, s, m or h.")]


def run(
    script: Annotated[Path, typer.Argument(metavar="SCRIPT", help="A TICKscript's file.", show_default=False)],
    data: Annotated[Path, typer.Option(help=FORMS, show_default=False)],
    dbrp: Annotated[
        str | None,
        typer.Option(
            "--dbrp",
            metavar="DB.RP",
            help="Which database and retention policy it reads, and the points have if they do not say.",
            show_default=False,
        ),
    ] = None,
    precision: Precision = "n",
    variables: Annotated[
        Path | None, typer.Option("--vars", help="A JSON file with values of its variables.", show_default=False)
    ] = None,
) -> None:
    """Run a script over the points of a file, and print what came of it as JSON, a document a line."""
    from pipeline_processing.tasks.rehearsal import definition_of, documents, rehearsed
    from pipeline_queue.recordings.files import Reading, blocks_in

    text = _text(script)
    place, names_its_own = _place(text, dbrp)
    reading = Reading(dbrp=place, precision=precision)
    places = [place] if dbrp else [] if names_its_own else _places(blocks_in(data, reading))
    definition = definition_of(script.stem, text, places, variables_in(variables) if variables else {})
    master = rehearsed(definition, blocks_in(data, reading))
    for document in documents(master, definition.id):
        print(document.decode())
    for node, reasons in master.dropped(definition.id).items():
        for reason, points in reasons.items():
            print(f"{node}: {points:,} × {reason}", file=sys.stderr)
    if not any(each["collected"] for each in master.stats(definition.id)["node-stats"].values()):
        read = ", ".join(".".join(each) for each in definition.dbrps)
        print(f"{data} has no points of {read or 'any database'}", file=sys.stderr)


def test_scripts(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE|FOLDER...", help="Test files; of a folder all that end with .test.", show_default=False
        ),
    ],
) -> None:
    """Run scripts over the points of their test files; say what came otherwise than expected, with status 1."""
    passed = failed = 0
    for path in _test_files(files):
        try:
            found = list(_differences(path))
        except (OSError, CommandError, QueueError, *_processing_errors()) as cause:
            print(f"{path}: {cause}")
            failed += 1
            continue
        for each in found:
            print(f"{path}: {each.section} is not as expected", *each.lines, sep="\n  ")
        failed += bool(found)
        passed += not found
    print(f"{passed} passed, {failed} failed")
    raise typer.Exit(int(failed > 0))


def _differences(path: Path) -> Iterable[Difference]:
    from pipeline_processing.tasks.expectations import read_expectations
    from pipeline_processing.tasks.rehearsal import definition_of
    from pipeline_processing.tasks.verdict import differences
    from pipeline_queue.recordings.files import Reading, blocks_in
    from pipeline_queue.recordings.lines import blocks_of_lines

    wanted = read_expectations(_text(path))
    script = path.parent / wanted.script
    text = _text(script)
    place, names_its_own = _place(text, None)
    reading = Reading(dbrp=wanted.dbrp or place, precision=wanted.precision)
    if wanted.data_file:
        blocks = list(blocks_in(path.parent / wanted.data_file, reading))
    else:
        blocks = list(blocks_of_lines(wanted.lines, reading.dbrp, reading.precision))
    places = [wanted.dbrp] if wanted.dbrp else [] if names_its_own else _places(blocks)
    variables = variables_in(path.parent / wanted.vars_file) if wanted.vars_file else {}
    return differences(wanted, definition_of(script.stem, text, places, variables), blocks)


def _places(blocks: Iterable[PointBlock]) -> list[Dbrp]:
    return list(dict.fromkeys((each.database, each.retention_policy) for each in blocks))


def _place(script: str, said: str | None) -> tuple[Dbrp, bool]:
    """Where points belong that do not say it themselves; and whether the script names what it reads."""
    from pipeline_processing.tasks.script_facts import dbrp_of, script_facts

    named = script_facts(script).dbrps
    try:
        place = dbrp_of(said) if said else next(iter(named), DBRP)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    return place, bool(named)


def _test_files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = sorted(path.rglob(f"*{TEST_SUFFIX}"))
        if not found:
            raise CommandError(f"no file below {path} ends with {TEST_SUFFIX}")
        yield from found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from None


def _processing_errors() -> tuple[type[Exception], ...]:
    from pipeline_processing.errors import ProcessingError

    return (ProcessingError,)
