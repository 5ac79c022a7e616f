"""Bodies of AWS's answers whose connection is lost before they end."""

import io
import ssl
from typing import Any

import urllib3
from botocore.exceptions import ReadTimeoutError
from botocore.response import StreamingBody
from urllib3.exceptions import IncompleteRead, ProtocolError, SSLError

SECRET = "hunter2"
# What comes out of a body whose connection is lost: urllib3's own, and of the sockets below.
DROPS = [
    SSLError(SECRET),
    ProtocolError(SECRET),
    IncompleteRead(10, 90),
    urllib3.exceptions.ReadTimeoutError(None, SECRET, SECRET),  # type: ignore[arg-type]
    urllib3.exceptions.DecodeError(SECRET),
    ReadTimeoutError(endpoint_url=SECRET),
    ssl.SSLError(SECRET),
    ConnectionResetError(SECRET),
    TimeoutError(SECRET),
]


def stopping(content: bytes, after: int, error: Exception) -> StreamingBody:
    """A body that raises once so many bytes of its content have come."""
    raw: Any = _Stopping(content[:after], error)
    return StreamingBody(raw, len(content))


class _Stopping(io.RawIOBase):
    """The raw body of one answer, as urllib3 gives it to botocore."""

    def __init__(self, content: bytes, error: Exception) -> None:
        self._left = content
        self._error = error

    def read(self, size: int | None = -1) -> bytes:
        """Read on, or raise; without a size, all is wanted, and does not come."""
        if not self._left or size is None or size < 0:
            raise self._error
        found, self._left = self._left[:size], self._left[size:]
        return found
