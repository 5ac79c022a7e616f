"""Finding the data file, or several, inside a zip; nothing is extracted to disk."""

import io
import posixpath
import re
import stat
import struct
import zipfile
import zlib
from collections import Counter
from typing import cast

from data_prep.errors import (
    DamagedArchiveError,
    DataError,
    MemberNotFoundError,
    UnsupportedFormatError,
    listed,
    shown,
)
from data_prep.formats import data_suffixes
from data_prep.limits import Limits
from data_prep.source import naming
from data_prep.source.naming import check_wanted
from data_prep.source.streams import FETCH_AGAIN, Located, View


class EncryptedArchiveError(DataError):
    """A zip file asks for a password."""


class UnsafeMemberNameError(DataError):
    """A zip member's name would leave the folder it is extracted to."""


class SymlinkMemberError(DataError):
    """A zip member is a symbolic link."""


class DuplicateMemberError(DataError):
    """A zip file holds two members of one name."""


class UnsupportedCompressionError(DataError):
    """A zip member uses a compression method other than stored or deflate."""


class AmbiguousMemberError(DataError):
    """No member was asked for and the archive offers several, or none."""


# The member of the UCI archive that the notebook reads.
_NOTEBOOK_MEMBER = "column_2C_weka.arff"

# What every workbook of Excel has, as its own programs write it.
_WORKBOOK = "xl/workbook.xml"
# What a damaged archive makes zipfile, gzip and zlib raise.
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


def in_zip(source: io.BufferedIOBase, name: str, wanted: str | None, limits: Limits) -> Located:
    """Locate a zip's member: the one asked for, else its only data file, else the notebook's.

    Raises:
        DataError: One of its classes for archives.
    """
    archive, entries = _opened(source, name, limits)
    if any(entry.filename == _WORKBOOK for entry in entries):
        check_wanted(wanted, name)
        packed = sum(entry.compress_size for entry in entries)
        return Located(name, lambda: View(source), packed, (), "xlsx")
    return _located(archive, _choose(name, entries, wanted))


def several_in_zip(
    source: io.BufferedIOBase, name: str, pattern: str, limits: Limits
) -> list[Located]:
    """Locate the members of a zip that a pattern names, in the order of their names.

    Raises:
        DataError: One of its classes for archives.
    """
    archive, entries = _opened(source, name, limits)
    by_name = {entry.filename: entry for entry in entries}
    wanted = naming.chosen(by_name, pattern)
    naming.check_count(name, len(wanted))
    return [_located(archive, by_name[each]) for each in wanted]


def _opened(
    source: io.BufferedIOBase, name: str, limits: Limits
) -> tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]:
    try:
        # zipfile reads the whole list of members in one call, of a size the archive declares.
        archive = zipfile.ZipFile(View(source, limits.directory_bytes))
    except _DAMAGE as error:
        raise DamagedArchiveError(
            f"{shown(name)} is not a whole zip file ({error})", remedy=FETCH_AGAIN
        ) from error
    entries = [entry for entry in archive.infolist() if not entry.filename.endswith("/")]
    _check_names(name, entries)
    names = {entry.filename for entry in entries}
    if "[Content_Types].xml" in names and _WORKBOOK not in names:
        raise UnsupportedFormatError(
            f"{shown(name)} is an Office document and no workbook",
            remedy="Give a workbook (.xlsx), or save the table as CSV.",
        )
    return archive, entries


def _located(archive: zipfile.ZipFile, chosen: zipfile.ZipInfo) -> Located:
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
                f"member {shown(chosen.filename)} cannot be opened ({error})", remedy=FETCH_AGAIN
            ) from error

    return Located(chosen.filename, open_entry, chosen.compress_size, _DAMAGE)


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
    suffixes = data_suffixes()
    data = [entry for entry in visible if entry.filename.lower().endswith(suffixes)]
    candidates = data or visible
    if len(candidates) == 1:
        return candidates[0]
    for entry in candidates:
        if posixpath.basename(entry.filename) == _NOTEBOOK_MEMBER:
            return entry
    if not candidates:
        raise AmbiguousMemberError(
            f"{shown(name)} holds no file", remedy="Give an archive with an ARFF or CSV file."
        )
    raise AmbiguousMemberError(
        f"{shown(name)} holds {len(candidates)} files that could be the data",
        remedy=f"Set source.member to one of: {listed(names)}.",
    )
