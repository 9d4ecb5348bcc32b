"""`python -m pipeline_display`: the display alone, set up by the environment."""

from __future__ import annotations

import sys

from pipeline_queue.errors import QueueError
from pipeline_queue.settings import filled

from pipeline_display.errors import DisplayError
from pipeline_display.server import serve
from pipeline_display.settings import DisplaySettings


def main() -> int:
    try:
        serve(filled(DisplaySettings), ready=lambda address: print(f"The pages are at {address}", flush=True))
    except (DisplayError, QueueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
