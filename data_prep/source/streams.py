"""Streams over a data file: as it lies in the source, as far as it is kept, and as UTF-8."""

import codecs
import io
from collections.abc import Callable, Iterable
from typing import NamedTuple

from data_prep.errors import DataError, TooLargeError, shown
from data_prep.limits import Limits


class ArchiveBombError(DataError):
    """A member unpacks to far more bytes than data compresses to."""


class TooManyMembersError(DataError):
    """A zip file's list of members is larger than the limit."""


FETCH_AGAIN = "Download the file again, or make the archive again."
CHUNK = 1 << 18


class Located(NamedTuple):
    """A data file that was found and not read yet.

    Attributes:
        name: Its name in the archive, or the name of the bare file.
        open: Opens it from the start.
        packed_size: Its size in bytes as it lies in the source.
        damage: What reading it raises when the archive is damaged.
        kind: The name of its format where more than its first bytes tells it.
    """

    name: str
    open: Callable[[], io.BufferedIOBase]
    packed_size: int
    damage: tuple[type[Exception], ...] = ()
    kind: str | None = None


def check_size(name: str, size: int, packed_size: int, limits: Limits) -> None:
    """Refuse a file for what it unpacks to.

    Raises:
        ArchiveBombError: It is far more than data compresses to.
        TooLargeError: It is more than the limit.
    """
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
        return self.read(CHUNK if size < 0 else size)


class Transcoded(io.BufferedIOBase):
    """A stream of text in some encoding, read as UTF-8."""

    def __init__(self, source: io.BufferedIOBase, encoding: str) -> None:
        self._source = source
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._ready = b""

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Read on, up to so many bytes."""
        parts = [self._ready]
        have = len(self._ready)
        while size is None or size < 0 or have < size:
            chunk = self._source.read(CHUNK)
            parts.append(self._decoder.decode(chunk, final=not chunk).encode())
            have += len(parts[-1])
            if not chunk:
                break
        whole = b"".join(parts)
        end = len(whole) if size is None or size < 0 else size
        self._ready = whole[end:]
        return whole[:end]

    def read1(self, size: int = -1, /) -> bytes:
        """Read on, some bytes at least."""
        return self.read(CHUNK if size < 0 else size)

    def close(self) -> None:
        """Close what it reads from."""
        self._source.close()
        super().close()


class _Pieces(io.BufferedIOBase):
    """A stream read once from start to end, whose `_some` gives the next bytes."""

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Read on, up to so many bytes."""
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(CHUNK), b""))
        return self._some(size)

    def read1(self, size: int = -1, /) -> bytes:
        """Read on, some bytes at least."""
        return self.read(CHUNK if size < 0 else size)

    def _some(self, size: int) -> bytes:
        raise NotImplementedError


class Head(_Pieces):
    """A file from the start: what is kept of it, and beyond that whatever `rest` opens.

    Args:
        pieces: The first bytes.
        rest: Opens what follows so many bytes. It is called only when somebody reads so far.
    """

    def __init__(self, pieces: Iterable[bytes], rest: Callable[[int], io.BufferedIOBase]) -> None:
        self._pieces = iter(pieces)
        self._piece = b""
        self._at = 0
        self._before = 0
        self._open_rest = rest
        self._rest: io.BufferedIOBase | None = None

    def _some(self, size: int) -> bytes:
        if self._rest is not None:
            return self._rest.read(size)
        if self._at == len(self._piece):
            self._before += len(self._piece)
            self._piece, self._at = next(self._pieces, b""), 0
            if not self._piece:
                self._rest = self._open_rest(self._before)
                return self._rest.read(size)
        found = self._piece[self._at : self._at + size]
        self._at += len(found)
        return found

    def close(self) -> None:
        """Close what it reads from."""
        if self._rest is not None:
            self._rest.close()
        super().close()


class Onward(_Pieces):
    """A file that is examined while it is read: first what was kept of it, then what `rest` reads.

    Args:
        head: The first bytes, which are let go one by one.
        rest: Reads and examines the next bytes, at most so many.
    """

    def __init__(self, head: list[bytes], rest: Callable[[int], bytes]) -> None:
        self._head = head
        self._at = 0
        self._rest = rest

    def _some(self, size: int) -> bytes:
        if not self._head:
            return self._rest(size)
        found = self._head[0][self._at : self._at + size]
        self._at += len(found)
        if self._at == len(self._head[0]):
            del self._head[0]
            self._at = 0
        return found
