"""Choosing and checking the data file inside what was given: a zip, a gzip, or the file itself.

Nothing is written to disk: a member is a stream that can be opened again. The first pass measures,
hashes and decodes it whole, so that damage, a bomb or a wrong checksum is found before the first
row is parsed, and memory does not grow with the file.
"""

import codecs
import gzip
import hashlib
import io
import posixpath
import re
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, cast

from . import arff, delimited
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
from .table import Rows

# The member of the UCI archive that the notebook reads.
NOTEBOOK_MEMBER = "column_2C_weka.arff"

_DATA_SUFFIXES = (".arff", ".csv", ".tsv")
_CHUNK = 1 << 16
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
    b"PAR1": "a Parquet file",
    b"ARROW1": "an Arrow file",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Excel workbook",
    b"SQLite format 3\x00": "an SQLite database",
    b"%PDF-": "a PDF document",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "a NumPy array",
}
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    OverflowError,
    ValueError,
)
_FETCH_AGAIN = "Download the file again, or make the archive again."


@dataclass(frozen=True, slots=True)
class Limits:
    """What is refused for its size; the defaults keep `prepare` within 3 GB of memory.

    Attributes:
        member_bytes: Largest data file, unpacked. Preparing takes about three times its size beside
            the source, six times where every value is a single digit.
        rows: Most rows; each takes about 60 bytes more while it is shuffled.
        line_bytes: Longest line.
        ratio: Most times a member may be larger than its compressed form, once it has passed
            `ratio_from` bytes. Tables of numbers compress 2 to 20 times, deflate at most 1,032.
        ratio_from: Size below which a high ratio does no harm.
        directory_bytes: Largest list of members of a zip file (about 100 bytes a member).
    """

    member_bytes: int = 400 << 20
    rows: int = 10_000_000
    line_bytes: int = 1 << 20
    ratio: int = 200
    ratio_from: int = 10 << 20
    directory_bytes: int = 4 << 20


@dataclass(frozen=True, slots=True)
class Member:
    """A data file whose bytes have all been read once: whole, UTF-8, within the limits.

    Attributes:
        name: Its name in the archive, or the name of the bare file.
        size: Its size in bytes, unpacked.
        sha256: Its SHA-256, unpacked, in hexadecimal.
        open: Opens it again from the start.
    """

    name: str
    size: int
    sha256: str
    open: Callable[[], io.BufferedIOBase]


def member(
    source: io.BufferedIOBase,
    *,
    name: str,
    wanted: str | None = None,
    sha256: str | None = None,
    limits: Limits | None = None,
) -> Member:
    """Find the data file and check it whole.

    Args:
        source: The seekable file as it was given.
        name: Its name, the last part of its address.
        wanted: The member to read. Without it: the archive's only data file, else the notebook's.
        sha256: The SHA-256 that the data file itself, unpacked, must have.
        limits: What is too large; the defaults when left out.

    Raises:
        DataError: One of its classes for the file as a whole, for archives, and for text.
    """
    limits = limits or Limits()
    found_name, open_member, packed_size = _locate(source, name, wanted, limits)
    size, digest = _examine(found_name, open_member, packed_size, limits)
    if sha256 is not None and digest != sha256.lower():
        raise ChecksumError(
            f"{shown(found_name)} has SHA-256 {digest}, not {sha256.lower()}",
            remedy="Check that it is the file you mean, then correct or leave out source.sha256.",
        )
    return Member(found_name, size, digest, open_member)


def rows(chosen: Member) -> Rows:
    """Return the reader for a data file: by its suffix, else by how its first line begins.

    Raises:
        DataError: Its header is refused by `arff.ArffRows` or `delimited.DelimitedRows`.
    """

    def text(newline: str | None) -> io.TextIOWrapper:
        # BinaryIO adds a name to what BufferedIOBase has; the wrapper does not use it.
        binary = cast("BinaryIO", chosen.open())
        return io.TextIOWrapper(binary, encoding="utf-8-sig", newline=newline)

    suffix = posixpath.splitext(chosen.name.lower())[1]
    if suffix == ".arff" or (suffix not in (".csv", ".tsv") and arff.looks_like(text(None))):
        return arff.ArffRows(lambda: text(None))
    return delimited.DelimitedRows(lambda: text(""))


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
    try:
        archive = zipfile.ZipFile(_Unclosed(source, limits.directory_bytes))
    except _DAMAGE as error:
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
        except _DAMAGE as error:
            raise DamagedArchiveError(
                f"member {shown(chosen.filename)} cannot be opened ({error})", remedy=_FETCH_AGAIN
            ) from error

    return chosen.filename, open_entry, chosen.compress_size


def _check_names(name: str, entries: list[zipfile.ZipInfo]) -> None:
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


def _choose(name: str, entries: list[zipfile.ZipInfo], wanted: str | None) -> zipfile.ZipInfo:
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
    name: str, open_member: Callable[[], io.BufferedIOBase], packed_size: int, limits: Limits
) -> tuple[int, str]:
    """Read a member to its end and return its size and SHA-256."""
    digest = hashlib.sha256()
    text = _TextCheck(name, limits)
    size = 0
    with open_member() as stream:
        while chunk := _read(name, stream, min(_CHUNK, limits.line_bytes)):
            if size == 0:
                _check_kind(name, chunk)
            size += len(chunk)
            _check_size(name, size, packed_size, limits)
            digest.update(chunk)
            text.feed(chunk)
    text.finish()
    if size == 0:
        raise EmptyFileError(
            f"{shown(name)} is empty", remedy="Give a file with a header and rows of data."
        )
    return size, digest.hexdigest()


def _read(name: str, stream: io.BufferedIOBase, size: int) -> bytes:
    try:
        return stream.read(size)
    except _DAMAGE as error:
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
    """Finds what is not a text file of UTF-8 lines, chunk by chunk."""

    def __init__(self, name: str, limits: Limits) -> None:
        self._name = name
        self._limit = limits.line_bytes
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._lines = 1
        self._unfinished = 0

    def feed(self, chunk: bytes) -> None:
        """Check the next bytes."""
        if self._lines == 1 and self._unfinished == 0 and chunk[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise EncodingError(
                f"{shown(self._name)} is UTF-16", remedy="Save it as UTF-8.", line=1
            )
        if b"\0" in chunk:
            raise BinaryContentError(
                f"{shown(self._name)} holds NUL bytes: it is not text, or not UTF-8",
                remedy="Give ARFF or CSV, saved as UTF-8.",
                line=self._lines + chunk.count(b"\n", 0, chunk.index(b"\0")),
            )
        self._decode(chunk)
        self._measure(chunk)
        self._lines += chunk.count(b"\n")

    def finish(self) -> None:
        """Check that the last character is whole."""
        self._decode(b"", final=True)

    def _decode(self, chunk: bytes, *, final: bool = False) -> None:
        try:
            self._decoder.decode(chunk, final)
        except UnicodeDecodeError as error:
            raise EncodingError(
                f"{shown(self._name)} is not UTF-8: byte 0x{error.object[error.start]:02x}",
                remedy="Save it as UTF-8; older spreadsheets write Latin-1 or Windows-1252.",
                line=self._lines + error.object.count(b"\n", 0, error.start),
            ) from error

    def _measure(self, chunk: bytes) -> None:
        """Keep the length of the unfinished line; no chunk is longer than the limit."""
        ends = [chunk.find(end) for end in (b"\n", b"\r")]
        first = min((end for end in ends if end >= 0), default=len(chunk))
        if self._unfinished + first > self._limit:
            raise LineTooLongError(
                f"the line has more than {self._limit:,} bytes",
                remedy="Give one row a line; drop columns of long text.",
                line=self._lines,
            )
        if max(ends) < 0:
            self._unfinished += len(chunk)
        else:
            self._unfinished = len(chunk) - 1 - max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
