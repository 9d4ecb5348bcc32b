"""What can go wrong in the display.

DisplayError
└── PortTaken   another process listens where the pages should be
"""

from __future__ import annotations


class DisplayError(Exception):
    """Anything the display refuses or cannot do."""


class PortTaken(DisplayError):
    def __init__(self, host: str, port: int, *, holder: str) -> None:
        super().__init__(f"port {port} on {host} is taken by {holder}; stop it, or choose another with DISPLAY_PORT")
