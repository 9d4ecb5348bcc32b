"""`python -m pipeline_queue.healthcheck PORT`: status 0 while the service on that port says that it is healthy.

Compose calls it every few seconds, so it imports nothing that is slow to import.
"""

from __future__ import annotations

import http.client
import sys

ANSWER_WITHIN_S = 3


def main(port: int) -> int:
    """0 healthy, 1 not; says why on standard output, which `docker inspect` shows."""
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_WITHIN_S)
        connection.request("GET", "/healthz")
        response = connection.getresponse()
        print(response.read().decode())
    except OSError as error:
        print(f"no answer on port {port}: {error}")
        return 1
    return 0 if response.status == 200 else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
