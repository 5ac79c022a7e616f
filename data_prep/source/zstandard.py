"""Zstandard, by the codec of pyarrow: Python's own came with 3.14."""

import io

import pyarrow as pa

from data_prep.source.streams import CHUNK


def unpacked(source: io.BufferedIOBase) -> io.BufferedIOBase:
    """Open what a stream of Zstandard holds; the codec takes windows of at most 128 MiB."""
    return io.BufferedReader(_Unpacked(source), CHUNK)


class _Unpacked(io.RawIOBase):
    def __init__(self, source: io.BufferedIOBase) -> None:
        self._source = source
        self._stream = pa.CompressedInputStream(pa.PythonFile(source, mode="r"), "zstd")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview[int]", /) -> int:  # type: ignore[override]
        try:
            found: bytes = self._stream.read(len(buffer))
        except pa.ArrowException as error:
            raise ValueError(str(error).partition("\n")[0]) from error
        buffer[: len(found)] = found
        return len(found)

    def close(self) -> None:
        self._source.close()
        super().close()
