"""Examining the data file inside what was given.

Nothing is written to disk: a member is a stream that can be opened again. The first pass measures,
hashes and decodes it whole, so that damage, a bomb or a wrong checksum is found before the first
row is parsed, and memory does not grow with the file.
"""

import hashlib
import io
from typing import NamedTuple

from data_prep.errors import DamagedArchiveError, DataError, shown
from data_prep.formats import of_bytes
from data_prep.formats.base import PartFile, PartStart
from data_prep.limits import Limits
from data_prep.source.locate import check_kind, check_not_empty, locate
from data_prep.source.streams import (
    CHUNK,
    FETCH_AGAIN,
    Head,
    Located,
    Onward,
    Transcoded,
    check_size,
)
from data_prep.source.text import TextCheck, begins_records, known_encoding, marked_encoding


class ChecksumError(DataError):
    """The content does not have the SHA-256 that was asked for."""


class Member(NamedTuple):
    """A data file whose bytes have all been read once: whole, decodable, within the limits.

    Attributes:
        name: Its name in the archive, or the name of the bare file.
        size: Its size in bytes, unpacked.
        sha256: Its SHA-256, unpacked, in hexadecimal; of several files, that of the list of theirs
            as the program sha256sum prints it.
        parts: The files, if there are several, in the order of their rows.
    """

    name: str
    size: int
    sha256: str
    parts: tuple["Member", ...] = ()


def examine(
    source: io.BufferedIOBase,
    *,
    name: str,
    wanted: str | None = None,
    sha256: str | None = None,
    encoding: str | None = None,
    kind: str | None = None,
    limits: Limits | None = None,
) -> "Examination":
    """Find the data file and begin to check it.

    Args:
        source: The seekable file as it was given.
        name: Its name, the last part of its address.
        wanted: The member to read. Without it: the archive's only data file, else the notebook's.
        sha256: The SHA-256 that the data file itself, unpacked, must have.
        encoding: Of its text; found out when None.
        kind: The name of its format; found out when None.
        limits: What is too large; the defaults when left out.

    Raises:
        DataError: One of its classes for archives, or for what the first bytes tell.
    """
    limits = limits or Limits()
    located = locate(source, name, wanted, limits)
    return Examination(located, limits, encoding, sha256, kind)


class Examination:
    """The first reading of a data file: every byte is checked on its way.

    Whoever parses what was read so far and refuses it must `finish` first: what is wrong with the
    file as a whole comes before what is wrong with one row.

    Attributes:
        name: The file's name in the archive, or the name of the bare file.
        size: How many bytes have been read.
        packed_size: Its size as it lies in the source: the same for a bare file.
        binary: The format that its first bytes tell; None: it is text.
        encoding: Of its text.
        limits: What is refused for its size.
        is_records: Whether its text begins as a list of JSON objects does.
        parts: None: it is one file.
        starts: None, likewise.
    """

    def __init__(
        self,
        located: Located,
        limits: Limits,
        encoding: str | None,
        sha256: str | None,
        kind: str | None = None,
    ) -> None:
        self.name = located.name
        self.size = 0
        self.packed_size = located.packed_size
        self.encoding = "utf-8"
        self.is_records = False
        self.parts: tuple[PartFile, ...] = ()
        self.starts: list[PartStart] = []
        self._located = located
        self.limits = limits
        self._wanted_digest = sha256
        self._digest = hashlib.sha256()
        self._text: TextCheck | None = None
        self._done = False
        self._refusal: DataError | None = None
        # The bytes from the start on, as far as they are kept.
        self._head: list[bytes] = []
        self._keeps_all = True
        self._is_read_onward = False
        self._stream = located.open()
        first = self._read(CHUNK)
        check_not_empty(self.name, first)
        if located.kind is None:
            check_kind(self.name, first)
        self.binary = of_bytes(first)
        if self.binary is None:
            known = known_encoding(encoding or marked_encoding(first))
            self.is_records = kind in (None, "json") and begins_records(first, known)
            # A list of objects may be one line.
            longest = limits.member_bytes if self.is_records else limits.line_bytes
            self._text = TextCheck(self.name, longest, known, located.open)
            self.encoding = self._text.encoding
        self._check(first)
        self._head.append(first)

    def ends_within(self, most: int) -> bool:
        """Read on to the end or past `most` bytes, keep what was read, tell whether that is all."""
        while self.size <= most and self.read_ahead(CHUNK):
            pass
        return self._done and self.size <= most

    def read_ahead(self, size: int) -> bool:
        """Read and keep some more bytes; False at the end."""
        chunk = self._next(size)
        if chunk:
            self._head.append(chunk)
        return bool(chunk)

    def read(self, size: int) -> bytes:
        """Read and check the next bytes; none at the end.

        Raises:
            DataError: One of its classes for the file as a whole, for archives, and for text.
        """
        chunk = self._next(size)
        self._keeps_all = self._keeps_all and not chunk
        return chunk

    def _next(self, size: int) -> bytes:
        if self._refusal is not None:
            raise self._refusal
        if self._done:
            return b""
        try:
            chunk = self._read(size)
            if chunk:
                self._check(chunk)
            else:
                self._finished()
        except DataError as refusal:
            self._refusal = refusal
            self._close()
            raise
        except BaseException:
            self._close()
            raise
        return chunk

    def finish(self) -> None:
        """Check what has not been read; nothing once the end was reached.

        Raises:
            DataError: One of its classes; the same again once the file was refused.
        """
        while self.read(CHUNK):
            pass

    def member(self) -> Member:
        """Return what is known of the file once its end was reached."""
        return Member(self.name, self.size, self._digest.hexdigest())

    def located(self, error: DataError) -> DataError:
        """Return a refusal as it is: there is one file, whose lines it counts."""
        return error

    def open(self, *, once: bool = False) -> io.BufferedIOBase:
        """Open the file from the start.

        Args:
            once: To be read to the end, by which the rest is examined. Otherwise it is examined to
                the end as soon as somebody reads on beyond what is kept of it.

        Raises:
            DataError: The file was refused before.
        """
        if self._refusal is not None:
            raise self._refusal
        if self._done and not (self._keeps_all and self._head):
            return self._located.open()
        if once:
            self._is_read_onward = True
            head, self._head = self._head, []
            return Onward(head, self.read)
        if self._done and self.binary is not None and self.binary.reads_from_end:
            return self._located.open()
        return Head(self._head, self._beyond)

    def open_utf8(self, *, once: bool = False) -> io.BufferedIOBase:
        """Open its text from the start as UTF-8, a byte order mark perhaps first; see `open`."""
        stream = self.open(once=once)
        return stream if self.encoding == "utf-8" else Transcoded(stream, self.encoding)

    def _beyond(self, at: int) -> io.BufferedIOBase:
        """Open what follows the bytes that are kept."""
        if not self._is_read_onward:
            # What is wrong with the file as a whole comes before what a parser makes of it.
            self.finish()
        if self._done and at == self.size:
            return io.BytesIO()
        stream = self._located.open()
        while at and (chunk := stream.read(min(CHUNK, at))):
            at -= len(chunk)
        return stream

    def _read(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except self._located.damage as error:
            raise DamagedArchiveError(
                f"{shown(self.name)} cannot be unpacked ({error})", remedy=FETCH_AGAIN
            ) from error

    def _check(self, chunk: bytes) -> None:
        self.size += len(chunk)
        check_size(self.name, self.size, self._located.packed_size, self.limits)
        self._digest.update(chunk)
        if self._text is not None:
            self._text.feed(chunk)

    def _finished(self) -> None:
        if self._text is not None:
            self._text.finish()
        digest = self._digest.hexdigest()
        if self._wanted_digest is not None and digest != self._wanted_digest.lower():
            raise ChecksumError(
                f"{shown(self.name)} has SHA-256 {digest}, not {self._wanted_digest.lower()}",
                remedy="Check that it is the file you mean, then correct or leave out "
                "source.sha256.",
            )
        self._close()

    def _close(self) -> None:
        self._done = True
        self._stream.close()
