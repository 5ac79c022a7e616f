"""Coverage-guided fuzzing of the readers and of the archive code: `make fuzz`.

    .venv/bin/python tests/fuzz/target.py [corpus folder] [options of libFuzzer]

Anything but a result or a `DataError` is a finding. The first byte chooses the file's name, and
with it the reader; seeds of every kind are written to the corpus folder when it is empty. Needs
atheris (requirements-dev.txt, Linux on x86_64).
"""

import gzip
import io
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import atheris

# Run by its path: another package called tests may be installed beside this project.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

with atheris.instrument_imports(include=["data_prep", "zipfile", "gzip", "csv"]):
    from data_prep import DataError, Limits, Wanted, prepare

NAMES = ("x.arff", "x.csv", "x.zip", "x.csv.gz", "x")
_ROWS = "".join(f"{row},{row % 3}.5,{('Abnormal', 'Normal')[row % 2]}\n" for row in range(24))
_HEAD = "@relation r\n@attribute a numeric\n@attribute b real\n@attribute class {Abnormal,Normal}\n"
# Small, so that a bomb is cut off early and memory tells of leaks.
LIMITS = Limits(
    member_bytes=1 << 16, line_bytes=4096, ratio_from=1 << 14, rows=5000, directory_bytes=1 << 14
)


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
    yield bytes([3]) + gzip.compress(csv, mtime=0)
    for kind in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", kind) as archive:
            archive.writestr("data.arff", arff)
            archive.writestr("readme.txt", "x")
        yield bytes([2]) + buffer.getvalue()


def one_input(data: bytes) -> None:
    """Prepare one file."""
    if len(data) < 2:
        return
    name = NAMES[data[0] % len(NAMES)]
    wanted = Wanted(
        categorical=("b",) if data[0] & 128 else (),
        missing="pass" if data[0] & 64 else "refuse",
        rest=bool(data[0] & 32),
    )
    try:
        prepare(io.BytesIO(data[1:]), name=name, wanted=wanted, limits=LIMITS)
    except DataError:
        return


def main() -> None:
    """Fuzz until told to stop."""
    arguments = sys.argv
    if len(arguments) > 1 and not arguments[1].startswith("-"):
        corpus = Path(arguments[1])
        corpus.mkdir(parents=True, exist_ok=True)
        if not any(corpus.iterdir()):
            for number, seed in enumerate(seeds()):
                (corpus / f"seed-{number}").write_bytes(seed)
    atheris.Setup(arguments, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
