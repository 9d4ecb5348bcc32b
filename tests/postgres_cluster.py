"""A PostgreSQL of a test's own: a cluster in a temporary folder, on a free loopback port.

Out:   `running_postgres()`, a context manager that gives a `Cluster`; it can be stopped and started again.
Skips: with the reason, where PostgreSQL's programs are not installed. root runs them as the user `postgres`, as they demand.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

import psycopg
import pytest
from running_demo import free_port

INSTALLED = Path("/usr/lib/postgresql")
SERVER_OPTIONS = "-c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=50 -c shared_buffers=32MB"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """`url` is of its first database."""

    programs: Path
    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql://pipeline@127.0.0.1:{self.port}/postgres"

    def new_database(self) -> str:
        """The URL of an empty one."""
        name = f"law_{token_hex(6)}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"create database {name} encoding 'UTF8' template template0")
        return f"postgresql://pipeline@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        options = f"{SERVER_OPTIONS} -p {self.port} -k {self.folder}"
        self.control("start", "-w", "-l", str(self.folder / "log"), "-o", options)

    def stop(self) -> None:
        """At once, as by a kill."""
        self.control("stop", "-w", "-m", "immediate")

    def control(self, *arguments: str) -> None:
        run([str(self.programs / "pg_ctl"), "-D", str(self.folder / "data"), *arguments])


@contextmanager
def running_postgres() -> Iterator[Cluster]:
    found = sorted(INSTALLED.glob("*/bin/initdb"))
    if not found:
        pytest.skip("no PostgreSQL below /usr/lib/postgresql (Debian: apt-get install postgresql)")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        if os.geteuid() == 0:
            shutil.chown(name, "postgres")
        cluster = Cluster(programs=found[-1].parent, folder=Path(name), port=free_port())
        run([str(found[-1]), "-D", f"{name}/data", "-U", "pipeline", "-A", "trust", "-E", "UTF8", "--no-sync"])
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop()


def run(command: list[str]) -> None:
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    subprocess.run([*as_user, *command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
