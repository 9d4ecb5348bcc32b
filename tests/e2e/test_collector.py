"""The collector as its clients meet it: over TCP, slow, hostile, cut off, killed; every acknowledged event is on the queue."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import random
import select
import signal
import socket
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from hostile_texts import HOSTILE
from running_collector import COMMAND, Collector, collecting
from running_demo import free_port
from waiting import PATIENCE_S, until

SOUND = {"event_name": "crash_report", "user_id": 888, "timestamp": 1000, "message": "have_fun"}
OK = {"status_code": 0, "status_message": "ok"}
WITHIN_S = 10
"""Long enough for a request to be answered on a slow machine before any idle connection is closed."""
GARBAGE = 10_000 if "PIPELINE_SOAK" in os.environ else 1_000
WARM_UP = 200
"""Of them, after which the process has the buffers that it keeps."""
GROWTH_BYTES_MAX = 16 << 20
"""In the rest of them; measured were 1 MB in 1,000, and no more in 10,000."""
WHOLE = b"POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: 76\r\nContent-Encoding: identity\r\n\r\n" + (
    b'{"event_name": "crash_report", "user_id": 8, "timestamp": 1, "message": "m"}'
)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    with collecting(tmp_path_factory.mktemp("collector")) as found:
        yield found


def test_the_curl_of_the_readme(here: Collector) -> None:
    assert here.ask("POST", "/", SOUND) == (200, OK)
    assert here.ask("POST", "/", b"\xef\xbb\xbf{}")[1]["status_code"] == 4
    assert here.ask("GET", "/")[0] == 405


def test_open_to_everybody_it_says_so_loudly_at_its_start(here: Collector) -> None:
    told = f"OPEN: everybody who reaches 127.0.0.1:{here.port} may send events; EVENTS_CLIENTS would say who"
    assert told in here.log.read_text().splitlines()


def test_hostile_content_is_on_the_queue_as_it_was_sent(here: Collector) -> None:
    events = [SOUND | {"message": text, "id": f"hostile-{i}"} for i, text in enumerate(HOSTILE)]
    for event in events[:2]:
        assert here.ask("POST", "/", event) == (200, OK)
    body = "\n".join(json.dumps(event, ensure_ascii=False) for event in events[2:]).encode()
    assert here.ask("POST", "/events", body)[1]["accepted"] == len(events) - 2
    there = {each["event_id"]: each["message"] for each in here.events()}
    assert [there[event["id"]] for event in events] == [*HOSTILE]


def test_exactly_the_acknowledged_are_on_the_queue(here: Collector) -> None:
    draw = random.Random(5)

    def send(client: int) -> list[str]:
        sent = []
        connection = http.client.HTTPConnection("127.0.0.1", here.port, timeout=PATIENCE_S)
        with closing(connection):
            for i in range(100):
                name = f"exact-{client}-{i}"
                broken = draw.random() < 0.3
                event = SOUND | {"id": name} | ({"user_id": "x"} if broken else {})
                connection.request("POST", "/", body=json.dumps(event))
                if json.loads(connection.getresponse().read())["status_code"] == 0:
                    sent.append(name)
        return sent

    with ThreadPoolExecutor(8) as threads:
        acknowledged = [name for sent in threads.map(send, range(8)) for name in sent]
    there = [each["event_id"] for each in here.events() if each["event_id"].startswith("exact-")]
    assert (sorted(there), 400 < len(there) < 800) == (sorted(acknowledged), True)


BEGUN = {
    "nothing": b"",
    "a line": b"POST / HT",
    "headers": b"POST / HTTP/1.1\r\nHost: x\r\n",
    "a body": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{",
}


def test_connections_that_say_no_more_are_closed_and_hold_nobody_up(tmp_path: Path) -> None:
    with collecting(tmp_path, EVENTS_REQUEST_WITHIN_S=str(WITHIN_S)) as here:
        connections = []
        for begun in list(BEGUN.values()) * 50:
            connections.append(socket.create_connection(("127.0.0.1", here.port), timeout=PATIENCE_S))
            connections[-1].sendall(begun)
        assert here.ask("POST", "/", SOUND) == (200, OK)
        assert select.select(connections, [], [], 0)[0] == []  # answered while all of them were open
        for each in connections:
            with closing(each), contextlib.suppress(ConnectionResetError):
                while each.recv(65536):
                    pass


def test_garbage_on_the_socket_is_answered_or_cut_off_and_leaves_nothing_behind(here: Collector) -> None:
    draw = random.Random(5)
    _send_garbage(here, draw, WARM_UP)
    before = here.memory_bytes()
    _send_garbage(here, draw, GARBAGE - WARM_UP)
    assert here.memory_bytes() - before < GROWTH_BYTES_MAX
    assert here.ask("POST", "/", SOUND) == (200, OK)


def _send_garbage(here: Collector, draw: random.Random, times: int) -> None:
    for _ in range(times):
        garbage = draw.choice(
            [
                draw.randbytes(draw.randrange(1, 5000)),
                b"GET / HTTP/9.9\r\n\r\n",
                b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
                b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
                b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                b"POST /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
                b"POST / HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 5000 + b"\r\n",
                _damaged(draw, WHOLE),
            ]
        )
        assert not _answer_to(here, garbage).startswith(b"HTTP/1.1 5"), garbage[:200]


def _damaged(draw: random.Random, request: bytes) -> bytes:
    """With some bytes changed, and cut off somewhere."""
    damaged = bytearray(request)
    for _ in range(draw.randint(1, 8)):
        damaged[draw.randrange(len(damaged))] = draw.randrange(256)
    return bytes(damaged[: draw.randint(1, 2 * len(damaged))])


def _answer_to(here: Collector, sent: bytes) -> bytes:
    """All that came until the connection was closed."""
    answer = b""
    with closing(socket.create_connection(("127.0.0.1", here.port), timeout=PATIENCE_S)) as connection:
        with contextlib.suppress(OSError):
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            while chunk := connection.recv(65536):
                answer += chunk
    return answer


def test_a_key_that_cannot_be_read_is_refused(here: Collector) -> None:
    status, told = here.ask("POST", "/", SOUND, **{"Idempotency-Key": "é"})
    assert (status, told["status_code"], "ASCII" in told["status_message"]) == (400, 1, True)


def test_asked_to_end_it_answers_what_it_took_and_ends(tmp_path: Path) -> None:
    with collecting(tmp_path) as here:
        with ThreadPoolExecutor(4) as threads:
            sending = [threads.submit(_send_until_gone, here, i) for i in range(4)]
            assert until(lambda: len(here.events()) > 50, PATIENCE_S)
            here.process.send_signal(signal.SIGTERM)
            assert here.process.wait(PATIENCE_S) == 0
            acknowledged = [name for each in sending for name in each.result()]
        assert set(acknowledged) <= {each["event_id"] for each in here.events()}


def test_a_worker_that_is_killed_is_replaced_and_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    is_over = threading.Event()
    with collecting(tmp_path, EVENTS_WORKERS="2") as here:
        with ThreadPoolExecutor(4) as threads:
            sending = [threads.submit(_send_until_gone, here, i, is_over) for i in range(4)]
            assert until(lambda: len(here.events()) > 50, PATIENCE_S)
            before = here.workers()
            for each in before:
                each.kill()
            gone = {each.pid for each in before}
            is_back = until(lambda: len({each.pid for each in here.workers()} - gone) == 2, PATIENCE_S)
            is_over.set()
            acknowledged = [name for each in sending for name in each.result()]
        assert (len(before), is_back) == (2, True)
        assert set(acknowledged) <= {each["event_id"] for each in here.events()}
        assert until(here.is_ready, PATIENCE_S)
        assert until(lambda: here.ask("POST", "/", SOUND) == (200, OK), PATIENCE_S)


ACCEPTED = 'pipeline_collected_events_total{client="",outcome="accepted",type="crash_report"}'
UNSUPPORTED = 'pipeline_collected_events_total{client="",outcome="unsupported event",type=""}'


def test_the_figures_are_of_all_processes_and_those_that_were_killed(tmp_path: Path) -> None:
    def send(here: Collector, times: int) -> None:
        for _ in range(times):
            here.ask("POST", "/", SOUND)
            here.ask("POST", "/events", [SOUND, {"event_name": "x"}, SOUND])

    with collecting(tmp_path, EVENTS_WORKERS="2") as here:
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(send, [here] * 4, [50] * 4))
        for _ in range(10):  # each on a connection of its own, so of either process
            found = here.figures()
            assert [found[name] for name in (ACCEPTED, UNSUPPORTED, "pipeline_events_out_total")] == [600, 200, 600]
        assert until(lambda: _told(here) == {"accepted": 600, "unsupported event": 200}, PATIENCE_S)
        before = {each.pid for each in here.workers()}
        psutil.Process(min(before)).kill()
        assert until(lambda: len({each.pid for each in here.workers()} - before) == 1 and here.is_ready(), PATIENCE_S)
        send(here, 1)
        found = [here.figures() for _ in range(10)]
        assert {(each[ACCEPTED], each[UNSUPPORTED], each["pipeline_lag_events"]) for each in found} == {(603, 201, 0)}
        assert until(lambda: _told(here) == {"accepted": 603, "unsupported event": 201}, PATIENCE_S)


def _told(here: Collector) -> dict[str, int]:
    """By outcome, the sum over the processes of the last count that each put on the queue."""
    last = {(each["producer"], each["type"], each["outcome"]): each["events"] for each in here.lines("event-counts")}
    told: Counter[str] = Counter()
    for (_, _, outcome), events in last.items():
        told[outcome] += events
    return dict(told)


def _send_until_gone(here: Collector, client: int, is_over: threading.Event | None = None) -> list[str]:
    """The ids that were acknowledged before the connection ended; one that was late may be with who came after."""
    acknowledged = []
    connection = http.client.HTTPConnection("127.0.0.1", here.port, timeout=PATIENCE_S)
    with closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        for i in itertools.count():
            if is_over and is_over.is_set():
                break
            connection.request("POST", "/", body=json.dumps(SOUND | {"id": f"{client}-{i}"}))
            if json.loads(connection.getresponse().read()) == OK:
                acknowledged.append(f"{client}-{i}")
    return acknowledged


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"EVENTS_HOST": "0.0.0.0"}, "knows no clients"),
        ({"EVENTS_HOST": "::"}, "knows no clients"),
        ({"EVENTS_PORTT": "1"}, "did you mean EVENTS_PORT"),
        ({"INPUT_MAX_LEN": "many"}, "INPUT_MAX_LEN is 'many'"),
        ({"EVENTS_CLIENTS": "/nowhere/clients.json"}, "cannot be read"),
        ({"EVENTS_HOST": "no.such.host.invalid"}, "cannot be listened on"),
    ],
)
def test_what_it_cannot_do_it_says_at_its_start(settings: dict[str, str], says: str, tmp_path: Path) -> None:
    given = {"QUEUE_URL": f"sqlite://{tmp_path}/queue", "EVENTS_PORT": str(free_port())}
    done = subprocess.run(
        COMMAND, env=os.environ | given | settings, capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )
    assert (done.returncode, says in done.stderr, "Traceback" in done.stderr) == (1, True, False), done.stderr
