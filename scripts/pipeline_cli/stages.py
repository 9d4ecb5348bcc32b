"""Commands that run one stage: what Compose starts in a container and `pipeline demo` starts in a process."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from pipeline_queue.settings import filled

from pipeline_cli.errors import JobNotDone
from pipeline_cli.where import CommandSettings, open_queue

tables = typer.Typer(help="The stores' tables.", no_args_is_help=True)
JOB_PATIENCE_S = 60.0


def produce(
    name: Annotated[str, typer.Argument(help="A source: monitoring, random-numbers or census.", show_default=False)],
) -> None:
    """Input: publish one source's events until stopped; the census once, what the queue lacks of it."""
    from pipeline_input.produce import produce as run

    run(name)


def collect(
    port: Annotated[
        int | None, typer.Option(help="Where events come in; EVENTS_PORT or 8081.", show_default=False)
    ] = None,
    host: Annotated[str | None, typer.Option(help="The address; EVENTS_HOST or 127.0.0.1.", show_default=False)] = None,
    workers: Annotated[int | None, typer.Option(help="Processes; EVENTS_WORKERS or 1.", show_default=False)] = None,
) -> None:
    """Input: take applications' events over HTTP onto the queue."""
    from pipeline_input.collector.collect import collect as run

    run(host=host, port=port, workers=workers)


def process() -> None:
    """Processing: run the Spark application with all streaming jobs, and take job requests."""
    from pipeline_processing.driver import process as run

    run()


def run_tasks(
    port: Annotated[int | None, typer.Option(help="Of the task API; TASKS_PORT or 9092.", show_default=False)] = None,
    host: Annotated[str | None, typer.Option(help="The address; TASKS_HOST or 127.0.0.1.", show_default=False)] = None,
) -> None:
    """Processing: run tasks on points, behind the API that Kapacitor's clients speak."""
    from pipeline_cli.tasks_service import serve as run

    run("pipeline_cli.tasks_engine:worker", host=host, port=port)


def serve(
    port: Annotated[
        int | None, typer.Option(help="Where the pages are; DISPLAY_PORT or 8080.", show_default=False)
    ] = None,
    host: Annotated[
        str | None, typer.Option(help="The address; DISPLAY_HOST or 127.0.0.1.", show_default=False)
    ] = None,
) -> None:
    """Display: serve the pages."""
    from pipeline_display.serve import serve as run

    run(host=host, port=port)


def submit(
    job: Annotated[str, typer.Argument(help="A job's name.", show_default=False)],
    patience_s: Annotated[
        float, typer.Option("--wait", help="Seconds without a word after which to give up.")
    ] = JOB_PATIENCE_S,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON for each word that comes.")] = False,
) -> None:
    """Ask the running Spark application for a job and wait for what becomes of it."""
    from pipeline_queue.clock import SystemClock
    from pipeline_queue.jobs import FINAL, request, results

    broker, clock = open_queue(), SystemClock()
    request_id = request(broker, job, clock)
    state = ""
    for result in results(broker, request_id, wait_s=patience_s, clock=clock):
        state = result.state
        if as_json:
            print(json.dumps({"request_id": request_id, "job": job, "state": state, "message": result.message}))
        else:
            typer.echo(f"{job}: {state}: {result.message}", err=state in {"failed", "refused"})
    if state not in FINAL:
        raise JobNotDone(f"nobody finished `{job}` within {patience_s:g} s; does the service `processing` run?")
    if state != "finished":
        raise JobNotDone(f"`{job}` was {state}")


@tables.command("create")
def create_tables() -> None:
    """Lay out every table in each store of STORES; those that are there stay as they are."""
    from pipeline_output.stores import create_all, split_urls

    urls = split_urls(filled(CommandSettings).stores or "")
    if not urls:
        raise typer.BadParameter(
            "STORES is not set; it names the stores, as in `disk:///data/disk,cassandra://cassandra:9042/pipeline`"
        )
    create_all(urls)
    typer.echo(f"tables are in {', '.join(urls)}", err=True)
