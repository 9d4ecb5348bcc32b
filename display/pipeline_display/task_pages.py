"""The pages of tasks and alerts.

In:   settings.
Out:  `/tasks`, `/tasks/ID` and `/alerts`. They are the same whether there is such a task or not: what there is, their feeds say.
"""

from __future__ import annotations

from flask import Flask, render_template

from pipeline_display import terminal
from pipeline_display.demos import DEMOS
from pipeline_display.feeds.alerts import HISTORY_ROWS
from pipeline_display.settings import DisplaySettings


def add(app: Flask, settings: DisplaySettings) -> None:
    """To the application's rules."""
    starts = terminal.that_starts_tasks(settings)

    def tasks() -> str:
        command = terminal.of_tasks(settings)
        return render_template("tasks.html", demos=DEMOS.values(), starts=starts, command=command, page={})

    def task(task_id: str) -> str:
        return render_template(
            "task.html",
            demos=DEMOS.values(),
            starts=starts,
            command=terminal.of_task(task_id, settings),
            task_id=task_id,
            page={"task": task_id},
        )

    def alerts() -> str:
        command, page = terminal.of_alerts(settings), {"history_rows": HISTORY_ROWS}
        return render_template("alerts.html", demos=DEMOS.values(), starts=starts, command=command, page=page)

    app.add_url_rule("/tasks", "tasks", tasks)
    app.add_url_rule("/tasks/<task_id>", "task", task)
    app.add_url_rule("/alerts", "alerts", alerts)
