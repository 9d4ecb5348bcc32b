"""How the driver is told to end while it starts."""

from __future__ import annotations

import gc
import signal
import threading
import weakref

import pytest
from pipeline_processing.driver import leaving


class Held:
    """What is finalised."""


def test_a_signal_during_the_start_leaves_at_once() -> None:
    with pytest.raises(SystemExit):
        leaving(threading.Event())(signal.SIGTERM, None)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_whose_exit_is_lost_in_a_finaliser_is_remembered() -> None:
    stop, held = threading.Event(), Held()
    reference = weakref.ref(held, lambda _: leaving(stop)(signal.SIGTERM, None))
    del held
    gc.collect()
    assert (reference(), stop.is_set()) == (None, True)
