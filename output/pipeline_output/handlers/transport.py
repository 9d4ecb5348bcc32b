"""How handlers reach the world: HTTP, TCP, mail, a program, a file, apprise.

In:      what a handler wants sent, and how long that may take.
Out:     the answer, if the way has one.
Raises:  HandlerUnavailable when it may go better next time, HandlerRefused when it will not. Neither shows more of an address than scheme,
         host and port: the rest of it may be a key.
No redirect is followed and no proxy of the environment is asked: both would lead past the list of allowed targets.
"""

from __future__ import annotations

import http.client
import logging
import os
import signal
import smtplib
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from pipeline_output.errors import HandlerRefused, HandlerUnavailable

AGAIN = frozenset({408, 425, 429})
"""Of the statuses below 500 those that ask for another attempt: too slow, too early, too many."""
REPLY_BYTES_MAX = 64 * 1024
APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""Neither through a link, nor waiting for who reads a pipe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A POST; `headers` may hold secrets, and so may the URL."""

    url: str = field(repr=False)
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 10.0
    is_verified: bool = True
    shows_reply: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailing:
    """A mail and the server that takes it."""

    message: EmailMessage
    host: str
    port: int
    tls: str
    user: str
    password: str
    timeout_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A program, and what it gets on its standard input."""

    command: Sequence[str]
    given: bytes
    environment: Mapping[str, str]
    timeout_s: float


class Transport(Protocol):
    def post(self, request: Post) -> None:
        """Return when the answer is a status from 200 to 299."""

    def send(self, host: str, port: int, sent: bytes, *, timeout_s: float) -> None:
        """Send over TCP and close."""

    def ask(self, host: str, port: int, sent: bytes, *, timeout_s: float) -> bytes:
        """Send over TCP; all that comes back until the other side closes."""

    def mail(self, mailing: Mailing) -> None:
        """Return when the server has taken the mail for every recipient."""

    def run(self, run: Run) -> None:
        """Return when the program ended with status 0."""

    def append(self, path: Path, line: bytes, *, mode: int) -> None:
        """Add to the file, which is made with `mode` if it is not there."""

    def notify(self, url: str, *, title: str, body: str) -> None:
        """Tell the service that apprise knows by the URL."""


class Network:
    """The real one."""

    def post(self, request: Post) -> None:
        parts = urlsplit(request.url)
        where = origin(request.url)
        connection = _connection(request)
        path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        try:
            connection.connect()
            with _within(request.timeout_s, connection.sock):
                connection.request("POST", path, request.body, dict(request.headers))
                reply = connection.getresponse()
                said = reply.read(REPLY_BYTES_MAX)
        except (OSError, http.client.HTTPException) as cause:
            raise HandlerUnavailable(f"{where} did not answer: {_reason(cause)}") from None
        except ValueError:
            raise HandlerRefused(
                f"{where} was not asked: its path or a header has characters that HTTP does not take"
            ) from None
        finally:
            connection.close()
        if not 200 <= reply.status < 300:
            shown = f": {said[:200].decode(errors='replace')}" if request.shows_reply else ""
            kind = HandlerUnavailable if reply.status >= 500 or reply.status in AGAIN else HandlerRefused
            raise kind(f"{where} answered {reply.status}{_without(shown, request.headers.values())}")

    def send(self, host: str, port: int, sent: bytes, *, timeout_s: float) -> None:
        try:
            with socket.create_connection((host, port), timeout=timeout_s) as connection:
                connection.sendall(sent)
        except OSError as cause:
            raise HandlerUnavailable(f"{host}:{port} did not take it: {_reason(cause)}") from None

    def ask(self, host: str, port: int, sent: bytes, *, timeout_s: float) -> bytes:
        try:
            with socket.create_connection((host, port), timeout_s) as connection, _within(timeout_s, connection):
                connection.sendall(sent)
                return _all_of(connection)
        except OSError as cause:
            raise HandlerUnavailable(f"{host}:{port} did not answer: {_reason(cause)}") from None

    def mail(self, mailing: Mailing) -> None:
        where = f"the mail server {mailing.host}:{mailing.port}"
        try:
            _mail(mailing)
        except smtplib.SMTPRecipientsRefused as cause:
            codes = {code for code, _ in cause.recipients.values()}
            kind = HandlerRefused if min(codes) >= 500 else HandlerUnavailable
            raise kind(f"{where} takes no mail for {', '.join(sorted(cause.recipients))}") from None
        except smtplib.SMTPResponseException as cause:
            kind = HandlerRefused if 500 <= cause.smtp_code < 600 else HandlerUnavailable
            raise kind(f"{where} answered {cause.smtp_code}") from None
        except smtplib.SMTPNotSupportedError:
            raise HandlerRefused(f"{where} does not offer what the settings ask for (log-in or encryption)") from None
        except (OSError, smtplib.SMTPException) as cause:
            raise HandlerUnavailable(f"{where} did not take it: {_reason(cause)}") from None

    def run(self, run: Run) -> None:
        program = run.command[0]
        try:
            process = _started(run)
        except OSError as cause:
            raise HandlerUnavailable(f"`{program}` did not start: {_reason(cause)}") from None
        try:
            process.communicate(run.given, timeout=run.timeout_s)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise HandlerUnavailable(f"`{program}` ran for more than {run.timeout_s:g} s and was killed") from None
        if process.returncode:
            raise HandlerUnavailable(f"`{program}` ended with status {process.returncode}")

    def append(self, path: Path, line: bytes, *, mode: int) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(path, APPEND, mode)
            try:
                if os.write(file, line) < len(line):
                    raise HandlerUnavailable(f"`{path}` took a part of a line only: its disk is full")
            finally:
                os.close(file)
        except OSError as cause:
            raise HandlerUnavailable(f"cannot append to `{path}`: {_reason(cause)}") from None

    def notify(self, url: str, *, title: str, body: str) -> None:
        import apprise

        logging.getLogger("apprise").disabled = True  # what it says of a failure may hold the URL
        # Not `add` with the text, which takes several URLs in one.
        service = apprise.Apprise.instantiate(url, asset=apprise.AppriseAsset(http_redirects=False))
        if service is None:
            raise HandlerRefused(f"apprise knows no service of the form `{urlsplit(url).scheme}://…` that was given")
        if not service.notify(title=title, body=body):
            raise HandlerUnavailable(f"apprise could not tell `{urlsplit(url).scheme}://…`")


def origin(url: str) -> str:
    """Scheme, host and port: what of a URL may be shown."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}"


def _connection(request: Post) -> http.client.HTTPConnection:
    parts = urlsplit(request.url)
    if parts.scheme == "http":
        return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=request.timeout_s)
    context = ssl.create_default_context()
    if not request.is_verified:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=request.timeout_s, context=context)


@contextmanager
def _within(timeout_s: float, connection: socket.socket) -> Iterator[None]:
    """Cut the connection after that time: a socket's own limit begins again with each byte that comes."""
    cutting = threading.Timer(timeout_s, _cut, [connection])
    cutting.daemon = True
    cutting.start()
    try:
        yield
    finally:
        cutting.cancel()


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _mail(mailing: Mailing) -> None:
    if mailing.tls == "tls":
        opened = smtplib.SMTP_SSL(
            mailing.host, mailing.port, timeout=mailing.timeout_s, context=ssl.create_default_context()
        )
    else:
        opened = smtplib.SMTP(mailing.host, mailing.port, timeout=mailing.timeout_s)
    with opened as server:
        if mailing.tls == "starttls":
            server.starttls(context=ssl.create_default_context())
        if mailing.user:
            server.login(mailing.user, mailing.password)
        if refused := server.send_message(mailing.message):
            raise smtplib.SMTPRecipientsRefused(refused)


def _started(run: Run) -> subprocess.Popen[bytes]:
    """In a session of its own, so that a time-out ends what it started too; with none of this process's environment but the path."""
    return subprocess.Popen(
        run.command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.environ.get("PATH", os.defpath), **run.environment},
        start_new_session=True,
    )


def _all_of(connection: socket.socket) -> bytes:
    """At most REPLY_BYTES_MAX; the rest is not read."""
    parts: list[bytes] = []
    while sum(map(len, parts)) < REPLY_BYTES_MAX and (part := connection.recv(4096)):
        parts.append(part)
    return b"".join(parts)


def _reason(cause: BaseException) -> str:
    """Without what an exception may quote of a request."""
    if isinstance(cause, TimeoutError):
        return "it took too long"
    return getattr(cause, "strerror", None) or type(cause).__name__


def _without(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        for part in {secret, *secret.split()}:
            text = text.replace(part, "********") if len(part) > 3 else text
    return text
