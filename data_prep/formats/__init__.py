"""The formats that are read: one row each, and a module with its reader.

A further format is such a row and such a module. What only some files need is imported where it is
needed: for the notebook's file, imports are most of the time.
"""

import io
import posixpath

from data_prep.formats.base import DataFile, Format, Opened, PartFile, decoded
from data_prep.options import FormatOptions


def _open_arff(file: DataFile, _options: FormatOptions) -> Opened:
    from data_prep.formats import arff

    return arff.opened(file)


def _looks_like_arff(text: io.TextIOBase) -> bool:
    from data_prep.formats import arff

    return arff.looks_like(text)


def _open_delimited(file: DataFile, options: FormatOptions) -> Opened:
    from data_prep.formats import delimited

    return delimited.opened(file, options)


def _open_parquet(file: DataFile, options: FormatOptions) -> Opened:
    from data_prep.formats import parquet

    return parquet.opened(file, options)


def _open_json(file: DataFile, options: FormatOptions) -> Opened:
    from data_prep.formats import records

    return records.opened(file, options)


def _looks_like_json(text: io.TextIOBase) -> bool:
    from data_prep.formats import records

    return records.looks_like(text)


def _open_libsvm(file: DataFile, _options: FormatOptions) -> Opened:
    from data_prep.formats import libsvm

    return libsvm.opened(file)


def _looks_like_libsvm(text: io.TextIOBase) -> bool:
    from data_prep.formats import libsvm

    return libsvm.looks_like(text)


def _open_workbook(file: DataFile, options: FormatOptions) -> Opened:
    from data_prep.formats import workbook

    return workbook.opened(file, options)


# By name. Text is tried in this order.
FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        Format("arff", (".arff",), _open_arff, looks_like=_looks_like_arff),
        Format("csv", (".csv", ".tsv"), _open_delimited),
        Format(
            "json",
            (".jsonl", ".ndjson", ".json"),
            _open_json,
            looks_like=_looks_like_json,
        ),
        Format(
            "libsvm",
            (".libsvm", ".svmlight", ".svm"),
            _open_libsvm,
            looks_like=_looks_like_libsvm,
        ),
        Format(
            "parquet",
            (".parquet",),
            _open_parquet,
            magic=b"PAR1",
            is_packed=True,
            reads_from_end=True,
        ),
        Format(
            "xlsx",
            (".xlsx", ".xlsm"),
            _open_workbook,
            # Every zip begins so; which of them are workbooks is told where archives are.
            magic=b"PK\x03\x04",
            is_packed=True,
            reads_from_end=True,
        ),
    )
}


def data_suffixes() -> tuple[str, ...]:
    """Return how the names of data files end, in lower case."""
    return tuple(suffix for each in FORMATS.values() for suffix in each.suffixes)


def of_bytes(head: bytes) -> Format | None:
    """Return the binary format that a file's first bytes tell, or None: it is to be text."""
    for each in FORMATS.values():
        if each.magic and head.startswith(each.magic):
            return each
    return None


def recognised(file: DataFile, kind: str | None = None) -> Format:
    """Return a file's format: a binary one by its first bytes, one of text as is said.

    Where nothing is said its suffix tells, else its first lines; what nothing tells is delimited.

    Args:
        file: The data file.
        kind: The name of its format; found out when None.
    """
    if file.binary is not None:
        return file.binary
    texts = [each for each in FORMATS.values() if each.is_text]
    if kind is None and file.is_records:
        return FORMATS["json"]
    if kind is not None:
        return next((each for each in texts if each.name == kind), FORMATS["csv"])
    suffix = posixpath.splitext(file.name.lower())[1]
    for each in texts:
        if suffix in each.suffixes:
            return each
    for each in texts:
        if each.looks_like is not None:
            with decoded(file.open_utf8()) as text:
                if each.looks_like(text):
                    return each
    return FORMATS["csv"]


def opened(file: DataFile, options: FormatOptions | None = None) -> Opened:
    """Read a data file's header, or those of the files it consists of.

    Raises:
        DataError: Its header is refused by the reader of its format.
    """
    options = options or FormatOptions()
    if file.parts:
        from data_prep.formats import joined

        def open_one(part: PartFile, options: FormatOptions) -> Opened:
            return recognised(part, options.kind).open(part, options)

        return joined.opened(file.parts, options, open_one, file.starts)
    return recognised(file, options.kind).open(file, options)
