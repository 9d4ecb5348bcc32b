"""What to type to see without a browser what a page shows.

In:   a demo, or none for the dead letters, for applications' events, tasks and alerts, and the settings.
Out:  a command that works as it stands. Where the queue is Kafka, it goes into Compose's display container, as nothing
      outside reaches Kafka; else it uses this project's virtual environment and says where queue and stores are.
"""

from __future__ import annotations

import shlex
from urllib.parse import urlsplit

from pipeline_display.demos import Demo
from pipeline_display.path import store_of
from pipeline_display.settings import TASKS_URL, DisplaySettings

EVENT = '{"event_name": "crash_report", "user_id": 888, "timestamp": 1000, "message": "have_fun"}'


def of_demo(demo: Demo, settings: DisplaySettings) -> str:
    """The topic's lines, or the table's windows, as they come."""
    store_url = store_of(demo, settings.store_urls)
    if store_url is None:
        return _placed(f"pipeline topics tail -f {demo.topic}", settings, "QUEUE_URL", settings.queue_url)
    return _placed(f"python -m pipeline_display.tail {demo.name}", settings, "STORES", store_url)


def of_dead_letters(settings: DisplaySettings) -> str:
    return _placed("pipeline deadletters list", settings, "QUEUE_URL", settings.queue_url)


def of_events(settings: DisplaySettings) -> str:
    """From outside Compose's networks the collector is on loopback, whatever it is called inside."""
    inside = urlsplit(settings.collector_url or "")
    is_outside = inside.hostname in {"127.0.0.1", "localhost"}
    address = inside.netloc if is_outside else f"127.0.0.1:{inside.port or 8081}"
    return f"curl -d {shlex.quote(EVENT)} {address}"


def of_tasks(settings: DisplaySettings) -> str:
    return _asking("pipeline task list", settings)


def of_task(task_id: str, settings: DisplaySettings) -> str:
    return _asking(f"pipeline task show {shlex.quote(task_id)}", settings)


def of_alerts(settings: DisplaySettings) -> str:
    return _placed("pipeline topics tail -f alerts", settings, "QUEUE_URL", settings.queue_url)


def that_starts_tasks(settings: DisplaySettings) -> str:
    """In Compose the task API is a service of its own; the display's container has no engine."""
    if urlsplit(settings.queue_url).scheme == "kafka":
        return "docker compose --profile tasks up -d"
    return _placed("pipeline tasks", settings, "QUEUE_URL", settings.queue_url)


def _asking(program: str, settings: DisplaySettings) -> str:
    """Of the task API; the command looks for it where it usually is by itself."""
    placed = _placed(program, settings, "TASKS_URL", settings.tasks_url)
    return placed.removeprefix(f"TASKS_URL={TASKS_URL} ")


def _placed(program: str, settings: DisplaySettings, variable: str, value: str) -> str:
    if urlsplit(settings.queue_url).scheme == "kafka":
        return f"docker compose exec display {program}"
    return f"{variable}={shlex.quote(value)} .venv/bin/{program}"
