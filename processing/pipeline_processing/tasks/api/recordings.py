"""`/recordings`: what is recorded, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline_queue.clock import Clock
from pipeline_queue.errors import BadRecording

from pipeline_processing.tasks.api.bodies import RecordingBody, read, read_time
from pipeline_processing.tasks.api.listing import Field, chosen, matching, page
from pipeline_processing.tasks.api.messages import Request, Response, answered, done, link
from pipeline_processing.tasks.changes import checked_id
from pipeline_processing.tasks.errors import Refused
from pipeline_processing.tasks.recordings import Recording, Recordings
from pipeline_processing.tasks.registry import TaskRegistry
from pipeline_processing.tasks.times import rfc3339

LISTED = ("link", "id", "type", "size", "date", "error", "status", "progress")
CREATED, UNDER_WAY = 201, 202


class RecordingDoors:
    def __init__(self, registry: TaskRegistry, recordings: Recordings, clock: Clock) -> None:
        self._registry, self._recordings, self._clock = registry, recordings, clock

    def create_stream(self, request: Request) -> Response:
        body, recording_id = _asked(request)
        stop_ns = read_time("stop", body.stop)
        if stop_ns is None:
            raise Refused("must provide stop time")
        task = self._registry.compiled(body.task or "")
        return _whole(self._recordings.create_stream(recording_id, task, stop_ns=stop_ns), CREATED)

    def create_batch(self, request: Request) -> Response:
        body, recording_id = _asked(request)
        start_ns, stop_ns = span(body.start, body.stop, self._clock)
        task = self._registry.compiled(body.task or "")
        return _whole(
            self._recordings.create_batch(recording_id, task, start_ns=start_ns, stop_ns=stop_ns),
            CREATED,
        )

    def create_query(self, request: Request) -> Response:
        body, recording_id = _asked(request)
        if not body.query:
            raise Refused("must provide query")
        kind = body.type or "stream"
        return _whole(self._recordings.create_query(recording_id, body.query, kind=kind), CREATED)

    def create_import(self, request: Request) -> Response:
        """Of the body, which is a recording's file; `id` is a parameter."""
        recording_id = checked_id("recording", request.first("id"))
        try:
            return _whole(self._recordings.create_import(recording_id, request.body), CREATED)
        except BadRecording as reason:
            raise Refused(f"invalid recording: {reason}") from None

    def show(self, _request: Request, recording_id: str) -> Response:
        """202 says that it is still running."""
        found = self._recordings.show(recording_id)
        return _whole(found, UNDER_WAY if found.status == "running" else 200)

    def list(self, request: Request) -> Response:
        found = matching("recordings", self._recordings.every(), request, lambda each: each.id)
        return answered({"recordings": [chosen(_fields(each), request, LISTED) for each in page(found, request)]})

    def delete(self, _request: Request, recording_id: str) -> Response:
        self._recordings.delete(recording_id)
        return done()


def span(start: str | None, stop: str | None, clock: Clock) -> tuple[int, int]:
    """From when to when; it ends now if nothing else is said. Raises Refused."""
    start_ns, stop_ns = read_time("start", start), read_time("stop", stop)
    if start_ns is None:
        raise Refused("must provide start time")
    return start_ns, clock.now_ns() if stop_ns is None else stop_ns


def _asked(request: Request) -> tuple[RecordingBody, str]:
    body = read(request.body, RecordingBody)
    return body, checked_id("recording", body.id or "")


def _whole(recording: Recording, status: int) -> Response:
    return answered({name: value() for name, value in _fields(recording).items()}, status)


def _fields(recording: Recording) -> Mapping[str, Field]:
    return {
        "link": lambda: link("recordings", recording.id),
        "id": lambda: recording.id,
        "type": lambda: recording.type,
        "size": lambda: recording.size_bytes,
        "date": lambda: rfc3339(recording.date_ns),
        "error": lambda: recording.error,
        "status": lambda: recording.status,
        "progress": lambda: recording.progress,
    }
