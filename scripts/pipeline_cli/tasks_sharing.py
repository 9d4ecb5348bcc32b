"""A server of tasks among those that share its store of definitions.

In:      its settings: where it listens, how others reach it, where its tasks keep their state.
Out:     a membership whose beats go on while it is entered.
Refuses: (Misfit) servers that cannot share; see membership.py.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline_output.state import LeaseStore, Server
    from pipeline_processing.tasks.following import Beats
    from pipeline_processing.tasks.membership import Membership
    from pipeline_processing.tasks.settings import TasksSettings

EVERYWHERE = frozenset({"", "0.0.0.0", "::"})


@contextmanager
def shared(settings: TasksSettings) -> Iterator[tuple[Membership, Beats]]:
    """From before its tasks run until they run no more."""
    from pipeline_processing.tasks.following import Beats

    with closing(_leases(settings)) as leases:
        membership = _membership(settings, leases)
        with Beats(membership) as beats:
            yield membership, beats


def check_shareable(settings: TasksSettings) -> None:
    """Before anything is opened: raises Misfit, which a process that is started again and again could not say once."""
    here = _server(settings)
    with closing(_leases(settings)) as leases:
        there = [each for each in leases.standing().servers if each.place != here.place]
        if all(here.fits(each) for each in there):
            return
        membership = _membership(settings, leases)
        membership.join()
        membership.leave()


def advertised_url(settings: TasksSettings) -> str:
    if settings.advertised_url:
        return settings.advertised_url
    host = socket.gethostname() if settings.host in EVERYWHERE else settings.host
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def _leases(settings: TasksSettings) -> LeaseStore:
    from pipeline_output.state import open_leases

    return open_leases(settings.state_url.get_secret_value())


def _membership(settings: TasksSettings, leases: LeaseStore) -> Membership:
    from pipeline_processing.tasks.membership import Membership

    return Membership(leases, _server(settings), lease_s=settings.lease_s)


def _server(settings: TasksSettings) -> Server:
    from pipeline_output.state import Server
    from pipeline_processing.tasks.folder_mark import mark_of

    return Server(
        id="",
        place=f"{socket.gethostname()}:{settings.port}",
        address=advertised_url(settings),
        folder=mark_of(settings.folder),
    )
