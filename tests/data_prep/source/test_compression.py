"""Files that are compressed: told by their first bytes, unpacked as they are read."""

import bz2
import gzip
import io
import lzma
from collections.abc import Callable

import pyarrow as pa
import pytest

from data_prep.source import compression
from data_prep.source.streams import View
from tests.data_prep.support import errors, run

CONTENT = b"".join(b"%d,line\n" % number for number in range(200_000))
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "Zstandard": lambda content: bytes(pa.compress(content, codec="zstd", asbytes=True)),
}


@pytest.mark.parametrize("name", PACKED)
def test_what_was_compressed_is_unpacked(name: str) -> None:
    """Several streams one after the other are one file."""
    packed = PACKED[name](CONTENT[:1000]) + PACKED[name](CONTENT[1000:])
    packing = compression.packing_of(packed)
    assert packing is not None
    assert packing.name == name
    located = compression.of_file(packing, io.BytesIO(packed), "x", len(packed))
    for _ in range(2):
        with located.open() as stream:
            assert stream.read() == CONTENT


def test_zeros_between_streams_of_xz_are_padding() -> None:
    """As the format allows."""
    packed = lzma.compress(b"a") + bytes(8) + lzma.compress(b"b") + bytes(4)
    with compression.PACKINGS[2].open(View(io.BytesIO(packed))) as stream:
        assert stream.read() == b"ab"


def test_a_window_of_gigabytes_is_refused() -> None:
    """A stream of xz says how much memory it needs; no more than 256 MiB is given."""
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 29, "preset": 0}]
    packed = lzma.compress(b"a,b\n1,2\n", filters=filters)
    with pytest.raises(errors.DamagedArchiveError, match=r"[Mm]emory"):
        run(packed, "x.csv.xz")


@pytest.mark.parametrize(
    ("name", "inner"),
    [("a.csv.gz", "a.csv"), ("a.CSV.BZ2", "a.CSV"), ("a.xz", "a"), ("a.json.zst", "a.json")],
)
def test_the_suffix_is_no_part_of_the_name(name: str, inner: str) -> None:
    """So that what is left tells the format."""
    packing = next(
        each for each in compression.PACKINGS if compression.inner_name(each, name) != name
    )
    assert compression.inner_name(packing, name) == inner
