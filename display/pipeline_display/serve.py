"""`pipeline serve`: the display alone, set up by the environment and what the command line gave."""

from __future__ import annotations

import logging
from typing import Any

from pipeline_queue.settings import filled

from pipeline_display.server import run
from pipeline_display.settings import DisplaySettings


def serve(**given: Any) -> None:
    """Serve the pages until SIGTERM or SIGINT; `given` overrides the environment's settings. Raises PortTaken."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    run(filled(DisplaySettings, **given))
