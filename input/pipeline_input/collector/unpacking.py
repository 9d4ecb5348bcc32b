"""A request's body, unpacked.

In:      bytes, and the name of their encoding as the header `Content-Encoding` gives it.
Out:     bytes, at most as many as are allowed.
Refuses: (BadEncoding) an encoding that is not known, or bytes that are none of it; (TooMuch) more than allowed.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Mapping
from typing import IO

from backports import zstd


class BadEncoding(Exception):
    """The body is not packed as it says."""


class TooMuch(Exception):
    """The body is larger than allowed, once it is unpacked."""


def unpacked(body: bytes, encoding: str | None, *, bytes_max: int) -> bytes:
    """Raises BadEncoding, TooMuch. No more is unpacked than is allowed, whatever the body would become."""
    encoding = (encoding or "identity").strip().lower()
    if encoding == "identity":
        return body
    if encoding not in READERS:
        raise BadEncoding(f"`Content-Encoding: {encoding}` is not known; there are {', '.join(READERS)}")
    try:
        found = READERS[encoding](io.BytesIO(body)).read(bytes_max + 1)
    except (OSError, EOFError, zlib.error, zstd.ZstdError) as error:
        raise BadEncoding(f"the body is not {encoding}: {error}") from error
    if len(found) > bytes_max:
        raise TooMuch(f"more than {bytes_max:,} bytes, unpacked")
    return found


def _of_gzip(packed: IO[bytes]) -> IO[bytes]:
    return gzip.GzipFile(fileobj=packed)


READERS: Mapping[str, Callable[[IO[bytes]], IO[bytes]]] = {"gzip": _of_gzip, "zstd": zstd.ZstdFile}
