"""Several files of one table: those of a folder, of a zip or of a tar that a pattern names.

Their rows follow each other in the order of their names. Hidden files, markers such as `_SUCCESS`
and files without a byte are passed over, as Spark does. Folders called `key=value` make columns,
as Hive writes them.
"""

import hashlib
import io
from collections.abc import Iterable, Mapping

from data_prep.errors import DataError, MemberNotFoundError, TooLargeError, shown
from data_prep.formats.base import Format, PartFile, PartStart
from data_prep.limits import Limits
from data_prep.source import compression
from data_prep.source.examination import ChecksumError, Examination, Member
from data_prep.source.locate import locate_several
from data_prep.source.naming import keys_of
from data_prep.source.streams import Located, Transcoded


class Part:
    """One of the files, read once and found whole; see `DataFile` for the other attributes.

    Attributes:
        member: What is known of it.
        path: Its path among them.
        keys: What its folders say of its rows.
    """

    def __init__(self, examined: Examination, located: Located, path: str) -> None:
        examined.finish()
        self.member = examined.member()._replace(name=path)
        self.name = examined.name
        self.binary: Format | None = examined.binary
        self.limits = examined.limits
        self.is_records = examined.is_records
        self.keys: Mapping[str, str] = keys_of(path)
        self.path = path
        self.parts: tuple[PartFile, ...] = ()
        self.starts: list[PartStart] = []
        self._encoding = examined.encoding
        self._located = located

    def open(self, *, once: bool = False) -> io.BufferedIOBase:  # noqa: ARG002 (it was read)
        """Open its bytes from the start."""
        return self._located.open()

    def open_utf8(self, *, once: bool = False) -> io.BufferedIOBase:  # noqa: ARG002
        """Open its text likewise as UTF-8, a byte order mark perhaps first."""
        stream = self._located.open()
        return stream if self._encoding == "utf-8" else Transcoded(stream, self._encoding)


class Collection:
    """Several files, each of which was read once: what an `Examination` is of one.

    Attributes:
        name: Of the first file, which tells the format of all.
        size: Their bytes, unpacked.
        packed_size: Their bytes as they lie in the source.
        parts: The files.
        starts: Where the rows of each file begin; known once they are read as one.
    """

    def __init__(
        self,
        name: str,
        located: Iterable[Located],
        limits: Limits,
        *,
        encoding: str | None,
        sha256: str | None,
        kind: str | None,
    ) -> None:
        self.limits = limits
        self.size = self.packed_size = 0
        self.starts: list[PartStart] = []
        self._folder = name
        found: list[Part] = []
        for each in located:
            part = self._read(each, encoding, kind)
            if part is not None:
                found.append(part)
        if not found:
            raise MemberNotFoundError(
                f"{shown(name)} holds no file of data that is asked for",
                remedy="Correct source.uri or source.member; names that begin with . or _, and "
                "files without a byte, are passed over.",
            )
        self.parts = tuple(found)
        first = self.parts[0]
        self.name, self.binary, self.is_records = first.name, first.binary, first.is_records
        self._check_sum(sha256)

    def _read(self, each: Located, encoding: str | None, kind: str | None) -> Part | None:
        try:
            with each.open() as stream:
                if not stream.read(1):
                    return None
            located = compression.inside(each)
            self.packed_size += each.packed_size
            part = Part(Examination(located, self.limits, encoding, None, kind), located, each.name)
        except each.damage as error:
            # Its own reader says so where there is one.
            raise compression.damaged(each.name, error) from error
        self.size += part.member.size
        if self.size > self.limits.member_bytes:
            raise TooLargeError(
                f"the files of {shown(self._folder)} are larger than "
                f"{self.limits.member_bytes:,} bytes",
                remedy="Give fewer files: sample their rows, or drop columns.",
            )
        return part

    def _check_sum(self, wanted: str | None) -> None:
        found = self.member().sha256
        if wanted is not None and found != wanted.lower():
            raise ChecksumError(
                f"the list of the files of {shown(self._folder)} has SHA-256 {found}, not "
                f"{wanted.lower()}",
                remedy="Check that they are the files you mean, then correct or leave out "
                "source.sha256.",
            )

    def ends_within(self, most: int) -> bool:
        """Tell whether all files together have at most so many bytes."""
        return self.size <= most

    def read_ahead(self, size: int) -> bool:  # noqa: ARG002 (as an examination does)
        """Tell that everything was read."""
        return False

    def finish(self) -> None:
        """Do nothing: every file was checked."""

    def member(self) -> Member:
        """Return what is known of the files."""
        members = tuple(part.member for part in self.parts)
        listed = "".join(f"{each.sha256}  {each.name}\n" for each in members)
        digest = hashlib.sha256(listed.encode()).hexdigest()
        return Member(self._folder, self.size, digest, members)

    def open(self, *, once: bool = False) -> io.BufferedIOBase:
        """Open the first file."""
        return self.parts[0].open(once=once)

    def open_utf8(self, *, once: bool = False) -> io.BufferedIOBase:
        """Open the text of the first file as UTF-8."""
        return self.parts[0].open_utf8(once=once)

    def located(self, error: DataError) -> DataError:
        """Return a refusal that names the file, and the line in it, by the line of all of them."""
        placed = [self._placed(each) for each in (error, *error.others)]
        same = all(one is other for one, other in zip(placed, (error, *error.others), strict=True))
        return error if same else placed[0].told(others=placed[1:])

    def _placed(self, error: DataError) -> DataError:
        if error.file is not None or error.line is None or not self.starts:
            return error
        start = [each for each in self.starts if each.line <= error.line][-1]
        return error.found_in(start.path, error.line - start.line + start.in_file)


def examine_several(
    source: io.BufferedIOBase,
    *,
    name: str,
    pattern: str,
    sha256: str | None = None,
    encoding: str | None = None,
    kind: str | None = None,
    limits: Limits | None = None,
) -> Collection:
    """Find and check the files of an archive that are to be read as one.

    Args:
        source: The seekable archive as it was given.
        name: Its name, the last part of its address.
        pattern: Which members: a folder that ends with a slash, or a name in which * stands for
            any characters.
        sha256: The SHA-256 of the list of the files; see `Member`.
        encoding: Of their text; found out when None.
        kind: The name of their format; found out when None.
        limits: What is too large; the defaults when left out.

    Raises:
        DataError: One of its classes for archives, or for one of the files.
    """
    limits = limits or Limits()
    located = locate_several(source, name, pattern, limits)
    return Collection(name, located, limits, encoding=encoding, sha256=sha256, kind=kind)
