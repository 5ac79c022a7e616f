"""Which file of an archive is read, how its format is told, and what the reader keeps."""

import ast
import gzip
import hashlib
import io
import warnings
import zipfile

import pytest

from data_prep import Wanted, formats, prepare
from data_prep.check import table
from data_prep.formats.base import Opened
from data_prep.source.examination import examine
from tests.support import ROOT

ARFF = (
    "@relation r\n@attribute a real\n@attribute class {Abnormal,Normal}\n@data\n"
    + "1,Abnormal\n2,Normal\n2,Abnormal\n" * 20
)
CSV = "a,class\n" + "1.5,Abnormal\n2.5,Normal\n2.5,Abnormal\n" * 20


def zipped(**members: str) -> io.BytesIO:
    """A zip file; `__` in a name stands for a dot, `_in_` for a slash."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_in_", "/").replace("__", "."), content)
    return buffer


def opened_whole(text: str, name: str) -> Opened:
    """Open a bare file that has been examined."""
    file = examine(io.BytesIO(text.encode()), name=name)
    file.finish()
    return formats.opened(file)


@pytest.mark.parametrize(
    ("archive", "wanted", "found"),
    [
        (zipped(data__csv=CSV), None, "data.csv"),
        (zipped(data__csv=CSV, README__txt="x"), None, "data.csv"),
        (zipped(data=CSV), None, "data"),
        (zipped(d_in_data__arff=ARFF), "data.arff", "d/data.arff"),
        (zipped(a__arff=ARFF, column_2C_weka__arff=ARFF), None, "column_2C_weka.arff"),
        (zipped(a__arff=ARFF, column_2C_weka__arff=ARFF), "a.arff", "a.arff"),
        (zipped(data__csv=CSV, d_in___data__csv="x"), None, "data.csv"),
    ],
)
def test_the_member_that_fits_is_read(archive: io.BytesIO, wanted: str | None, found: str) -> None:
    """The member asked for, else the only data file, else the notebook's."""
    assert prepare(archive, name="x.zip", member=wanted).member.name == found


def test_folders_and_their_odd_names_are_passed_over() -> None:
    """The UCI archive holds a folder named "/", which harms nobody."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("/", "")
        archive.writestr("data.csv", CSV)
    assert prepare(buffer, name="x.zip").member.name == "data.csv"


def test_a_member_without_a_name_is_passed_over() -> None:
    """A nameless entry, which zipfile itself stumbles on, does not hide the data."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        archive.writestr("?", "")
        archive.writestr("data.csv", CSV)
    content = buffer.getvalue()
    at = content.index(b"PK\x01\x02")
    nameless = bytearray(content[: at + 28] + b"\0\0" + content[at + 30 : at + 46])
    nameless += content[at + 47 : -22] + content[-22:]
    size = int.from_bytes(content[-10:-6], "little") - 1
    nameless[-10:-6] = size.to_bytes(4, "little")
    assert prepare(io.BytesIO(nameless), name="x.zip").member.name == "data.csv"


def test_size_and_checksum_are_those_of_the_unpacked_file() -> None:
    """A bare file, a zip of it and a gzip of it have one size and one SHA-256."""
    content = CSV.encode()
    sources = {
        "data.csv": io.BytesIO(content),
        "data.csv.gz": io.BytesIO(gzip.compress(content)),
        "x.zip": zipped(data__csv=CSV),
    }
    for name, source in sources.items():
        examined = examine(source, name=name, sha256=hashlib.sha256(content).hexdigest().upper())
        examined.finish()
        found = examined.member()
        assert (found.name, found.size) == ("data.csv", len(content))


@pytest.mark.parametrize("name", ["x", "x.arff", "x.txt", "X.ARFF"])
def test_arff_is_told_by_suffix_or_first_line(name: str) -> None:
    """Without a telling suffix, a first line that begins with @ makes it ARFF."""
    text = f"\n% comment\n{ARFF}"
    assert prepare(io.BytesIO(text.encode()), name=name).features[0].name == "a"


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("text", [ARFF, CSV])
def test_line_ends_and_byte_order_marks_change_nothing(text: str, mark: str, ends: str) -> None:
    """Unix, Windows and old Mac line ends, with or without a mark, give the same files."""
    changed = (mark + text.replace("\n", ends)).encode()
    expected = prepare(io.BytesIO(text.encode()), name="x")
    assert prepare(io.BytesIO(changed), name="x").files == expected.files


def test_arff_notation_in_full() -> None:
    """Comments, case, quotes, escapes, ranges and blanks are read as Weka reads them."""
    text = r"""
% a comment
@RELATION 'a relation'   % and more
  @Attribute 'the age' INTEGER [0, 120]
@attribute "it's" Real % a trailing comment
@attribute plain_name{'yes, sure', "no", 'it\'s'}
@DATA % now
% between
  '1' ,	2.5,  "no"

3,-4e-2,'yes, sure'
5,6,'it\'s'
"""
    opened = opened_whole(text, "x.arff")
    rows = opened.rows
    assert rows.names == ("the age", "it's", "plain_name")
    assert rows.nominal == {"plain_name": ("yes, sure", "no", "it's")}
    (batch,) = opened.batches()
    assert [[value.strip() for value in row] for row in batch.rows] == [
        ["1", "2.5", "no"],
        ["3", "-4e-2", "yes, sure"],
        ["5", "6", "it's"],
    ]
    assert batch.lines == [9, 11, 12]


def test_arff_rows_may_be_separated_by_tabs() -> None:
    """As in scipy, tabs separate values when the first row has no comma."""
    tabs = ARFF.replace(",A", "\tA").replace(",N", "\tN").replace("{Abnormal\tN", "{Abnormal,N")
    assert prepare(io.BytesIO(tabs.encode()), name="x.arff").files == (
        prepare(io.BytesIO(ARFF.encode()), name="x.arff").files
    )


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a,b,class\n1,2,x\n", ("a", "b", "class")),
        ("a;b;class\n1;2;x\n", ("a", "b", "class")),
        ("a\tb\tclass\n1\t2\tx\n", ("a", "b", "class")),
        ('"a,1","b;2",class\n1,2,x\n', ("a,1", "b;2", "class")),
        ("a (x, y);b;class\n1;2;x\n", ("a (x, y)", "b", "class")),
    ],
)
def test_the_delimiter_is_found(text: str, names: tuple[str, ...]) -> None:
    """Comma, semicolon or tab: the one that splits header and rows alike."""
    assert opened_whole(text, "x.csv").rows.names == names


def test_a_table_holds_numbers_and_labels() -> None:
    """Features keep their order, and labels are 1 for the positive value wherever they stood."""
    text = "first,class,second\n1,yes,0.5\n2,no,1\n"
    found = table(opened_whole(text, "x.csv"), Wanted(positive="yes"))
    assert [feature.name for feature in found.features] == ["first", "second"]
    assert [list(feature.values) for feature in found.features] == [[1, 2], [0.5, 1]]
    assert [feature.integers for feature in found.features] == [True, False]
    assert found.labels == b"\x01\x00"
    assert found.classes == ("no", "yes")


def test_the_source_stays_open() -> None:
    """The caller's file is read and not closed."""
    for source in (io.BytesIO(CSV.encode()), zipped(data__csv=CSV)):
        prepare(source, name="data.csv" if source.getvalue()[:1] == b"a" else "x.zip")
        assert not source.closed


EXTRA = {
    *("collections", "concurrent", "contextlib", "copy", "functools", "numpy", "os", "pyarrow"),
}
LARGE = ("parquet.py", "spread.py")
ALLOWED = {
    *("__future__", "array", "codecs", "collections", "csv", "data_prep", "dataclasses", "decimal"),
    *("functools", "gc", "gzip", "hashlib", "io", "itertools", "math", "posixpath", "random", "re"),
    *("stat", "struct", "threading", "types", "typing", "zipfile", "zlib"),
}


def test_data_prep_is_pure() -> None:
    """Its modules import only pure modules, and open no file by name; small files need no numpy."""
    modules = sorted((ROOT / "data_prep").rglob("*.py"))
    assert modules
    for path in modules:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported = {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported = set() if node.level else {str(node.module)}
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"open", "print", "input", "__import__"}, path
                continue
            else:
                continue
            roots = {name.split(".")[0] for name in imported}
            extra = EXTRA if path.name in LARGE or "bulk" in path.parts else set()
            assert roots <= ALLOWED | extra, f"{path} imports {roots - ALLOWED}"
