"""Excel's workbooks: one sheet, its values as Excel keeps them."""

import datetime as dt
import io
import re
import zipfile
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import openpyxl
import pytest

from data_prep import DataError, FormatOptions, Limits, formats
from data_prep.source.examination import examine
from tests.data_prep.formats.samples import SAMPLES
from tests.data_prep.support import BULK, errors, run

ROWS = [(at * 7 % 30 + 0.25, at % 13, ("Abnormal", "Normal")[at % 2]) for at in range(60)]
HEAD = ("x", "n", "class")
# A workbook knows no time zones.
DAY = dt.datetime(2024, 2, 29)  # noqa: DTZ001


def book_of(**sheets: Sequence[Sequence[object]]) -> bytes:
    """A workbook of these sheets."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()


def altered(content: bytes, name: str, change: Callable[[str], str]) -> bytes:
    """A workbook with one member changed."""
    sink = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for entry in old.infolist():
            text = old.read(entry).decode()
            new.writestr(entry.filename, change(text) if entry.filename == name else text)
    return sink.getvalue()


def read(content: bytes, **options: Any) -> tuple[tuple[str, ...], list[list[str]], list[int]]:
    """The columns, the rows and their lines."""
    file = examine(io.BytesIO(content), name="x.xlsx")
    file.finish()
    opened = formats.opened(file, FormatOptions(**options))
    batches = list(opened.batches())
    return (
        opened.rows.names,
        [row for batch in batches for row in batch.rows],
        [line for batch in batches for line in batch.lines],
    )


@pytest.mark.parametrize("limits", [Limits(), BULK])
def test_the_same_rows_as_csv_give_the_same_files(limits: Limits) -> None:
    """Numbers with a fraction and without, and text."""
    text = "".join(",".join(map(str, row)) + "\n" for row in [HEAD, *ROWS])
    done = run(book_of(data=[HEAD, *ROWS]), "x.xlsx", limits=limits)
    assert done.files == run(text, "x.csv").files


def test_values_are_those_that_excel_keeps() -> None:
    """Dates without a time of their own are days; truth is 1 and 0; errors stay what they are."""
    rows = [
        ("a", "b", "c", "d", "e", "f", "g"),
        (2 / 3, 2**53, True, DAY, "#N/A", "NA, or 1\n", dt.time(12, 30)),
        (
            1e300,
            -1,
            False,
            DAY + dt.timedelta(hours=6, minutes=5),
            "#DIV/0!",
            None,
            dt.timedelta(hours=36),
        ),
    ]
    _, found, _ = read(book_of(data=rows))
    assert found == [
        [
            *("0.6666666666666666", "9007199254740992", "1", "2024-02-29", "#N/A", "NA, or 1\n"),
            "12:30:00",
        ],
        ["1e+300", "-1", "0", "2024-02-29T06:05:00", "#DIV/0!", "", "129600.0"],
    ]


def test_a_formula_is_the_value_saved_with_it() -> None:
    """And missing where none was, as programs other than Excel leave it."""
    content = book_of(data=[HEAD, ["=1+1", 2, "Normal"], [1, 2, "Abnormal"]])
    saved = altered(
        content,
        "xl/worksheets/sheet1.xml",
        lambda text: re.sub(r"(<f>1\+1</f>)<v ?/?>(</v>)?", r"\1<v>2</v>", text),
    )
    assert read(content)[1][0] == ["", "2", "Normal"]
    assert read(saved)[1][0] == ["2", "2", "Normal"]


def test_lines_are_the_sheets_rows_and_empty_ones_are_passed_over() -> None:
    """Also above the header and below the last row; cells beyond the header must be empty."""
    names, rows, lines = read(book_of(data=[[], HEAD, [1, 2, "x"], [None], [3, None, "y"], [""]]))
    assert names == HEAD
    assert rows == [["1", "2", "x"], ["3", "", "y"]]
    assert lines == [3, 5]
    with pytest.raises(errors.RaggedRowError, match="line 2: the row has 4 values"):
        read(book_of(data=[HEAD, [1, 2, "x", 4]]))


def test_a_sheet_is_asked_for_by_its_name() -> None:
    """Unless it is the only one that is seen."""
    content = book_of(notes=[["Nothing"]], data=[HEAD, *ROWS])
    with pytest.raises(errors.SheetNotFoundError, match=r"2 sheets.*'notes', 'data'"):
        run(content, "x.xlsx")
    with pytest.raises(errors.SheetNotFoundError, match="no sheet 'Data'"):
        run(content, "x.xlsx", sheet="Data")
    assert run(content, "x.xlsx", sheet="data").profile["rows"] == 60
    book = openpyxl.load_workbook(io.BytesIO(content))
    book["notes"].sheet_state = "hidden"
    sink = io.BytesIO()
    book.save(sink)
    assert run(sink.getvalue(), "x.xlsx").profile["rows"] == 60


def test_a_decimal_comma_is_nothing_to_numbers() -> None:
    """They are numbers, however a country's Excel shows them."""
    expected = run(book_of(data=[HEAD, *ROWS]), "x.xlsx").files
    assert run(book_of(data=[HEAD, *ROWS]), "x.xlsx", decimal=",").files == expected


def test_a_sheets_word_on_its_size_is_not_taken() -> None:
    """Too small a one would leave rows out, too large a one would fill memory."""
    for said in ("A1:A2", "A1:XFD1048576"):
        content = altered(
            SAMPLES["xlsx"](),
            "xl/worksheets/sheet1.xml",
            partial(re.sub, '<dimension ref="[^"]*"', f'<dimension ref="{said}"'),
        )
        assert run(content, "x.xlsx").profile["rows"] == 60


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        (lambda text: text[: len(text) // 2], "DamagedArchiveError", "not a whole workbook"),
        (lambda text: text.replace('r="A2"', 'r="XFDZZZZ2"'), "DamagedArchiveError", "whole"),
        (lambda text: text.replace('r="2"', 'r="999999999"'), "TooLargeError", "1,048,576 rows"),
        (lambda text: text.replace("<sheetData>", "<sheetData>" + "<c/>" * 4_000_000),
         "TooLargeError", "unpacks to more"),
        (lambda text: text.replace("<sheetData>", "<sheetData>" + "".join(
            f"<c r='A{at * 7919 % 10**7}' t='n'/>" for at in range(600_000))),
         "TooLargeError", "a row of the sheet"),
    ],
    ids=["cut", "far column", "far row", "bomb", "long row"],
)  # fmt: skip
def test_a_damaged_or_monstrous_sheet_is_refused(
    change: Callable[[str], str], error: str, says: str
) -> None:
    """By name, and before it takes memory."""
    content = altered(SAMPLES["xlsx"](), "xl/worksheets/sheet1.xml", change)
    with pytest.raises(DataError, match=says) as caught:
        run(content, "x.xlsx")
    assert type(caught.value).__name__ == error


def test_texts_are_read_whole_up_to_a_bound() -> None:
    """The styles of a workbook become objects that are many times as large."""
    content = altered(SAMPLES["xlsx"](), "xl/styles.xml", lambda text: text + " " * (5 << 20))
    with pytest.raises(errors.TooLargeError, match=r"'xl/styles\.xml' of 'x\.xlsx' unpacks"):
        run(content, "x.xlsx")


def test_other_documents_and_members_of_a_workbook_are_refused() -> None:
    """A text document is none, and a workbook has no members to choose."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("[Content_Types].xml", "<a/>")
        archive.writestr("word/document.xml", "<a/>")
    with pytest.raises(errors.UnsupportedFormatError, match="no workbook"):
        run(sink.getvalue(), "x.docx")
    with pytest.raises(errors.MemberNotFoundError, match="no members"):
        run(SAMPLES["xlsx"](), "x.xlsx", member="xl/workbook.xml")
