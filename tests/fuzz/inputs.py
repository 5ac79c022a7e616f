"""What the fuzzer begins with, and what it makes of an input: all formats of the registry.

An input's first byte chooses the file's name, and with it the reader, its second what is asked of
the columns; the rest is the file.
"""

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from data_prep import FormatOptions, Objective, Wanted
from data_prep.formats import FORMATS

NAMES = (
    *(f"x{suffix}" for each in FORMATS.values() for suffix in each.suffixes),
    *("x.zip", "x.csv.gz", "x.csv.bz2", "x.csv.xz", "x.csv.zst", "x"),
)
# Of the second byte.
CATEGORICAL, GAPS, REST, MULTICLASS, REGRESSION = 128, 64, 32, 16, 24
SEVERAL, NUMERALS, HEADERLESS = 4, 2, 1
_ROWS = "".join(f"{row},{row % 3}.5,{('Abnormal', 'Normal')[row % 2]}\n" for row in range(24))
_HEAD = "@relation r\n@attribute a numeric\n@attribute b real\n@attribute class {Abnormal,Normal}\n"


def encoded(name: str, content: bytes, asked: int = 0) -> bytes:
    """Return the input of a file."""
    return bytes([NAMES.index(name), asked]) + content


class Asked(NamedTuple):
    """An input: a file's name and content, what is asked of it, and of an archive."""

    name: str
    content: bytes
    wanted: Wanted
    options: FormatOptions
    member: str | None


def decoded(data: bytes) -> Asked:
    """Return an input of two bytes or more."""
    options = FormatOptions()
    if data[1] & NUMERALS:
        options = FormatOptions(decimal=",", thousands=".", comment="#", na_values=("-1", "x"))
    if data[1] & HEADERLESS:
        options = options._replace(names=("a", "b", "class"))
    name = NAMES[data[0] % len(NAMES)]
    wanted = Wanted(
        categorical=("b",) if data[1] & CATEGORICAL else (),
        missing="pass" if data[1] & GAPS else "refuse",
        rest=bool(data[1] & REST),
    )
    if data[1] & REGRESSION == MULTICLASS:
        wanted = wanted._replace(task="multiclass")
    elif data[1] & REGRESSION == REGRESSION:
        wanted = wanted._replace(
            label="b",
            task="regression",
            categorical=("class",),
            objective=Objective("count:poisson", "non_negative"),
        )
    if name.endswith(FORMATS["libsvm"].suffixes):
        wanted = wanted._replace(label="label", positive="1", categorical=())
    return Asked(name, data[2:], wanted, options, "*" if data[1] & SEVERAL else None)


def seeds(
    samples: Mapping[str, Callable[[], bytes]], *, binary: bool, bombs: Iterable[bytes] = ()
) -> Iterator[bytes]:
    """Yield inputs of every kind.

    Args:
        samples: A good file of each format.
        binary: Whether binary formats are among them.
        bombs: Files of a binary format that ask for more than they have.
    """
    for each in FORMATS.values():
        if each.is_text or binary:
            content = samples[each.name]()
            for name in (f"x{each.suffixes[0]}", "x"):
                yield encoded(name, content)
    if binary:
        for bomb in bombs:
            yield encoded("x.parquet", bomb)
    arff = f"{_HEAD}@data\n{_ROWS}".encode()
    csv = f"a,b,class\n{_ROWS}".encode()
    sparse = f"{_HEAD}@data\n{{0 1, 2 Normal}}\n% c\n'1', 2 ,\"Normal\"\n{_ROWS}".encode()
    yield encoded("x.arff", arff)
    yield encoded("x.arff", sparse)
    yield encoded("x.arff", arff.replace(b"1,1.5", b"?,?"), GAPS)
    yield encoded("x.csv", csv)
    yield encoded("x.csv", csv.replace(b",0.5", b",red"), CATEGORICAL)
    yield encoded("x.csv", csv.replace(b"1,1.5", b",NA").replace(b"\n", b"\r\n"), GAPS)
    yield encoded("x.csv", csv.replace(b",", b"\t").replace(b"4\t1.5", b'"4"\t"1.5"'), REST)
    yield encoded("x", csv.decode().encode("utf-16"))
    for asked in (MULTICLASS, REGRESSION):
        yield encoded("x.arff", arff, asked)
        for gaps in (0, GAPS):
            yield encoded("x.csv", csv, asked | gaps)
    yield from _written_otherwise(csv, arff, samples["json"]())
    for kind in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", kind) as archive:
            archive.writestr("data.arff", arff)
            archive.writestr("readme.txt", "x")
        yield encoded("x.zip", buffer.getvalue())


def _written_otherwise(csv: bytes, arff: bytes, lines: bytes) -> Iterator[bytes]:
    """Yield inputs that are compressed, described by options, or several files of one table."""
    for suffix, pack in (("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)):
        yield encoded(f"x.csv.{suffix}", pack(csv))
    yield encoded("x.csv", csv.replace(b",", b";").replace(b".", b","), NUMERALS)
    yield encoded("x.csv", b"#c\n" + csv.partition(b"\n")[2], NUMERALS | HEADERLESS)
    yield encoded("x", csv.replace(b",", b"  "))
    yield encoded("x", b"sep=;\r\n" + csv.replace(b",", b";"))
    yield encoded("x", b"[" + lines.strip().replace(b"\n", b",\n") + b"]")
    yield encoded("x.json", lines.replace(b"2.5", b'{"b":[1e5,"\\u00e9",null,true]}', 1), GAPS)
    parts = {
        "k=1/a.csv": csv,
        "k=2/b.csv.gz": gzip.compress(csv, mtime=0),
        "_SUCCESS": b"",
        "k=1/c.csv": b"",
    }
    for files in (parts, {"a.json": lines, "k=v/b.json": lines}, {"a.arff": arff, "b.arff": arff}):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        yield encoded("x.zip", buffer.getvalue(), SEVERAL)
