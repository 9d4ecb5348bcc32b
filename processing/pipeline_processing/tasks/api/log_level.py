"""`/loglevel`: how much the server logs, until it is started again."""

from __future__ import annotations

import logging

from pipeline_processing.tasks.api.bodies import LevelBody, read
from pipeline_processing.tasks.api.messages import Request, Response, done
from pipeline_processing.tasks.errors import Refused

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}


def set_level(request: Request) -> Response:
    """Kapacitor's names, in small letters or capitals."""
    asked = read(request.body, LevelBody).level
    if asked.lower() not in LEVELS:
        raise Refused(f'invalid log level "{asked}"; there are {", ".join(LEVELS)}')
    logging.getLogger().setLevel(LEVELS[asked.lower()])
    return done()
