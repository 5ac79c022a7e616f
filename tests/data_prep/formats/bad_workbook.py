"""Bad workbooks."""

import io

import openpyxl

from tests.data_prep.building import Bad, zipped
from tests.data_prep.support import errors


def _of_two_sheets() -> bytes:
    book = openpyxl.Workbook()
    book.create_sheet("rows")
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()


BAD = {
    "which sheet": Bad(
        _of_two_sheets(),
        "x.xlsx",
        errors.SheetNotFoundError,
        ("2 sheets", "source.format.sheet", "'Sheet', 'rows'"),
    ),
    "no such sheet": Bad(
        _of_two_sheets(), "x.xlsx", errors.SheetNotFoundError, ("'Rows'",), {"sheet": "Rows"}
    ),
    "empty sheet": Bad(
        _of_two_sheets(), "x.xlsx", errors.NoRowsError, ("blank",), {"sheet": "rows"}
    ),
    "damaged workbook": Bad(
        zipped(("xl/workbook.xml", "<a"), ("[Content_Types].xml", "<a/>")),
        "x.xlsx",
        errors.DamagedArchiveError,
        ("not a whole workbook", "again"),
    ),
}
