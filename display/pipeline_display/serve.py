"""`pipeline serve`: the display alone, set up by the environment and what the command line gave."""

from __future__ import annotations

import logging
from typing import Any

from pipeline_queue.settings import filled

from pipeline_display.server import run
from pipeline_display.settings import DisplaySettings


def serve(**given: Any) -> None:
    """Serve the pages until SIGTERM or SIGINT; `given` overrides the environment's settings. Raises PortTaken."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("pipeline_display").setLevel(logging.INFO)
    # kafka-python tells each retry of each connection; what matters of it comes once, from the feed that is cut off.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    run(filled(DisplaySettings, **given))
