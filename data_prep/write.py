"""Headerless CSV as SageMaker's XGBoost reads it: the label first, then the features."""

from collections.abc import Iterator

from data_prep.split import Parts
from data_prep.table import Table

PATHS = ("train/train.csv", "test/test.csv", "validate/validate.csv", "batch-in/batch-in.csv")
# A missing value that is a row by itself: a batch transform takes a blank line for no row.
GAP_ALONE = "nan"
_ROWS_AT_ONCE = 8192


def files(table: Table, parts: Parts) -> dict[str, bytes]:
    r"""Return the four files, by the path each has in a run's folder.

    `train/train.csv`, `test/test.csv` and `validate/validate.csv` have the label first;
    `batch-in/batch-in.csv` has the test part's features only. The bytes are those of pandas'
    `to_csv(header=False, index=False)`: UTF-8, `\n` line ends, floats as Python's `repr`.
    """
    return {
        "train/train.csv": _csv(table, parts.train),
        "test/test.csv": _csv(table, parts.test),
        "validate/validate.csv": _csv(table, parts.validate),
        "batch-in/batch-in.csv": _csv(table, parts.test, labelled=False),
    }


def _csv(table: Table, rows: list[int], *, labelled: bool = True) -> bytes:
    return b"".join(
        _block(table, rows[start : start + _ROWS_AT_ONCE], labelled=labelled)
        for start in range(0, len(rows), _ROWS_AT_ONCE)
    )


def _block(table: Table, rows: list[int], *, labelled: bool) -> bytes:
    columns: list[Iterator[str]] = [feature.texts(rows) for feature in table.features]
    if labelled:
        columns.insert(
            0,
            map(str, map(table.labels.__getitem__, rows))
            if table.target is None
            else table.target.texts(rows),
        )
    texts: Iterator[str] = map(",".join, zip(*columns, strict=True))
    if len(columns) == 1:
        texts = (text or GAP_ALONE for text in texts)
    lines = "\n".join(texts)
    return f"{lines}\n".encode()
