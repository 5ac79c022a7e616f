"""Finding the data file inside what was given: a zip, a gzip, or the file itself."""

import codecs
import io
import re

from data_prep.errors import DataError, UnsupportedFormatError, shown
from data_prep.limits import Limits
from data_prep.source import compression
from data_prep.source.naming import check_wanted
from data_prep.source.streams import Located, View


class EmptyFileError(DataError):
    """The file, or the chosen member, has no bytes."""


class WebPageError(DataError):
    """The file is an HTML page, what a server answers instead of a file that moved."""


class NestedArchiveError(DataError):
    """The chosen member is an archive itself."""


_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_OTHER_ARCHIVES = {
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!\x1a\x07": "RAR",
}
_OTHER_FORMATS = {
    b"ARROW1": "an Arrow file",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Excel workbook",
    b"SQLite format 3\x00": "an SQLite database",
    b"%PDF-": "a PDF document",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "a NumPy array",
}


def locate(source: io.BufferedIOBase, name: str, wanted: str | None, limits: Limits) -> Located:
    """Find the data file: a zip's member, what a gzip holds, or the file itself.

    Raises:
        DataError: One of its classes for archives, or it is not the member `wanted`.
    """
    size = source.seek(0, io.SEEK_END)
    source.seek(0)
    head = source.read(8)
    check_not_empty(name, head)
    if head.startswith(_ZIP):
        from data_prep.source import archives

        return archives.in_zip(source, name, wanted, limits)
    for magic, kind in _OTHER_ARCHIVES.items():
        if head.startswith(magic):
            raise UnsupportedFormatError(
                f"{shown(name)} is a {kind} archive",
                remedy="Give a zip, a gzip, or the file itself.",
            )
    packing = compression.packing_of(head)
    if packing is not None:
        check_wanted(wanted, compression.inner_name(packing, name))
        return compression.of_file(packing, source, name, size)
    check_wanted(wanted, name)
    return Located(name, lambda: View(source), size)


def locate_several(
    source: io.BufferedIOBase, name: str, pattern: str, limits: Limits
) -> list[Located]:
    """Find the members of an archive that a pattern names, in the order of their names.

    Raises:
        DataError: One of its classes for archives, or it is none.
    """
    source.seek(0)
    head = source.read(8)
    check_not_empty(name, head)
    if not head.startswith(_ZIP):
        check_wanted(pattern, name)
    from data_prep.source import archives

    return archives.several_in_zip(source, name, pattern, limits)


def check_not_empty(name: str, head: bytes) -> None:
    """Refuse a file without a byte.

    Raises:
        EmptyFileError: It is.
    """
    if not head:
        raise EmptyFileError(
            f"{shown(name)} is empty", remedy="Give a file with a header and rows of data."
        )


def check_kind(name: str, head: bytes) -> None:
    """Refuse by name what is no table of a format that is read here, from its first bytes.

    Raises:
        DataError: It is an archive, a web page, or a known kind of file.
    """
    packed = {each.magic: each.name for each in compression.PACKINGS}
    for magic, kind in {**dict.fromkeys(_ZIP, "zip"), **packed, **_OTHER_ARCHIVES}.items():
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
