"""The Compose stack as tests start, look into, kill, freeze and end it: own project name, own port, all gone at the end.

In:   the repository's docker-compose.yml, its overlays if named, and .env, unchanged, whatever this machine's environment
      says of its settings; images are built first, so that the code under test is in them.
Out:  `running_stack(...)`, a context manager around testcontainers' DockerCompose that gives a Stack.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from running_demo import free_port
from testcontainers.compose import DockerCompose
from waiting import until

ROOT = Path(__file__).parents[1]
BACK_WITHIN_S = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A stack that was healthy `healthy_after_s` seconds after `up`, images being there."""

    compose: DockerCompose
    project: str
    port: int
    healthy_after_s: float

    @property
    def page(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self, *words: str, **settings: str) -> str:
        """`docker compose WORDS...` on this stack, with other settings than .env's if given; what it printed."""
        return said([*self.compose.docker_compose_command(), *words], **settings)

    def python(self, service: str, code: str) -> str:
        """Run Python inside a service's container, with the packages that its image holds."""
        return "".join(self.lines(service, code))

    def lines(self, service: str, code: str) -> Iterator[str]:
        """The same, line by line as it comes: an hour's records need not fit into memory."""
        command = [*self.compose.docker_compose_command(), "exec", "-T", service, "python", "-W", "ignore", "-"]
        with tempfile.TemporaryFile("w+") as script, tempfile.TemporaryFile("w+") as complaints:
            script.write(code)
            script.seek(0)
            with subprocess.Popen(
                command, cwd=ROOT, stdin=script, stdout=subprocess.PIPE, stderr=complaints, text=True
            ) as running:
                assert running.stdout
                yield from running.stdout
            complaints.seek(0)
            assert running.returncode == 0, f"{' '.join(command)}: {complaints.read()}"

    def container(self, service: str) -> str:
        return self.command("ps", "--all", "--quiet", service).strip()

    def containers(self, service: str) -> list[str]:
        """The names of those that run of a service, which may be several."""
        return sorted(self.command("ps", "--format", "{{.Name}}", service).split())

    def services(self) -> dict[str, Service]:
        """Every service of this stack; where one has several containers, the one that is worst off."""
        ids = said(["docker", "ps", "--all", "--quiet", "--filter", self.label]).split()
        inspected = [Service.of(each) for each in json.loads(said(["docker", "inspect", *ids]))]
        return {service.name: service for service in sorted(inspected, key=lambda each: each.health != "healthy")}

    def volumes(self) -> list[str]:
        return said(["docker", "volume", "ls", "--quiet", "--filter", self.label]).split()

    @property
    def label(self) -> str:
        return f"label=com.docker.compose.project={self.project}"

    def kill(self, service: str) -> None:
        """SIGKILL from the host to the container's first process; return when the restart policy has brought it back, healthy."""
        before = self._state(service)
        os.kill(before["Pid"], signal.SIGKILL)

        def is_back() -> bool:
            now = self._state(service)
            return now["StartedAt"] != before["StartedAt"] and now["Health"]["Status"] == "healthy"

        assert until(is_back, BACK_WITHIN_S), service

    def _state(self, service: str) -> dict:
        return json.loads(said(["docker", "inspect", self.container(service)]))[0]["State"]

    @contextmanager
    def frozen(self, *services: str) -> Iterator[None]:
        """The services' own processes stand still (SIGSTOP), their containers and init processes do not."""
        for service in services:
            self._signal(service, "STOP")
        try:
            yield
        finally:
            for service in services:
                self._signal(service, "CONT")

    def _signal(self, service: str, name: str) -> None:
        # The init process is 1; its child is what the entry point became.
        self.command("exec", "-T", service, "bash", "-c", f"kill -{name} $(< /proc/1/task/1/children)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What the engine says of a service's container."""

    name: str
    state: str
    health: str
    exit_code: int
    published: Sequence[str]

    @classmethod
    def of(cls, inspected: dict) -> Service:
        state, ports = inspected["State"], inspected["NetworkSettings"]["Ports"]
        return cls(
            name=inspected["Config"]["Labels"]["com.docker.compose.service"],
            state=state["Status"],
            health=state.get("Health", {}).get("Status", "none"),
            exit_code=state["ExitCode"],
            published=[f"{host['HostIp']}:{host['HostPort']}" for hosts in ports.values() for host in hosts or ()],
        )


@contextmanager
def running_stack(*services: str, overlay: str | None = None) -> Iterator[Stack]:
    """The stack, or the named services with what they need, under an overlay if one is named; `down -v` at the end."""
    project, port = f"pipeline-test-{uuid.uuid4().hex[:8]}", free_port()
    with settings_unset(), tempfile.NamedTemporaryFile("w", suffix=".env") as own:
        own.write(f"COMPOSE_PROJECT_NAME={project}\nDISPLAY_PORT={port}\n")
        own.flush()
        compose = DockerCompose(
            ROOT,
            compose_file_name=["docker-compose.yml", *([overlay] if overlay else [])],
            env_file=[str(ROOT / ".env"), own.name],
            services=list(services) or None,
        )
        said([*compose.docker_compose_command(), "build", "--quiet", *services])
        began = time.monotonic()
        try:
            compose.start()
            yield Stack(compose=compose, project=project, port=port, healthy_after_s=time.monotonic() - began)
        except subprocess.CalledProcessError as error:
            raise AssertionError(failure(compose, error)) from error
        finally:
            # Of all profiles: a test that failed leaves what it started of them.
            said([*compose.docker_compose_command(), "--profile", "*", "down", "--volumes", "--timeout", "5"])


@contextmanager
def settings_unset() -> Iterator[None]:
    """The environment goes before .env files; without these names a stack has the settings that it is given here."""
    settings = re.findall(r"^(\w+)=", (ROOT / ".env").read_text(), re.MULTILINE)
    with patch.dict(os.environ):
        for name in (*settings, "COMPOSE_PROJECT_NAME", "COMPOSE_FILE"):
            os.environ.pop(name, None)
        yield


def failure(compose: DockerCompose, error: subprocess.CalledProcessError) -> str:
    """Why a command on the stack failed, and how the stack was then."""
    words = compose.docker_compose_command()
    state = subprocess.run([*words, "ps", "--all"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    logs = subprocess.run(
        [*words, "logs", "--tail", "20"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout
    return f"{error}\n{error.stderr!s}\n{state}\n{logs}"


def said(command: Sequence[str], **settings: str) -> str:
    done = subprocess.run(command, cwd=ROOT, env=os.environ | settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr or done.stdout}"
    return done.stdout
