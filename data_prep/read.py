"""Choosing and checking the data file inside what was given: a zip, a gzip, or the file itself.

Nothing is written to disk: a member is a stream that can be opened again. The first pass measures,
hashes and decodes it whole, so that damage, a bomb or a wrong checksum is found before the first
row is parsed, and memory does not grow with the file.
"""

import codecs
import hashlib
import io
import posixpath
import re
from collections.abc import Callable
from typing import BinaryIO, NamedTuple, Protocol, cast

from data_prep import arff
from data_prep.errors import (
    ArchiveBombError,
    BinaryContentError,
    ChecksumError,
    DamagedArchiveError,
    EmptyFileError,
    EncodingError,
    LineTooLongError,
    MemberNotFoundError,
    NestedArchiveError,
    TooLargeError,
    TooManyMembersError,
    UnsupportedFormatError,
    WebPageError,
    shown,
)
from data_prep.options import Format
from data_prep.table import Rows

# Here and below, what only some files need is imported where it is needed: for the notebook's file,
# imports are most of the time.

FETCH_AGAIN = "Download the file again, or make the archive again."

_PARQUET = b"PAR1"
_CHUNK = 1 << 18
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_GZIP = b"\x1f\x8b"
_OTHER_ARCHIVES = {
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!\x1a\x07": "RAR",
    b"\x28\xb5\x2f\xfd": "Zstandard",
}
_OTHER_FORMATS = {
    b"ARROW1": "an Arrow file",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Excel workbook",
    b"SQLite format 3\x00": "an SQLite database",
    b"%PDF-": "a PDF document",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "a NumPy array",
}


class Limits(NamedTuple):
    """What is refused for its size, and where one way of working ends and the next begins.

    Attributes:
        member_bytes: Largest data file, unpacked.
        rows: Most rows; each takes about 30 bytes while rows are dealt out.
        line_bytes: Longest line.
        ratio: Most times a member may be larger than its compressed form, once it has passed
            `ratio_from` bytes. Tables of numbers compress 2 to 20 times, deflate at most 1,032.
        ratio_from: Size below which a high ratio does no harm.
        directory_bytes: Largest list of members of a zip file (about 100 bytes a member).
        small_bytes: Files up to this size are prepared with the standard library alone, which is
            quicker than importing more.
        exact_bytes: Files up to this size are written in the notebook's row order, shuffled in
            memory; larger ones have the same rows in each part, in the order of the file.
    """

    member_bytes: int = 8 << 30
    rows: int = 100_000_000
    line_bytes: int = 1 << 20
    ratio: int = 200
    ratio_from: int = 10 << 20
    directory_bytes: int = 4 << 20
    small_bytes: int = 2 << 20
    exact_bytes: int = 192 << 20


class Member(NamedTuple):
    """A data file whose bytes have all been read once: whole, decodable, within the limits.

    Attributes:
        name: Its name in the archive, or the name of the bare file.
        size: Its size in bytes, unpacked.
        sha256: Its SHA-256, unpacked, in hexadecimal.
        open: Opens it again from the start.
        encoding: Of its text; None for a Parquet file.
    """

    name: str
    size: int
    sha256: str
    open: Callable[[], io.BufferedIOBase]
    encoding: str | None = "utf-8"

    @property
    def open_once(self) -> Callable[[], io.BufferedIOBase]:
        """The same as `open`: the file has been examined."""
        return self.open


def member(
    source: io.BufferedIOBase,
    *,
    name: str,
    wanted: str | None = None,
    sha256: str | None = None,
    encoding: str | None = None,
    limits: Limits | None = None,
) -> Member:
    """Find the data file and check it whole.

    Args:
        source: The seekable file as it was given.
        name: Its name, the last part of its address.
        wanted: The member to read. Without it: the archive's only data file, else the notebook's.
        sha256: The SHA-256 that the data file itself, unpacked, must have.
        encoding: Of its text; found out when None.
        limits: What is too large; the defaults when left out.

    Raises:
        DataError: One of its classes for the file as a whole, for archives, and for text.
    """
    found = examine(
        source, name=name, wanted=wanted, sha256=sha256, encoding=encoding, limits=limits
    )
    found.finish()
    return found.member()


class _DataFile(Protocol):
    """What `opened` needs of a data file, examined whole or not yet."""

    @property
    def name(self) -> str: ...
    @property
    def encoding(self) -> str | None: ...
    @property
    def open(self) -> Callable[[], io.BufferedIOBase]: ...
    @property
    def open_once(self) -> Callable[[], io.BufferedIOBase]: ...


class Opened(NamedTuple):
    """A data file with its header read.

    Attributes:
        rows: Its columns, and its rows as text.
        open_bytes: Opens the text again from the start as UTF-8 lines, a byte order mark perhaps
            first. The header takes `rows.header_lines` of them.
        open_once: Does so for the first reading to the end, which may examine the file on its way.
    """

    rows: Rows
    open_bytes: Callable[[], io.BufferedIOBase]
    open_once: Callable[[], io.BufferedIOBase]


def opened(chosen: _DataFile, form: Format | None = None) -> Opened:
    """Read a data file's header, by the format given, else by its suffix, else by its first line.

    Raises:
        DataError: Its header is refused by the reader of the format.
    """
    form = form or Format()
    encoding = chosen.encoding
    if encoding is None:
        from data_prep import parquet

        table = parquet.ParquetRows(chosen.open, chosen.name)
        return Opened(table, table.open_bytes, table.open_bytes)

    def as_utf8(stream: io.BufferedIOBase) -> io.BufferedIOBase:
        return stream if encoding == "utf-8" else _Transcoded(stream, encoding)

    def utf8() -> io.BufferedIOBase:
        return as_utf8(chosen.open())

    def once() -> io.BufferedIOBase:
        return as_utf8(chosen.open_once())

    def text(newline: str | None) -> io.TextIOWrapper:
        # BinaryIO adds a name to what BufferedIOBase has; the wrapper does not use it.
        return io.TextIOWrapper(cast("BinaryIO", utf8()), encoding="utf-8-sig", newline=newline)

    suffix = posixpath.splitext(chosen.name.lower())[1]
    if form.kind == "arff" or (
        form.kind is None
        and (suffix == ".arff" or (suffix not in (".csv", ".tsv") and arff.looks_like(text(None))))
    ):
        return Opened(arff.ArffRows(lambda: text(None)), utf8, once)
    from data_prep import delimited

    reader = delimited.DelimitedRows(
        lambda: text(""), delimiter=form.delimiter, header=form.header is not False
    )
    return Opened(reader, utf8, once)


def rows(chosen: _DataFile, form: Format | None = None) -> Rows:
    """Return the reader for a data file; see `opened`."""
    return opened(chosen, form).rows


class _Transcoded(io.BufferedIOBase):
    """A stream of text in some encoding, read as UTF-8."""

    def __init__(self, source: io.BufferedIOBase, encoding: str) -> None:
        self._source = source
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._ready = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        parts = [self._ready]
        have = len(self._ready)
        while size is None or size < 0 or have < size:
            chunk = self._source.read(_CHUNK)
            parts.append(self._decoder.decode(chunk, final=not chunk).encode())
            have += len(parts[-1])
            if not chunk:
                break
        whole = b"".join(parts)
        end = len(whole) if size is None or size < 0 else size
        self._ready = whole[end:]
        return whole[:end]

    def read1(self, size: int = -1, /) -> bytes:
        return self.read(_CHUNK if size < 0 else size)

    def close(self) -> None:
        self._source.close()
        super().close()


class Located(NamedTuple):
    """A data file that was found and not read yet.

    Attributes:
        name: Its name in the archive, or the name of the bare file.
        open: Opens it from the start.
        packed_size: Its size in bytes as it lies in the source.
        damage: What reading it raises when the archive is damaged.
    """

    name: str
    open: Callable[[], io.BufferedIOBase]
    packed_size: int
    damage: tuple[type[Exception], ...] = ()


def _locate(source: io.BufferedIOBase, name: str, wanted: str | None, limits: Limits) -> Located:
    size = source.seek(0, io.SEEK_END)
    source.seek(0)
    head = source.read(8)
    if not head:
        raise EmptyFileError(
            f"{shown(name)} is empty", remedy="Give a file with a header and rows of data."
        )
    if head.startswith(_ZIP):
        from data_prep import archive

        return archive.in_zip(source, name, wanted, limits)
    for magic, kind in _OTHER_ARCHIVES.items():
        if head.startswith(magic):
            raise UnsupportedFormatError(
                f"{shown(name)} is a {kind} archive",
                remedy="Give a zip, a gzip, or the file itself.",
            )
    if head.startswith(_GZIP):
        inner = re.sub(r"\.gz(ip)?$", "", name, flags=re.IGNORECASE)
        _check_wanted(wanted, inner)
        from data_prep import archive

        return archive.in_gzip(source, inner, size)
    _check_wanted(wanted, name)
    return Located(name, lambda: View(source), size)


def _check_wanted(wanted: str | None, name: str) -> None:
    if wanted is not None and wanted != name:
        raise MemberNotFoundError(
            f"{shown(wanted)} was asked for and the file is {shown(name)}, which has no members",
            remedy="Leave source.member out, or give a zip file that holds it.",
        )


class View(io.BufferedIOBase):
    """A stream over a file, with a place of its own in it; closing this does not close the file.

    With `most`, one read of more than that many bytes is refused.
    """

    def __init__(self, source: io.BufferedIOBase, most: int | None = None) -> None:
        self._source = source
        self._most = most
        self._at = 0

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that it can be read from anywhere."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place."""
        if whence == io.SEEK_CUR:
            offset, whence = self._at + offset, io.SEEK_SET
        self._at = self._source.seek(offset, whence)
        return self._at

    def tell(self) -> int:
        """Return the place reached."""
        return self._at

    def read(self, size: int | None = -1, /) -> bytes:
        """Read on from the place reached, wherever the file itself stands."""
        if self._most is not None and size is not None and size > self._most:
            raise TooManyMembersError(
                f"the archive's list of members takes {size:,} bytes, more than {self._most:,}",
                remedy="Give an archive of the data file alone.",
            )
        if self._source.tell() != self._at:
            self._source.seek(self._at)
        found = self._source.read(size)
        self._at += len(found)
        return found

    def read1(self, size: int = -1, /) -> bytes:
        """Read on, some bytes at least."""
        return self.read(_CHUNK if size < 0 else size)


def examine(
    source: io.BufferedIOBase,
    *,
    name: str,
    wanted: str | None = None,
    sha256: str | None = None,
    encoding: str | None = None,
    limits: Limits | None = None,
) -> "Examination":
    """Find the data file and begin to check it; see `member` for the arguments.

    Raises:
        DataError: One of its classes for archives, or for what the first bytes tell.
    """
    limits = limits or Limits()
    return Examination(_locate(source, name, wanted, limits), limits, encoding, sha256)


class NotExaminedError(Exception):
    """More of a file was asked for than has been examined."""


class Examination:
    """The first reading of a data file: every byte is checked on its way.

    Whoever parses what was read so far and refuses it must `finish` first: what is wrong with the
    file as a whole comes before what is wrong with one row.

    Attributes:
        name: The file's name in the archive, or the name of the bare file.
        size: How many bytes have been read.
        packed_size: Its size as it lies in the source: the same for a bare file.
        encoding: Of its text; None for a Parquet file.
    """

    def __init__(
        self, located: Located, limits: Limits, encoding: str | None, sha256: str | None
    ) -> None:
        self.name = located.name
        self.size = 0
        self.packed_size = located.packed_size
        self.encoding: str | None = None
        self._located = located
        self._limits = limits
        self._wanted_digest = sha256
        self._digest = hashlib.sha256()
        self._text: _TextCheck | None = None
        self._done = False
        # The bytes from the start on, as far as they are kept.
        self._head: list[bytes] = []
        self._keeps_all = True
        self._stream = located.open()
        first = self._read(_CHUNK)
        if not first:
            raise EmptyFileError(
                f"{shown(self.name)} is empty", remedy="Give a file with a header and rows of data."
            )
        _check_kind(self.name, first)
        if not first.startswith(_PARQUET):
            self._text = _TextCheck(self.name, limits, encoding or _marked(first), located.open)
            self.encoding = self._text.encoding
        self._check(first)
        self._head.append(first)

    def ends_within(self, most: int) -> bool:
        """Read on to the end or past `most` bytes, keep what was read, tell whether that is all."""
        while self.size <= most and self.read_ahead(_CHUNK):
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
        if self._done:
            return b""
        try:
            chunk = self._read(size)
            if chunk:
                self._check(chunk)
            else:
                self._finished()
        except BaseException:
            self._close()
            raise
        return chunk

    def finish(self) -> None:
        """Check what has not been read; nothing once the end or a refusal was reached."""
        while self.read(_CHUNK):
            pass

    def member(self) -> Member:
        """Return what is known of the file once its end was reached."""
        return Member(
            self.name, self.size, self._digest.hexdigest(), self._located.open, self.encoding
        )

    def open(self) -> io.BufferedIOBase:
        """Open the file from the start; before its end was reached, as far as it is kept."""
        if self._done and (self.encoding is None or not (self._keeps_all and self._head)):
            return self._located.open()
        return _Head(self._head, whole=self._done)

    def open_once(self) -> io.BufferedIOBase:
        """Open it from the start to be read to the end once, by which the rest is checked."""
        if self._done and not (self._keeps_all and self._head):
            return self._located.open()
        return _Onward(self._head, self)

    def _read(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except self._located.damage as error:
            raise DamagedArchiveError(
                f"{shown(self.name)} cannot be unpacked ({error})", remedy=FETCH_AGAIN
            ) from error

    def _check(self, chunk: bytes) -> None:
        self.size += len(chunk)
        _check_size(self.name, self.size, self._located.packed_size, self._limits)
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


class _Pieces(io.BufferedIOBase):
    """A stream read once from start to end, whose `_some` gives the next bytes."""

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(_CHUNK), b""))
        return self._some(size)

    def read1(self, size: int = -1, /) -> bytes:
        return self.read(_CHUNK if size < 0 else size)

    def _some(self, size: int) -> bytes:
        raise NotImplementedError


class _Head(_Pieces):
    """The first bytes of a file, which goes on unless they are the whole."""

    def __init__(self, pieces: list[bytes], *, whole: bool) -> None:
        self._pieces = iter(pieces)
        self._piece = b""
        self._at = 0
        self._whole = whole

    def _some(self, size: int) -> bytes:
        if self._at == len(self._piece):
            self._piece, self._at = next(self._pieces, b""), 0
            if not (self._piece or self._whole):
                raise NotExaminedError
        found = self._piece[self._at : self._at + size]
        self._at += len(found)
        return found


class _Onward(_Pieces):
    """A file that is examined while it is read: first what was kept of it, then the rest."""

    def __init__(self, head: list[bytes], rest: Examination) -> None:
        self._head = head
        self._at = 0
        self._rest = rest

    def _some(self, size: int) -> bytes:
        if not self._head:
            return self._rest.read(size)
        found = self._head[0][self._at : self._at + size]
        self._at += len(found)
        if self._at == len(self._head[0]):
            del self._head[0]
            self._at = 0
        return found


def _marked(head: bytes) -> str:
    """Return the encoding that a byte order mark tells, UTF-8 without one."""
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    return "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8"


def _check_size(name: str, size: int, packed_size: int, limits: Limits) -> None:
    if size > limits.ratio_from and size > limits.ratio * max(packed_size, 1):
        raise ArchiveBombError(
            f"{shown(name)} unpacks to more than {limits.ratio} times its compressed size",
            remedy="Give the file uncompressed if it really is that repetitive.",
        )
    if size > limits.member_bytes:
        raise TooLargeError(
            f"{shown(name)} is larger than {limits.member_bytes:,} bytes",
            remedy="Give a smaller file: sample its rows, or drop columns.",
        )


def _check_kind(name: str, head: bytes) -> None:
    """Refuse by name what is not text, from its first bytes."""
    for magic, kind in {**dict.fromkeys(_ZIP, "zip"), _GZIP: "gzip", **_OTHER_ARCHIVES}.items():
        if head.startswith(magic):
            raise NestedArchiveError(
                f"{shown(name)} is itself a {kind} archive",
                remedy="Take the data file out of the inner archive.",
            )
    for magic, kind in _OTHER_FORMATS.items():
        if head.startswith(magic):
            raise UnsupportedFormatError(
                f"{shown(name)} is {kind}", remedy="Save the table as CSV or ARFF."
            )
    if head[257:262] == b"ustar":
        raise UnsupportedFormatError(
            f"{shown(name)} is a tar archive", remedy="Give a zip, a gzip, or the file itself."
        )
    if re.match(rb"\s*<(!doctype|html|head|\?xml)", head.removeprefix(codecs.BOM_UTF8), re.I):
        raise WebPageError(
            f"{shown(name)} is a web page, not data",
            remedy="The file may have moved or need a login: open its address in a browser.",
        )


class _TextCheck:
    """Finds what is not a text file of lines in its encoding, chunk by chunk."""

    def __init__(
        self,
        name: str,
        limits: Limits,
        encoding: str,
        open_again: Callable[[], io.BufferedIOBase],
    ) -> None:
        self._name = name
        self._limit = limits.line_bytes
        self._open_again = open_again
        self.encoding = _known(encoding)
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
            while left > 0 and (chunk := stream.read(min(_CHUNK, left))):
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


def _known(encoding: str) -> str:
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
