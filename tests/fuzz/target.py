"""What `make fuzz` leads through the code by its coverage (run.py starts it).

    .venv/bin/python tests/fuzz/target.py {small,large} [corpus folder] [options of libFuzzer]

`small` prepares each input as a small file: readers, archives, checks, the standard library alone.
`large` prepares it as a large file too, with pyarrow and numpy, a few hundred bytes at a time, and
Parquet; what comes out must be what `small` gives, and what it refuses must be refused. Anything
but a result or a `DataError` is a finding.

`inputs` says what an input is; seeds of every format are written to the corpus folder when it is
empty. Needs atheris (requirements-dev.txt, Linux on x86_64).
"""

import importlib
import io
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import atheris

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
# Run by its path: another package called tests may be installed, and would be found before this
# project's, which has no __init__.py.
sys.modules["tests"] = types.ModuleType("tests")
sys.modules["tests"].__path__ = [str(ROOT / "tests")]

LARGE = sys.argv[1:2] == ["large"]

with atheris.instrument_imports(include=["data_prep", "zipfile", "gzip", "csv"]):
    from data_prep import (
        DataError,
        FormatOptions,
        Limits,
        Prepared,
        Wanted,
        errors,
        formats,
        prepare,
    )
    from data_prep.formats import joined  # noqa: F401 (to be instrumented)
    from data_prep.formats.base import DataFile, Opened
    from data_prep.source import archives, compression, parts  # noqa: F401

    if LARGE:
        from data_prep.bulk import blocks

    from tests.data_prep.formats import samples
    from tests.fuzz import inputs

    bombs: Any = importlib.import_module("tests.data_prep.formats.bombs") if LARGE else None
    # A format's reader is imported, and so instrumented, by the first file of it.
    for each in formats.FORMATS.values():
        if LARGE or each.is_text:
            wanted = Wanted(**samples.ASKED.get(each.name, {}))
            sample = io.BytesIO(samples.SAMPLES[each.name]())
            prepare(sample, name=f"x{each.suffixes[0]}", wanted=wanted)

# Small, so that a bomb is cut off early and memory tells of leaks.
LIMITS = Limits(
    member_bytes=1 << 16, line_bytes=4096, ratio_from=1 << 14, rows=5000, directory_bytes=1 << 14
)


def left_out(_file: DataFile, _options: FormatOptions) -> Opened:
    """Stand in for the reader of a binary format, whose libraries alone take 100 MB."""
    raise errors.DamagedArchiveError("this format is left to the other target", remedy="None.")


def packed_by_library(_source: io.BufferedIOBase) -> io.BufferedIOBase:
    """Stand in for what unpacks by such a library."""
    raise OSError("this compression is left to the other target")


def outcome(data: bytes, limits: Limits) -> Prepared | str:
    """Prepare one file; return what was prepared, or how it was refused."""
    name, content, wanted, options, member = inputs.decoded(data)
    try:
        return prepare(
            io.BytesIO(content),
            name=name,
            member=member,
            format_options=options,
            wanted=wanted,
            limits=limits,
        )
    except DataError as error:
        return f"{type(error).__name__}: {error}"


def small(data: bytes) -> None:
    """Prepare one file as a small one."""
    if len(data) > 2:
        outcome(data, LIMITS)


def large(data: bytes) -> None:
    """Prepare one file as a small one and as a large one, and compare."""
    if len(data) < 3:
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
        blocks.SIZE = 300
    else:
        compression.PACKINGS = tuple(
            packing._replace(open=packed_by_library) if packing.name == "Zstandard" else packing
            for packing in compression.PACKINGS
        )
        for each in formats.FORMATS.values():
            if not each.is_text:
                formats.FORMATS[each.name] = each._replace(open=left_out)
    arguments = [sys.argv[0], *sys.argv[2:]]
    if len(arguments) > 1 and not arguments[1].startswith("-"):
        corpus = Path(arguments[1])
        corpus.mkdir(parents=True, exist_ok=True)
        if not any(corpus.iterdir()):
            found = bombs.small() if LARGE else ()
            seeds = inputs.seeds(samples.SAMPLES, binary=LARGE, bombs=found)
            for number, seed in enumerate(seeds):
                (corpus / f"seed-{number}").write_bytes(seed)
    atheris.Setup(arguments, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
