"""Text: its encoding, and what is no text of lines in it."""

import codecs
import io
import re
from collections.abc import Callable

from data_prep.errors import DataError, LineTooLongError, shown
from data_prep.source.streams import CHUNK


class EncodingError(DataError):
    """The text is not in the encoding given or, where none is given, in UTF-8."""


class BinaryContentError(DataError):
    """The text holds NUL bytes: it is binary, or UTF-16."""


def marked_encoding(head: bytes) -> str:
    """Return the encoding that a byte order mark tells, UTF-8 without one."""
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    return "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8"


def begins_records(head: bytes, encoding: str) -> bool:
    """Tell whether a text begins as a list of JSON objects does."""
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head[:4096])
    return re.match(r"\ufeff?\s*\[\s*(?:\{|\]|$)", text) is not None


class TextCheck:
    """Finds what is not a text file of lines in its encoding, chunk by chunk."""

    def __init__(
        self,
        name: str,
        longest: int,
        encoding: str,
        open_again: Callable[[], io.BufferedIOBase],
    ) -> None:
        self._name = name
        self._limit = longest
        self._open_again = open_again
        self.encoding = encoding
        self._decoder = codecs.getincrementaldecoder(self.encoding)()
        self._wide = self.encoding.startswith(("utf-16", "utf-32"))
        self._whole = True
        self._before = 0
        self._unfinished = 0

    def feed(self, chunk: bytes) -> None:
        """Check the next bytes."""
        if not self._wide and b"\0" in chunk:
            raise BinaryContentError(
                f"{shown(self._name)} holds NUL bytes: it is not text, or not UTF-8",
                remedy="Give ARFF, CSV or Parquet; if it is text in UTF-16, set "
                "source.format.encoding.",
                line=self._line(chunk.index(b"\0")),
            )
        # ASCII means itself in UTF-8, unless a character is still to be finished.
        if not (self.encoding == "utf-8" and self._whole and chunk.isascii()):
            self._decode(chunk)
        self._measure(chunk)
        self._before += len(chunk)

    def finish(self) -> None:
        """Check that the last character is whole."""
        self._decode(b"", final=True)

    def _line(self, at: int) -> int:
        """Count the lines up to a place in this chunk: again from the start, as nobody did."""
        left = self._before + at
        line = 1
        with self._open_again() as stream:
            while left > 0 and (chunk := stream.read(min(CHUNK, left))):
                line += chunk.count(b"\n")
                left -= len(chunk)
        return line

    def _decode(self, chunk: bytes, *, final: bool = False) -> None:
        try:
            text = self._decoder.decode(chunk, final)
        except UnicodeError as error:
            at, found = 0, ""
            if isinstance(error, UnicodeDecodeError):
                # What was kept from the chunk before comes first in what was decoded.
                at = error.start - (len(error.object) - len(chunk))
                found = f": byte 0x{error.object[error.start]:02x}"
            raise EncodingError(
                f"{shown(self._name)} is not {self.encoding.upper()}{found}",
                remedy="Save it as UTF-8, or set source.format.encoding; older spreadsheets write "
                "latin-1 or windows-1252.",
                line=self._line(at),
            ) from error
        self._whole = not self._decoder.getstate()[0]
        if self.encoding != "utf-8" and "\0" in text:
            raise BinaryContentError(
                f"{shown(self._name)} holds NUL characters: it is not {self.encoding.upper()} text",
                remedy="Correct source.format.encoding.",
                line=self._line(0),
            )

    def _measure(self, chunk: bytes) -> None:
        """Refuse a line that is too long, and keep the length of the unfinished one."""
        begin = -self._unfinished
        while len(chunk) - begin > self._limit:
            end = _last_line_end(chunk, max(begin, 0), begin + self._limit + 1)
            if end < 0:
                raise LineTooLongError(
                    f"the line has more than {self._limit:,} bytes",
                    remedy="Give one row a line; drop columns of long text.",
                    line=self._line(max(begin, 0)),
                )
            begin = end + 1
        last = _last_line_end(chunk, max(begin, 0), len(chunk))
        self._unfinished = len(chunk) - (begin if last < 0 else last + 1)


def _last_line_end(chunk: bytes, start: int, end: int) -> int:
    # Old Mac files end lines by carriage returns alone.
    return max(chunk.rfind(b"\n", start, end), chunk.rfind(b"\r", start, end))


def known_encoding(encoding: str) -> str:
    """Return Python's name of a text encoding.

    Raises:
        EncodingError: There is none of this name.
    """
    try:
        "".encode(encoding)
        codecs.getincrementaldecoder(encoding)
        return codecs.lookup(encoding).name
    except (LookupError, ValueError) as error:
        raise EncodingError(
            f"no text encoding is called {shown(encoding)}",
            remedy="Set source.format.encoding to a name such as utf-8, utf-16, latin-1 or "
            "windows-1252.",
        ) from error
