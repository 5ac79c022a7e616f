"""The lanes that a block may take, the quickest first: the first that understands it surveys it.

- decimals: nothing but decimal numbers and labels, which the numbers themselves prove;
- columns: values are parsed by pyarrow, after whatever it reads otherwise was looked for;
- rows: the reader of the file's format and the checks of small files themselves. What the others do
  not understand ends here, and is understood or refused with their words.

The first two tell the rows whose text already is what would be written (`verbatim`), of which only
the label is replaced; others are formatted of what was parsed.
"""

from __future__ import annotations

from data_prep.bulk.blocks import Block
from data_prep.bulk.lanes.base import Lane, Survey
from data_prep.bulk.lanes.columns import ColumnLane
from data_prep.bulk.lanes.decimals import DecimalLane
from data_prep.bulk.lanes.rows import RowLane
from data_prep.bulk.schema import Schema

_DECIMALS = DecimalLane()
_COLUMNS = ColumnLane()
_ROWS = RowLane()


def survey(schema: Schema, block: Block, *, decimal: bool) -> Survey:
    """Check a block and describe it.

    Args:
        schema: The file's.
        block: The block.
        decimal: Whether it is worth trying first whether there is nothing but decimal numbers.

    Raises:
        DataError: One of its classes for rows and values.
    """
    lanes: tuple[Lane, ...] = (_DECIMALS, _COLUMNS) if decimal else (_COLUMNS,)
    for lane in lanes:
        found = lane.survey(schema, block)
        if found is not None:
            return found
    return _ROWS.survey(schema, block)
