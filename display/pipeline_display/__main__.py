"""`python -m pipeline_display`: the same as `pipeline serve`, without the command line's package."""

from __future__ import annotations

import sys

from pipeline_queue.errors import QueueError

from pipeline_display.errors import DisplayError
from pipeline_display.serve import serve


def main() -> int:
    try:
        serve()
    except (DisplayError, QueueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
