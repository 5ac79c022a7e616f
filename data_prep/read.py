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
import stat
import struct
import zlib
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, cast

from . import arff
from .errors import (
    AmbiguousMemberError,
    ArchiveBombError,
    BinaryContentError,
    ChecksumError,
    DamagedArchiveError,
    DuplicateMemberError,
    EmptyFileError,
    EncodingError,
    EncryptedArchiveError,
    LineTooLongError,
    MemberNotFoundError,
    NestedArchiveError,
    SymlinkMemberError,
    TooLargeError,
    TooManyMembersError,
    UnsafeMemberNameError,
    UnsupportedCompressionError,
    UnsupportedFormatError,
    WebPageError,
    listed,
    shown,
)
from .options import Format
from .table import Rows

# Here and below, what only some files need is imported where it is needed: for the notebook's file,
# imports are most of the time.
if TYPE_CHECKING:
    import zipfile

# The member of the UCI archive that the notebook reads.
NOTEBOOK_MEMBER = "column_2C_weka.arff"

_DATA_SUFFIXES = (".arff", ".csv", ".tsv", ".parquet")
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
_FETCH_AGAIN = "Download the file again, or make the archive again."


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
    limits = limits or Limits()
    found_name, open_member, packed_size = _locate(source, name, wanted, limits)
    size, digest, found = _examine(found_name, open_member, packed_size, limits, encoding)
    if sha256 is not None and digest != sha256.lower():
        raise ChecksumError(
            f"{shown(found_name)} has SHA-256 {digest}, not {sha256.lower()}",
            remedy="Check that it is the file you mean, then correct or leave out source.sha256.",
        )
    return Member(found_name, size, digest, open_member, found)


class Opened(NamedTuple):
    """A data file with its header read.

    Attributes:
        rows: Its columns, and its rows as text.
        open_bytes: Opens the text again from the start as UTF-8 lines, a byte order mark perhaps
            first. The header takes `rows.header_lines` of them.
    """

    rows: Rows
    open_bytes: Callable[[], io.BufferedIOBase]


def opened(chosen: Member, form: Format | None = None) -> Opened:
    """Read a data file's header, by the format given, else by its suffix, else by its first line.

    Raises:
        DataError: Its header is refused by the reader of the format.
    """
    form = form or Format()
    encoding = chosen.encoding
    if encoding is None:
        from . import parquet

        table = parquet.ParquetRows(chosen.open, chosen.name)
        return Opened(table, table.open_bytes)

    def utf8() -> io.BufferedIOBase:
        return chosen.open() if encoding == "utf-8" else _Transcoded(chosen.open(), encoding)

    def text(newline: str | None) -> io.TextIOWrapper:
        # BinaryIO adds a name to what BufferedIOBase has; the wrapper does not use it.
        return io.TextIOWrapper(cast("BinaryIO", utf8()), encoding="utf-8-sig", newline=newline)

    suffix = posixpath.splitext(chosen.name.lower())[1]
    if form.kind == "arff" or (
        form.kind is None
        and (suffix == ".arff" or (suffix not in (".csv", ".tsv") and arff.looks_like(text(None))))
    ):
        return Opened(arff.ArffRows(lambda: text(None)), utf8)
    from . import delimited

    reader = delimited.DelimitedRows(
        lambda: text(""), delimiter=form.delimiter, header=form.header is not False
    )
    return Opened(reader, utf8)


def rows(chosen: Member, form: Format | None = None) -> Rows:
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


def _damage() -> tuple[type[Exception], ...]:
    """Return what a damaged archive makes zipfile, gzip and zlib raise."""
    import zipfile

    return (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        EOFError,
        NotImplementedError,
        OSError,
        OverflowError,
        ValueError,
    )


def _locate(
    source: io.BufferedIOBase, name: str, wanted: str | None, limits: Limits
) -> tuple[str, Callable[[], io.BufferedIOBase], int]:
    """Return the data file's name, how to open it, and its size as packed."""
    size = source.seek(0, io.SEEK_END)
    source.seek(0)
    head = source.read(8)
    if not head:
        raise EmptyFileError(
            f"{shown(name)} is empty", remedy="Give a file with a header and rows of data."
        )
    if head.startswith(_ZIP):
        return _locate_in_zip(source, name, wanted, limits)
    for magic, kind in _OTHER_ARCHIVES.items():
        if head.startswith(magic):
            raise UnsupportedFormatError(
                f"{shown(name)} is a {kind} archive",
                remedy="Give a zip, a gzip, or the file itself.",
            )
    if head.startswith(_GZIP):
        inner = re.sub(r"\.gz(ip)?$", "", name, flags=re.IGNORECASE)
        _check_wanted(wanted, inner)

        import gzip

        def open_gzip() -> io.BufferedIOBase:
            source.seek(0)
            return gzip.GzipFile(fileobj=source, mode="rb")

        return inner, open_gzip, size
    _check_wanted(wanted, name)

    def open_bare() -> io.BufferedIOBase:
        source.seek(0)
        return _Unclosed(source)

    return name, open_bare, size


def _check_wanted(wanted: str | None, name: str) -> None:
    if wanted is not None and wanted != name:
        raise MemberNotFoundError(
            f"{shown(wanted)} was asked for and the file is {shown(name)}, which has no members",
            remedy="Leave source.member out, or give a zip file that holds it.",
        )


class _Unclosed(io.BufferedIOBase):
    """A stream over a file that outlives it: closing this does not close the file.

    With `most`, one read of more than that many bytes is refused: zipfile reads the whole list of
    members in one call, of a size that the archive itself declares.
    """

    def __init__(self, source: io.BufferedIOBase, most: int | None = None) -> None:
        self._source = source
        self._most = most

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._source.seek(offset, whence)

    def tell(self) -> int:
        return self._source.tell()

    def read(self, size: int | None = -1, /) -> bytes:
        if self._most is not None and size is not None and size > self._most:
            raise TooManyMembersError(
                f"the archive's list of members takes {size:,} bytes, more than {self._most:,}",
                remedy="Give an archive of the data file alone.",
            )
        return self._source.read(size)

    def read1(self, size: int = -1, /) -> bytes:
        return self._source.read1(size)


def _locate_in_zip(
    source: io.BufferedIOBase, name: str, wanted: str | None, limits: Limits
) -> tuple[str, Callable[[], io.BufferedIOBase], int]:
    import zipfile

    try:
        archive = zipfile.ZipFile(_Unclosed(source, limits.directory_bytes))
    except _damage() as error:
        raise DamagedArchiveError(
            f"{shown(name)} is not a whole zip file ({error})", remedy=_FETCH_AGAIN
        ) from error
    entries = [entry for entry in archive.infolist() if not entry.filename.endswith("/")]
    _check_names(name, entries)
    if any(entry.filename == "[Content_Types].xml" for entry in entries):
        raise UnsupportedFormatError(
            f"{shown(name)} is an Office document", remedy="Save the sheet as CSV."
        )
    chosen = _choose(name, entries, wanted)
    if chosen.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise UnsupportedCompressionError(
            f"member {shown(chosen.filename)} uses compression method {chosen.compress_type}",
            remedy="Make the archive again with the ordinary deflate method.",
        )

    def open_entry() -> io.BufferedIOBase:
        try:
            # A ZipExtFile; typeshed declares the wider type.
            return cast("io.BufferedIOBase", archive.open(chosen))
        except _damage() as error:
            raise DamagedArchiveError(
                f"member {shown(chosen.filename)} cannot be opened ({error})", remedy=_FETCH_AGAIN
            ) from error

    return chosen.filename, open_entry, chosen.compress_size


def _check_names(name: str, entries: "list[zipfile.ZipInfo]") -> None:
    """Refuse an archive made to harm whoever extracts it, although nothing here extracts."""
    for entry in entries:
        path = entry.orig_filename.replace("\\", "/")
        if path.startswith("/") or re.match("[A-Za-z]:", path) or "\0" in path:
            unsafe = True
        else:
            unsafe = ".." in path.split("/")
        if unsafe:
            raise UnsafeMemberNameError(
                f"member {shown(entry.orig_filename)} would leave the folder it is extracted to",
                remedy="Make the archive again with plain names, and distrust where it came from.",
            )
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise SymlinkMemberError(
                f"member {shown(entry.filename)} is a symbolic link",
                remedy="Make the archive again with the file itself.",
            )
        if entry.flag_bits & 0x1:
            raise EncryptedArchiveError(
                f"member {shown(entry.filename)} of {shown(name)} is encrypted",
                remedy="Make the archive again without a password.",
            )
    for member_name, times in Counter(entry.filename for entry in entries).items():
        if times > 1:
            raise DuplicateMemberError(
                f"{shown(name)} holds {times} members named {shown(member_name)}",
                remedy="Make the archive again with one of them.",
            )


def _choose(name: str, entries: "list[zipfile.ZipInfo]", wanted: str | None) -> "zipfile.ZipInfo":
    visible = [
        entry
        for entry in entries
        if not any(part.startswith((".", "__MACOSX")) for part in entry.filename.split("/"))
    ]
    names = [entry.filename for entry in visible]
    if wanted is not None:
        matches = [entry for entry in entries if entry.filename == wanted] or [
            entry for entry in visible if posixpath.basename(entry.filename) == wanted
        ]
        if len(matches) == 1:
            return matches[0]
        raise MemberNotFoundError(
            f"{shown(name)} has {'several' if matches else 'no'} members {shown(wanted)}",
            remedy=f"Set source.member to one of: {listed(names) or 'none, it holds no file'}.",
        )
    data = [entry for entry in visible if entry.filename.lower().endswith(_DATA_SUFFIXES)]
    candidates = data or visible
    if len(candidates) == 1:
        return candidates[0]
    for entry in candidates:
        if posixpath.basename(entry.filename) == NOTEBOOK_MEMBER:
            return entry
    if not candidates:
        raise AmbiguousMemberError(
            f"{shown(name)} holds no file", remedy="Give an archive with an ARFF or CSV file."
        )
    raise AmbiguousMemberError(
        f"{shown(name)} holds {len(candidates)} files that could be the data",
        remedy=f"Set source.member to one of: {listed(names)}.",
    )


def _examine(
    name: str,
    open_member: Callable[[], io.BufferedIOBase],
    packed_size: int,
    limits: Limits,
    encoding: str | None,
) -> tuple[int, str, str | None]:
    """Read a member to its end and return its size, its SHA-256 and its text's encoding."""
    digest = hashlib.sha256()
    text: _TextCheck | None = None
    size = 0
    with open_member() as stream:
        while chunk := _read(name, stream, min(_CHUNK, limits.line_bytes)):
            if size == 0:
                _check_kind(name, chunk)
                if not chunk.startswith(_PARQUET):
                    text = _TextCheck(name, limits, encoding or _marked(chunk), open_member)
            size += len(chunk)
            _check_size(name, size, packed_size, limits)
            digest.update(chunk)
            if text is not None:
                text.feed(chunk)
    if size == 0:
        raise EmptyFileError(
            f"{shown(name)} is empty", remedy="Give a file with a header and rows of data."
        )
    if text is not None:
        text.finish()
    return size, digest.hexdigest(), None if text is None else text.encoding


def _marked(head: bytes) -> str:
    """Return the encoding that a byte order mark tells, UTF-8 without one."""
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    return "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8"


def _read(name: str, stream: io.BufferedIOBase, size: int) -> bytes:
    try:
        return stream.read(size)
    except _damage() as error:
        raise DamagedArchiveError(
            f"{shown(name)} cannot be unpacked ({error})", remedy=_FETCH_AGAIN
        ) from error


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
        """Keep the length of the unfinished line; no chunk is longer than the limit."""
        first, last = chunk.find(b"\n"), chunk.rfind(b"\n")
        # Old Mac files end lines by carriage returns alone.
        if (back := chunk.find(b"\r", 0, first if first >= 0 else len(chunk))) >= 0:
            first = back
        if (back := chunk.rfind(b"\r", last + 1)) >= 0:
            last = back
        if self._unfinished + (first if first >= 0 else len(chunk)) > self._limit:
            raise LineTooLongError(
                f"the line has more than {self._limit:,} bytes",
                remedy="Give one row a line; drop columns of long text.",
                line=self._line(0),
            )
        if last < 0:
            self._unfinished += len(chunk)
        else:
            self._unfinished = len(chunk) - 1 - last


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
