"""A port that somebody else has is refused with the holder's name."""

from __future__ import annotations

import os

import pytest
from pipeline_display.errors import PortTaken
from pipeline_display.port import listen


def test_a_free_port_is_taken() -> None:
    with listen("127.0.0.1", 0) as listening:
        assert listening.getsockname()[1] > 0


def test_a_taken_port_is_refused_with_the_process_that_holds_it() -> None:
    with listen("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        with pytest.raises(PortTaken, match=rf"port {port} on 127.0.0.1 is taken by process {os.getpid()}, `.*python"):
            listen("127.0.0.1", port)
