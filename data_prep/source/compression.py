"""Files that are compressed one by one: gzip, bzip2, xz and Zstandard, unpacked on the way."""

import io
import re
import struct
import zlib
from collections.abc import Callable
from typing import NamedTuple, Protocol

from data_prep.errors import DamagedArchiveError, shown
from data_prep.source.streams import CHUNK, FETCH_AGAIN, Located, View

# A stream of xz says how large a window it needs, up to 4 GiB.
_XZ_MEMORY = 256 << 20


class Packing(NamedTuple):
    """A way to compress one file.

    Attributes:
        name: For people.
        magic: What such files begin with.
        suffix: How their names end: a pattern.
        open: Opens what a stream of it holds.
    """

    name: str
    magic: bytes
    suffix: str
    open: Callable[[io.BufferedIOBase], io.BufferedIOBase]


def damaged(name: str, error: Exception) -> DamagedArchiveError:
    """Return the refusal of a file that cannot be unpacked."""
    return DamagedArchiveError(f"{shown(name)} cannot be unpacked ({error})", remedy=FETCH_AGAIN)


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def needs_input(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _DamagedError(ValueError):
    """What a library's own error of damage is turned into."""


# What damaged files make the libraries raise.
DAMAGE = (zlib.error, struct.error, EOFError, OSError, OverflowError, ValueError)


def _open_gzip(source: io.BufferedIOBase) -> io.BufferedIOBase:
    import gzip

    return gzip.GzipFile(fileobj=source, mode="rb")


def _open_bzip2(source: io.BufferedIOBase) -> io.BufferedIOBase:
    import bz2

    return io.BufferedReader(_Unpacked(source, bz2.BZ2Decompressor, OSError), CHUNK)


def _open_xz(source: io.BufferedIOBase) -> io.BufferedIOBase:
    import lzma

    def make() -> _Decompressor:
        return lzma.LZMADecompressor(memlimit=_XZ_MEMORY)

    return io.BufferedReader(_Unpacked(source, make, lzma.LZMAError), CHUNK)


def _open_zstandard(source: io.BufferedIOBase) -> io.BufferedIOBase:
    from data_prep.source import zstandard

    return zstandard.unpacked(source)


PACKINGS: tuple[Packing, ...] = (
    Packing("gzip", b"\x1f\x8b", r"\.gz(ip)?$", _open_gzip),
    Packing("bzip2", b"BZh", r"\.bz2?$", _open_bzip2),
    Packing("xz", b"\xfd7zXZ\x00", r"\.xz$", _open_xz),
    Packing("Zstandard", b"\x28\xb5\x2f\xfd", r"\.zst(d)?$", _open_zstandard),
)


def packing_of(head: bytes) -> Packing | None:
    """Return how a file is compressed, by its first bytes; None: it is not."""
    return next((each for each in PACKINGS if head.startswith(each.magic)), None)


def inner_name(packing: Packing, name: str) -> str:
    """Return the name of what a compressed file holds."""
    found = re.sub(packing.suffix, "", name, flags=re.IGNORECASE)
    return re.sub(r"\.t(gz|bz2?|xz|zst)$", ".tar", found, flags=re.IGNORECASE)


def inside(located: Located) -> Located:
    """Locate what a file holds if it is compressed, else the file itself."""
    with located.open() as stream:
        packing = packing_of(stream.read(8))
    if packing is None:
        return located
    return Located(
        inner_name(packing, located.name),
        lambda: packing.open(located.open()),
        located.packed_size,
        (*DAMAGE, *located.damage),
    )


def of_file(packing: Packing, source: io.BufferedIOBase, name: str, size: int) -> Located:
    """Locate what a compressed file holds."""
    return Located(inner_name(packing, name), lambda: packing.open(View(source)), size, DAMAGE)


class _Unpacked(io.RawIOBase):
    """What a compressed stream holds, or several of them one after the other.

    Args:
        source: The stream.
        make: Makes what unpacks one of them, a bounded piece at a time.
        damage: What that raises for damage.
    """

    def __init__(
        self,
        source: io.BufferedIOBase,
        make: Callable[[], _Decompressor],
        damage: type[Exception],
    ) -> None:
        self._source = source
        self._make = make
        self._damage = damage
        self._unpacking: _Decompressor | None = None

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: "memoryview[int]", /) -> int:  # type: ignore[override]
        """Read on, some bytes at least; none at the end."""
        found = self._next(len(buffer))
        buffer[: len(found)] = found
        return len(found)

    def _next(self, size: int) -> bytes:
        while True:
            rest = b""
            if self._unpacking is not None and self._unpacking.eof:
                rest, self._unpacking = self._unpacking.unused_data, None
            if self._unpacking is None:
                # Between streams of xz there may be zeros.
                while not (rest := rest.lstrip(b"\0")):
                    rest = self._source.read(CHUNK)
                    if not rest:
                        return b""
                self._unpacking = self._make()
            elif self._unpacking.needs_input:
                rest = self._source.read(CHUNK)
                if not rest:
                    raise EOFError("the compressed stream ends early")
            try:
                found = self._unpacking.decompress(rest, size)
            except self._damage as error:
                raise _DamagedError(str(error)) from error
            if found:
                return found

    def close(self) -> None:
        """Close what it reads from."""
        self._source.close()
        super().close()
