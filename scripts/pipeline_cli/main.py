"""The command line: one Typer application, a module a group of commands.

Out:   exit status 0 done, 1 it could not be done (the reason is on standard error), 2 the command line was wrong.
Colour follows the terminal and NO_COLOR; data goes to standard output, everything else to standard error.
"""

from __future__ import annotations

import sys

import typer
from pipeline_queue.errors import QueueError

from pipeline_cli import clients, deadletters, load, stages, tasks, topics
from pipeline_cli.audit import audit
from pipeline_cli.config import config
from pipeline_cli.demo import demo
from pipeline_cli.doctor import doctor
from pipeline_cli.errors import CommandError
from pipeline_cli.trace import trace
from pipeline_cli.without_pandas import without_pandas

SPARK = "process"
"""The command whose libraries want pandas."""

app = typer.Typer(
    help="A streaming data stack in five stages: input, queue, processing, output, display.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(demo)
app.command()(doctor)
app.command()(config)
app.command()(stages.produce)
app.command()(stages.collect)
app.command()(stages.process)
app.command("tasks")(stages.run_tasks)
app.command()(stages.serve)
app.command()(stages.submit)
app.command()(audit)
app.command()(trace)
app.add_typer(load.app, name="load")
app.add_typer(stages.tables, name="tables")
app.add_typer(clients.app, name="clients")
app.add_typer(tasks.app, name="task")
app.add_typer(topics.app, name="topics")
app.add_typer(deadletters.app, name="deadletters")


def run() -> None:
    """The console script's entry."""
    if sys.argv[1:2] != [SPARK]:
        without_pandas()
    try:
        app()
    except (CommandError, QueueError, *_stage_errors()) as error:
        print(error, file=sys.stderr)
        sys.exit(1)


def _stage_errors() -> tuple[type[Exception], ...]:
    """The errors of the stages that this process has imported."""
    found = []
    for stage, tree in (
        ("input", "InputError"),
        ("output", "OutputError"),
        ("processing", "ProcessingError"),
        ("display", "DisplayError"),
    ):
        module = sys.modules.get(f"pipeline_{stage}.errors")
        if module is not None:
            found.append(getattr(module, tree))
    return tuple(found)
