"""What `make fuzz` leads through the code by its coverage (run.py starts it).

    .venv/bin/python tests/fuzz/target.py {small,large} [corpus folder] [options of libFuzzer]

`small` prepares each input as a small file: readers, archives, checks, the standard library alone.
`large` prepares it as a large file too, with pyarrow and numpy, a few hundred bytes at a time, and
Parquet; what comes out must be what `small` gives, and what it refuses must be refused. Anything
but a result or a `DataError` is a finding.

The first byte chooses the file's name, and with it the reader, and what is asked of the columns;
seeds of every kind are written to the corpus folder when it is empty. Needs atheris
(requirements-dev.txt, Linux on x86_64).
"""

import gzip
import io
import sys
import types
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import atheris

# Run by its path: another package called tests may be installed beside this project.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

LARGE = sys.argv[1:2] == ["large"]

with atheris.instrument_imports(include=["data_prep", "zipfile", "gzip", "csv"]):
    from data_prep import DataError, Limits, Objective, Prepared, Wanted, errors, prepare

    if LARGE:
        from data_prep import bulk, parquet  # noqa: F401 (to be instrumented)

NAMES = ("x.arff", "x.csv", "x.zip", "x.csv.gz", "x")
_ROWS = "".join(f"{row},{row % 3}.5,{('Abnormal', 'Normal')[row % 2]}\n" for row in range(24))
_HEAD = "@relation r\n@attribute a numeric\n@attribute b real\n@attribute class {Abnormal,Normal}\n"
# Small, so that a bomb is cut off early and memory tells of leaks.
LIMITS = Limits(
    member_bytes=1 << 16, line_bytes=4096, ratio_from=1 << 14, rows=5000, directory_bytes=1 << 14
)


class _NoParquet:
    """Stands in for the reader of Parquet, whose libraries alone take 100 MB."""

    def __init__(self, _open: object, _name: str) -> None:
        raise errors.DamagedArchiveError("Parquet is left to the other target", remedy="None.")


def seeds() -> Iterator[bytes]:
    """Yield the inputs, each with the byte before it that names its file."""
    arff = f"{_HEAD}@data\n{_ROWS}".encode()
    csv = f"a,b,class\n{_ROWS}".encode()
    sparse = f"{_HEAD}@data\n{{0 1, 2 Normal}}\n% c\n'1', 2 ,\"Normal\"\n{_ROWS}".encode()
    yield bytes([0]) + arff
    yield bytes([0]) + sparse
    yield bytes([64 + 0]) + arff.replace(b"1,1.5", b"?,?")
    yield bytes([1]) + csv
    yield bytes([128 + 1]) + csv.replace(b",0.5", b",red")
    yield bytes([64 + 1]) + csv.replace(b"1,1.5", b",NA").replace(b"\n", b"\r\n")
    yield bytes([32 + 1]) + csv.replace(b",", b"\t").replace(b"4\t1.5", b'"4"\t"1.5"')
    yield bytes([4]) + csv.decode().encode("utf-16")
    # Several classes, and a number.
    for first in (20, 25):
        yield bytes([first]) + arff
    for first in (16, 26, 81, 91):
        yield bytes([first]) + csv
    yield bytes([3]) + gzip.compress(csv, mtime=0)
    if LARGE:
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.table({"a": [1, 2] * 12, "b": [0.5, 2.5] * 12, "class": ["x", "y"] * 12})
        sink = io.BytesIO()
        pq.write_table(table, sink)
        yield bytes([4]) + sink.getvalue()
    for kind in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", kind) as archive:
            archive.writestr("data.arff", arff)
            archive.writestr("readme.txt", "x")
        yield bytes([2]) + buffer.getvalue()


def outcome(data: bytes, limits: Limits) -> Prepared | str:
    """Prepare one file; return what was prepared, or how it was refused."""
    name = NAMES[data[0] % len(NAMES)]
    wanted = Wanted(
        categorical=("b",) if data[0] & 128 else (),
        missing="pass" if data[0] & 64 else "refuse",
        rest=bool(data[0] & 32),
    )
    if data[0] & 24 == 16:
        wanted = wanted._replace(task="multiclass")
    elif data[0] & 24 == 24:
        wanted = wanted._replace(
            label="b",
            task="regression",
            categorical=("class",),
            objective=Objective("count:poisson", "non_negative"),
        )
    try:
        return prepare(io.BytesIO(data[1:]), name=name, wanted=wanted, limits=limits)
    except DataError as error:
        return f"{type(error).__name__}: {error}"


def small(data: bytes) -> None:
    """Prepare one file as a small one."""
    if len(data) > 1:
        outcome(data, LIMITS)


def large(data: bytes) -> None:
    """Prepare one file as a small one and as a large one, and compare."""
    if len(data) < 2:
        return
    one, other = outcome(data, LIMITS), outcome(data, LIMITS._replace(small_bytes=0))
    if isinstance(one, Prepared) and isinstance(other, Prepared):
        same = (one.files, one.profile) == (other.files, other.profile)
    else:
        # Of several things wrong with a file, either may be met first.
        same = isinstance(one, str) and isinstance(other, str)
    if not same:
        raise AssertionError(f"small: {one}\nlarge: {other}")


def main() -> None:
    """Fuzz until told to stop."""
    target: Callable[[bytes], None] = small
    if LARGE:
        target = large
        # Several blocks even of a short file.
        bulk.blocks.SIZE = 300
    else:
        stand_in: Any = types.ModuleType("data_prep.parquet")
        stand_in.ParquetRows = _NoParquet
        sys.modules["data_prep.parquet"] = stand_in
    arguments = [sys.argv[0], *sys.argv[2:]]
    if len(arguments) > 1 and not arguments[1].startswith("-"):
        corpus = Path(arguments[1])
        corpus.mkdir(parents=True, exist_ok=True)
        if not any(corpus.iterdir()):
            for number, seed in enumerate(seeds()):
                (corpus / f"seed-{number}").write_bytes(seed)
    atheris.Setup(arguments, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
