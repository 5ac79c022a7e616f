"""What arrives of a file over HTTP, and what a server says of it."""

import http.client
import re
import tempfile
from typing import IO

# What stays in memory.
IN_MEMORY = 32 << 20

_DIGITS = re.compile("[0-9]+")
_MOST_DIGITS = 18
# RFC 9110, 8.8.3, in ASCII.
_STRONG_TAG = re.compile(r'"[!#-~]*"')
# How a body may be encoded that is taken as it comes: a file in gzip is unpacked where it is read.
_AS_IT_IS = ("identity", "gzip", "x-gzip", "")


class PassingError(Exception):
    """A failure of one try."""


class Download:
    """What has arrived of a file, and what proves that the rest belongs to it.

    A strong ETag changes with every byte of the file (RFC 9110, 8.8.1); without one, a try begins
    anew.
    """

    _RANGE = re.compile(r"bytes ([0-9]{1,18})-[0-9]+/(?:[0-9]+|\*)")

    def __init__(self) -> None:
        self.file: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 (handed on)
        self._tag: str | None = None

    def resumption(self) -> dict[str, str]:
        """Return the headers that ask for the rest, none when everything is wanted."""
        size = self.file.tell()
        if not size or self._tag is None:
            return {}
        return {"Range": f"bytes={size}-", "If-Range": self._tag}

    def begin(self, answer: http.client.HTTPResponse) -> int | None:
        """Go on, or begin anew, as the server answered; return the whole size where it says it.

        Raises:
            PassingError: The server sends another part than was asked for.
        """
        if answer.status == 206:
            found = self._RANGE.fullmatch(answer.headers["Content-Range"] or "")
            if found is None or int(found[1]) != self.file.tell():
                self.restart()
                raise PassingError("the server sent another part of the file than asked for")
        else:
            self.restart()
        tag = answer.headers["ETag"]
        self._tag = tag if tag and _STRONG_TAG.fullmatch(tag) else None
        rest = declared(answer)
        return None if rest is None else self.file.tell() + rest

    def restart(self) -> None:
        """Forget what has arrived."""
        self.file.seek(0)
        self.file.truncate()
        self._tag = None


def unknown_packing(answer: http.client.HTTPResponse) -> str | None:
    """Return how the file is packed for the way, where that is not how it may be.

    `http.client` undoes "chunked" where the first Transfer-Encoding is exactly that word, without a
    blank around it; of everything else the body stays as it was sent.
    """
    sent = answer.headers.get_all("Transfer-Encoding", [])
    if [each.lower() for each in sent] not in ([], ["chunked"]):
        return ", ".join(sent)
    encodings = answer.headers.get_all("Content-Encoding", [])
    return next((each for each in encodings if each.strip(" \t").lower() not in _AS_IT_IS), None)


def declared(answer: http.client.HTTPResponse) -> int | None:
    """Return how many bytes the answer has, where it says so (RFC 9110, 8.6).

    Raises:
        PassingError: It says several things, or none that is a number.
    """
    if answer.headers["Transfer-Encoding"]:
        return None
    said = {
        each.strip()
        for header in answer.headers.get_all("Content-Length", [])
        for each in header.split(",")
    }
    if not said:
        return None
    [length] = said if len(said) == 1 else [""]
    if not _DIGITS.fullmatch(length):
        raise PassingError("the server does not say one length of the file")
    # Beyond any file, and short enough to be read as a number.
    return int(length) if len(length) <= _MOST_DIGITS else int(10**_MOST_DIGITS)
