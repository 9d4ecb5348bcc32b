"""Text to text: a script in tickfmt's layout.

Refuses: what is no TICKscript, bytes that are not UTF-8 (TickError).
"""

from __future__ import annotations

from pipeline_processing.tickscript.errors import BadLiteral
from pipeline_processing.tickscript.parser import parse
from pipeline_processing.tickscript.printer import printed
from pipeline_processing.tickscript.tokens import Lines


def formatted(text: str) -> str:
    """The script laid out; laid out again, it stays as it is."""
    return printed(parse(text))


def decoded(script: bytes) -> str:
    try:
        return script.decode()
    except UnicodeDecodeError as error:
        before = script[: error.start].decode()
        at = Lines(before).position(len(before))
        raise BadLiteral(f"byte 0x{script[error.start]:02x} is not UTF-8", at=at) from error
