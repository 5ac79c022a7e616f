"""A format is a row of the registry: it is recognised, and any other becomes one by being added."""

import io
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from data_prep import DataError, FormatOptions, Limits, formats, prepare
from data_prep.bulk import blocks
from data_prep.formats.base import Format
from data_prep.source.examination import examine
from tests.data_prep.formats import imaginary
from tests.data_prep.formats.samples import ARFF, CSV
from tests.data_prep.support import BULK, STREAMED, Machines, run
from tests.support import ROOT

NAMES = ("x", "n", "class")
ROWS = [(f"{row * 7 % 300}.25", str(row % 13), "ab"[row % 2]) for row in range(400)]


class Added(NamedTuple):
    """A format that is not read, how its files are written, their first row's line, a row cut."""

    row: Format
    write: Callable[[Sequence[tuple[str, ...]], tuple[str, ...]], str]
    line: int
    cut: str

    def text(self, rows: Sequence[tuple[str, ...]]) -> str:
        """Return a file of these rows."""
        return self.write(rows, NAMES)


ADDED = {
    "read as it is": Added(imaginary.PAIRS, imaginary.pairs, 1, "x=1.5"),
    "made CSV": Added(imaginary.FIXED, imaginary.fixed, 2, "1.5"),
}


@pytest.fixture(params=ADDED.values(), ids=list(ADDED))
def added(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Added:
    """A format that was added to the registry."""
    found: Added = request.param
    monkeypatch.setitem(formats.FORMATS, found.row.name, found.row)
    return found


def as_csv(rows: Sequence[tuple[str, ...]]) -> str:
    """Return the rows as CSV."""
    return "\n".join(map(",".join, [NAMES, *rows])) + "\n"


@pytest.mark.parametrize("name", ["x", "x.arff", "x.txt", "X.ARFF"])
def test_arff_is_told_by_suffix_or_first_line(name: str) -> None:
    """Without a telling suffix, a first line that begins with @ makes it ARFF."""
    text = f"\n% comment\n{ARFF}"
    assert prepare(io.BytesIO(text.encode()), name=name).features[0].name == "a"


@pytest.mark.parametrize(
    ("content", "name", "kind", "found"),
    [
        (ARFF, "x", None, "arff"),
        (ARFF, "x.csv", None, "csv"),
        (ARFF, "x.parquet", None, "arff"),
        (ARFF, "x.arff", "csv", "csv"),
        (CSV, "x.arff", None, "arff"),
        (CSV, "x.arff", "parquet", "csv"),
        (CSV, "x.tsv", None, "csv"),
        (CSV, "x", None, "csv"),
        ("PAR1" + CSV, "x.csv", "csv", "parquet"),
    ],
)
def test_what_is_said_tells_the_format_then_the_suffix_then_the_text(
    content: str, name: str, kind: str | None, found: str
) -> None:
    """A binary file is what its first bytes say, whatever else is said."""
    file = examine(io.BytesIO(content.encode()), name=name)
    assert formats.recognised(file, kind).name == found


def test_an_added_format_is_recognised(added: Added) -> None:
    """By its name, by each of its suffixes, and by its text where it tells."""
    content = added.text(ROWS).encode()
    for name, kind in [
        *((f"X{suffix.upper()}", None) for suffix in added.row.suffixes),
        ("x.csv", added.row.name),
        *([("x", None)] if added.row.looks_like else []),
    ]:
        file = examine(io.BytesIO(content), name=name)
        assert formats.recognised(file, kind) is added.row


def test_a_member_of_an_added_format_is_the_data(added: Added) -> None:
    """In a zip it is told from what lies beside it."""
    buffer = io.BytesIO()
    name = f"data{added.row.suffixes[-1]}"
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("readme.txt", "x")
        archive.writestr(name, added.text(ROWS))
    assert run(buffer.getvalue(), "x.zip", positive="a").member.name == name


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_an_added_format_is_prepared_as_csv_is(
    added: Added, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same rows give the same files as a small file, a large one, and on several machines."""
    monkeypatch.setattr(blocks, "SIZE", 1000)
    name = f"x{added.row.suffixes[0]}"
    content = added.text(ROWS).encode(encoding)
    expected = run(as_csv(ROWS), "x.csv", positive="a")
    for limits in (Limits(), BULK):
        assert run(content, name, positive="a", limits=limits).files == expected.files
    machines = Machines()
    spread = run(content, name, positive="a", spread=machines)
    assert len(machines.blocks) > 1
    streamed = run(as_csv(ROWS), "x.csv", positive="a", limits=STREAMED)
    files = {**spread.files, **machines.files}
    for path, whole in streamed.files.items():
        parts = sorted(each for each in files if each.startswith(path.partition("/")[0]))
        assert b"".join(files[part] for part in parts) == whole
    assert spread.labels == streamed.labels


@pytest.mark.parametrize("how", ["small", "large", "several machines"])
def test_an_added_formats_bad_rows_are_refused_where_they_are(added: Added, how: str) -> None:
    """The refusal names the line, and the column where there is one."""
    options: dict[str, Any] = {"positive": "a"}
    if how == "large":
        options["limits"] = BULK
    if how == "several machines":
        options["spread"] = Machines()
    name = f"x{added.row.suffixes[0]}"
    for bad, error, says in (
        (("one", "3", "a"), "NotANumberError", "column 'x': 'one' is not a number"),
        (("1.5", "", "a"), "MissingValueError", "column 'n'"),
    ):
        rows = [*ROWS[:300], bad, *ROWS[300:]]
        with pytest.raises(DataError, match=rf"^line {300 + added.line}, {says}") as caught:
            run(added.text(rows), name, **options)
        assert type(caught.value).__name__ == error
    lines = added.text(ROWS).splitlines(keepends=True)
    with pytest.raises(DataError, match=rf"^line {299 + added.line}: the row has 1 values"):
        run("".join([*lines[: 298 + added.line], f"{added.cut}\n", *lines]), name, **options)


_TWICE = """
import io, sys
sys.path.insert(0, sys.argv[1])
import imaginary
from data_prep import Limits, Wanted, formats, prepare
row, write = {"pairs": (imaginary.PAIRS, imaginary.pairs),
              "fixed": (imaginary.FIXED, imaginary.fixed)}[sys.argv[2]]
formats.FORMATS[row.name] = row
rows = [(f"{at * 7 % 300}.25", str(at % 13), "ab"[at % 2]) for at in range(60_000)]
content = write(rows, ("x", "n", "class")).encode()
for limits in (Limits(small_bytes=0), Limits(small_bytes=0), Limits(small_bytes=0, exact_bytes=0)):
    done = prepare(
        io.BytesIO(content),
        name=f"x{row.suffixes[0]}",
        wanted=Wanted(positive="a"),
        limits=limits,
    )
    assert len(content) > 1 << 20 and done.member.size == len(content)
    print(sum(done.counts.values()), sum(map(len, done.files.values())))
"""


@pytest.mark.process
@pytest.mark.parametrize("added", ADDED.values(), ids=ADDED)
def test_the_second_large_file_of_a_process_is_prepared_as_the_first(added: Added) -> None:
    """While the first waits for its libraries it is read whole; no other is, and none needs it."""
    done = subprocess.run(
        [sys.executable, "-c", _TWICE, str(Path(__file__).parent), added.row.name],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    first, second, third = done.stdout.splitlines()
    assert first == second == third
    assert first.startswith("60000 ")


def test_a_damaged_end_comes_before_what_is_wrong_with_a_row(added: Added) -> None:
    """Although the reader of the rows meets them first."""
    rows = [*ROWS * 60, ("one", "3", "a")]
    content = added.text(rows).encode() + b"\xff"
    name = f"x{added.row.suffixes[0]}"
    with pytest.raises(DataError, match="is not UTF-8"):
        run(content, name, positive="a", limits=BULK)


def test_options_reach_the_reader(added: Added, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the person says of the file's format is handed to whoever opens it."""
    seen: list[FormatOptions] = []

    def opening(file: Any, options: FormatOptions) -> Any:
        seen.append(options)
        return added.row.open(file, options)

    monkeypatch.setitem(formats.FORMATS, added.row.name, added.row._replace(open=opening))
    run(added.text(ROWS), "x", kind=added.row.name, encoding="utf-8", positive="a")
    assert seen == [FormatOptions(kind=added.row.name, encoding="utf-8")]
