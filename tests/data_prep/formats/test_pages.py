"""A Parquet file takes a bounded memory, however few bytes it has."""

import io
import subprocess
import sys
from bisect import bisect_left

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from data_prep import Limits
from data_prep.errors import TooLargeError
from data_prep.formats import footer, pages, parquet
from tests.data_prep.formats import bombs
from tests.data_prep.support import errors, run
from tests.support import ROOT

# What a process takes that prepares any of the files below: half of it is Python and its libraries.
MEGABYTES = 500
PREPARE = """
import io, re, resource, sys
from data_prep import DataError, Limits, Wanted, prepare

class Nowhere(io.BytesIO):
    def write(self, data):
        return len(data)

wanted = Wanted(missing="pass", categorical=("a",) if sys.argv[1:] else ())
try:
    found = prepare(
        io.BytesIO(sys.stdin.buffer.read()),
        name="x.parquet",
        wanted=wanted,
        limits=Limits(member_bytes=48 << 20, exact_bytes=8 << 20),
    )
    found.write_to(lambda path: Nowhere())
    said = "None"
except DataError as error:
    said = type(error).__name__
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    # Linux counts what the process was before it became this program, too: the tests themselves.
    peak = int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
except FileNotFoundError:
    pass
print(said, peak >> 10)
"""


def measured(content: bytes, most: int = 1 << 30) -> pages.Reading:
    """Measure a file."""
    stream = io.BytesIO(content)
    return pages.measured("x", stream, footer.read("x", stream, 1 << 30), most)


@pytest.mark.process
@pytest.mark.parametrize("name", bombs.BOMBS)
def test_a_small_file_takes_a_bounded_memory(name: str) -> None:
    """Bombs are refused by name, and honest files as small are read, both within the bound."""
    make, refusal = bombs.BOMBS[name]
    content = make()
    done = subprocess.run(
        [sys.executable, "-c", PREPARE, *["categorical"] * ("text" in name)],
        input=content,
        capture_output=True,
        check=True,
        cwd=ROOT,
    )
    said, peak = done.stdout.decode().split()
    assert said == str(refusal)
    assert int(peak) < MEGABYTES
    assert len(content) < 1_000_000


def test_what_is_unpacked_at_one_time_is_bounded() -> None:
    """Pages of all columns of a row group together, as their headers tell."""
    content = bombs.one_page(100_000)
    assert measured(content, 1 << 20).rows_at_once == 65_536
    with pytest.raises(TooLargeError, match="row group 1 of 'x' unpacks to more than 800,000"):
        measured(content, 800_000)


def test_rows_are_read_so_many_at_a_time_that_they_fit() -> None:
    """Fewer where there are many columns, or where each text may be as long as its page."""
    assert measured(bombs.many_columns(400, 100)).rows_at_once == (64 << 20) // (401 * 32)
    texts = pa.table({"s": ["x" * 100_000] * 500})
    for encoding, rows in (("PLAIN", 671), ("DELTA_BYTE_ARRAY", 670)):
        content = bombs.written(texts, column_encoding={"s": encoding}, use_dictionary=False)
        assert measured(content).rows_at_once <= rows
    assert measured(bombs.long_texts(100_000)).rows_at_once == (64 << 20) // (100_000 + 32)


@pytest.mark.parametrize("encoding", ["DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY", "PLAIN"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "brotli", "zstd", "lz4"])
def test_honest_files_of_every_kind_are_read(encoding: str, version: str, compression: str) -> None:
    """Whatever their encoding, their pages' version and compression, with and without gaps."""
    rows = 3000
    values = [None if n % 11 == 0 else f"value-{n % 700}" for n in range(rows)]
    table = pa.table(
        {
            "a": values,
            "b": pa.array(range(rows), pa.int32()),
            "class": [("Abnormal", "Normal")[n % 2] for n in range(rows)],
        }
    )
    sink = io.BytesIO()
    pq.write_table(
        table,
        sink,
        compression=compression,
        use_dictionary=False,
        column_encoding={"a": encoding, "b": "DELTA_BINARY_PACKED", "class": encoding},
        data_page_version=version,
        data_page_size=4096,
        row_group_size=1300,
    )
    found = run(sink.getvalue(), "x.parquet", categorical=("a",), missing="pass")
    assert sum(found.counts.values()) == rows
    assert len(found.features[0].categories or ()) == len(set(values) - {None})


def test_rows_of_a_packed_file_are_shuffled_up_to_the_size_of_their_text() -> None:
    """As those of a file of text are, however small the file is that they come from."""
    content = bombs.constants(20_000)
    assert len(content) < 20_000
    for exact, order in ((1 << 20, "shuffled"), (100_000, "file")):
        found = run(content, "x.parquet", limits=Limits(exact_bytes=exact))
        assert found.profile["order"] == order


def test_the_text_and_the_rows_of_a_packed_file_are_held_to_the_limits() -> None:
    """The limits of a file of text hold, to the byte and to the row."""
    content = bombs.constants(2000)
    assert run(content, "x.parquet", limits=Limits(rows=2000)).counts["train"] == 1600
    with pytest.raises(errors.TooLargeError, match="more than 1,999 rows"):
        run(content, "x.parquet", limits=Limits(rows=1999))
    lines = [f'{n % 7 / 2!r},0,"{("Abnormal", "Normal")[n % 2]}"\n' for n in range(2000)]
    text = sum(len(line.replace(".0,", ",", 1)) for line in lines)
    assert run(content, "x.parquet", limits=Limits(member_bytes=text)).counts["train"] == 1600
    with pytest.raises(errors.TooLargeError, match="as text"):
        run(content, "x.parquet", limits=Limits(member_bytes=text - 1))


def test_long_texts_are_written_out_piece_by_piece() -> None:
    """The same rows come out, whatever a piece holds."""
    rows = 400
    texts = [("x" if n % 3 else "y") * 90_000 for n in range(rows)]
    content = bombs.written(
        pa.table({"a": texts, "class": [("Abnormal", "Normal")[n % 2] for n in range(rows)]})
    )
    found = run(content, "x.parquet", categorical=("a",))
    assert [len(value) for value in found.features[0].categories or ()] == [90_000, 90_000]
    assert sum(found.counts.values()) == rows


def test_a_row_group_without_rows_is_read() -> None:
    """Its columns say where pages would be that are not there."""
    table = pa.table({"a": ["x", "y"] * 50, "class": bombs.classes(100)})
    sink = io.BytesIO()
    with pq.ParquetWriter(sink, table.schema) as writer:
        for part in (table, table.slice(0, 0), table):
            writer.write_table(part)
    found = run(sink.getvalue(), "x.parquet", categorical=("a",), allow_leakage=True)
    assert sum(found.counts.values()) == 200


def taken(content: bytes, reading: pages.Reading) -> list[int]:
    """Read a file, and return the bytes that Arrow holds after each batch."""
    before = pa.total_allocated_bytes()
    batches = parquet._batches(io.BytesIO(content), reading, None)
    return [pa.total_allocated_bytes() - before for _ in batches]


def test_what_numbers_take_is_told_as_arrow_takes_it() -> None:
    """A dictionary of numbers is there twice, and a column of a large group has a small buffer."""
    rows, columns = 150_000, 60
    values = np.random.default_rng(7).normal(size=(columns, rows))
    content = bombs.written(pa.table({f"c{at}": each for at, each in enumerate(values)}))
    assert len(content) > 64 << 20
    most = 150 << 20
    reading = measured(content, most)
    with pytest.raises(TooLargeError, match="unpacks to more than"):
        measured(content, most * 8 // 10)
    assert most * 7 // 10 < max(taken(content, reading)) < most + (64 << 20)


@pytest.mark.parametrize("limit", [1 << 20, 1 << 30], ids=["some", "all"])
@pytest.mark.parametrize("kind", ["text", "categories"])
def test_what_texts_take_that_never_repeat_is_told_as_arrow_takes_it(kind: str, limit: int) -> None:
    """Whether some or all of them are in a dictionary, and whatever they were written from."""
    rows, columns = 280_000, 8
    texts = pc.cast(pa.array(np.random.default_rng(7).permutation(10**6)[:rows]), pa.string())
    column = texts.dictionary_encode() if kind == "categories" else texts
    content = bombs.written(
        pa.table({f"c{at}": column for at in range(columns)}), dictionary_pagesize_limit=limit
    )
    steps = range(0, 1 << 30, 8 << 20)
    counted = steps[bisect_left(steps, True, key=lambda most: fits(content, most))]
    assert counted < 200 << 20
    # A batch is held until the next one is read.
    assert max(taken(content, measured(content))) < counted + (128 << 20)


def fits(content: bytes, most: int) -> bool:
    """Return whether a file is read within the bound."""
    try:
        measured(content, most)
    except TooLargeError:
        return False
    return True
