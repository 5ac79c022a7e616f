"""Training channels and request bodies as matrices."""

import csv
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from localcloud.sagemaker.containers.xgboost.errors import UserError

Matrix = NDArray[np.float32]

CSV = frozenset({"csv", "text/csv"})
LIBSVM = frozenset({"libsvm", "text/libsvm", "text/x-libsvm"})
PARQUET = frozenset({"parquet", "application/x-parquet"})
# What the real container reads and this one does not.
_ELSEWHERE = frozenset({"recordio-protobuf", "application/x-recordio-protobuf"})
_ACCEPTED = (
    "csv, libsvm, parquet, recordio-protobuf, text/csv, text/libsvm, text/x-libsvm, "
    "application/x-parquet, application/x-recordio-protobuf"
)
_COMMA, _NEWLINE = ord(","), ord("\n")
# Reading takes a dozen times as much memory as the text has.
_BLOCK_BYTES = 8 << 20


def check_channels(channels: Mapping[str, Mapping[str, Any]]) -> str:
    """Checks `inputdataconfig.json`; returns the train channel's content type.

    Raises:
        UserError: A channel is missing, unknown, or of a content type that is not read.
    """
    if "train" not in channels:
        raise UserError("Missing required channel: train")
    for name, channel in channels.items():
        if name not in ("train", "validation", "code"):
            raise UserError(f"Extraneous channel found: {name}")
        content_type = channel.get("ContentType", "text/libsvm")
        if name == "code" or content_type in CSV | LIBSVM | PARQUET:
            continue
        if content_type in _ELSEWHERE:
            raise UserError(
                f"ContentType {content_type} of channel '{name}' is not available locally. "
                "Use text/csv, text/libsvm or application/x-parquet."
            )
        raise UserError(
            f"Channel configuration for '{name}' channel is not supported: {dict(channel)}"
        )
    return str(channels["train"].get("ContentType", "text/libsvm"))


def content_type_of(header: str | None) -> str:
    """Reads a Content-Type header: `csv` or `libsvm`.

    Raises:
        UserError: It names neither, or a CSV label of more than one column.
    """
    if header is None:
        return "libsvm"
    name, *parameters = (part.strip() for part in header.lower().split(";"))
    if name in CSV:
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key == "label_size" and value != "1":
                raise UserError(
                    f"{header} is not an accepted csv ContentType. Optional parameter label_size "
                    "must be equal to 1"
                )
        return "csv"
    if name in LIBSVM:
        return "libsvm"
    if name in _ELSEWHERE | PARQUET:
        raise UserError(f"Content-type {header} is not available locally. Use text/csv.")
    raise UserError(f"{header} is not an accepted ContentType: {_ACCEPTED}.")


def kind_of(content_type: str) -> str:
    """How a channel that `check_channels` lets pass is read: `csv`, `libsvm` or `parquet`."""
    if content_type in PARQUET:
        return "parquet"
    return "csv" if content_type in CSV else "libsvm"


def files(folder: Path) -> list[Path]:
    """A channel's data files in order: not those whose name begins with a dot or underscore."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith((".", "_"))
    )


def read_csv(text: bytes) -> Matrix:
    """Reads CSV without a header; an empty field is a missing value (NaN).

    Returns:
        Rows by columns.

    Raises:
        ValueError: A field is no number, rows differ in length, or there is no delimiter.
    """
    text = text.strip()
    return _read_rows(text, _delimiter(text))


def read_csv_file(path: Path) -> Matrix:
    """Reads a file as `read_csv` reads its content, a block of whole lines at a time.

    Returns:
        Rows by columns.

    Raises:
        ValueError: As `read_csv`.
    """
    with path.open("rb") as file:
        parts: list[Matrix] = []
        delimiter = ""
        for block in _blocks(file):
            delimiter = delimiter or _delimiter(block)
            parts.append(_read_rows(block, delimiter))
    _check_widths({part.shape[1] for part in parts})
    return np.concatenate(parts) if len(parts) > 1 else parts[0]


def has_content(path: Path) -> bool:
    """Whether a file holds anything but white space."""
    with path.open("rb") as file:
        return _content_end(file) > 0


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    """Cuts what a file holds between its first and its last visible byte, at line ends.

    White space within stays: a blank line is a row, and of another length than its neighbours.
    """
    end = _content_end(file)
    file.seek(0)
    begun = False
    rest = b""
    while (at := file.tell()) < end:
        text = rest + file.read(min(_BLOCK_BYTES, end - at))
        if not begun:
            text = text.lstrip()
            begun = bool(text)
        if file.tell() < end:
            block, cut, rest = text.rpartition(b"\n")
            if not cut:
                continue
            block = block.removesuffix(b"\r")
        else:
            block = text
        yield block


def _content_end(file: BinaryIO) -> int:
    """Where a file's last visible byte ends."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - _BLOCK_BYTES)
        file.seek(start)
        if text := file.read(end - start).rstrip():
            return start + len(text)
        end = start
    return 0


def _read_rows(text: bytes, delimiter: str) -> Matrix:
    if delimiter != ",":
        text = text.replace(delimiter.encode(), b",")
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n")
    quick = _read_plain(text)
    return _read_careful(text) if quick is None else quick


def _read_plain(text: bytes) -> Matrix | None:
    """Reads CSV that is nothing but numbers; None if it is not, or rows differ in length."""
    raw = np.frombuffer(text, np.uint8)
    newlines = np.flatnonzero(raw == _NEWLINE)
    commas = int(np.count_nonzero(raw == _COMMA))
    rows = len(newlines) + 1
    columns, uneven = divmod(commas, rows)
    if uneven:
        return None
    if rows > 1:
        running = np.cumsum(raw == _COMMA)[newlines]
        if not np.array_equal(running, np.arange(1, rows) * columns):
            return None
    try:
        # `fromstring` is numpy's fastest parser of text; it takes one separator.
        values = np.fromstring(text.replace(b"\n", b","), dtype=np.float64, sep=",")
    except (ValueError, DeprecationWarning):
        return None
    if values.size != rows * (columns + 1):
        return None
    return values.reshape(rows, columns + 1).astype(np.float32)


def _read_careful(text: bytes) -> Matrix:
    rows = [
        [float(field) if field.strip() else np.nan for field in line.split(",")]
        for line in text.decode().split("\n")
    ]
    _check_widths({len(row) for row in rows})
    return np.array(rows, dtype=np.float64).astype(np.float32)


def _check_widths(widths: set[int]) -> None:
    if len(widths) > 1:
        raise ValueError(f"rows have different numbers of columns: {sorted(widths)}")


def _delimiter(text: bytes) -> str:
    line = text.split(b"\n", 1)[0][:512].decode()
    if "," in line:
        return ","
    try:
        found = csv.Sniffer().sniff(line).delimiter
    except csv.Error as error:
        raise ValueError(f"Could not determine delimiter on line {line[:50]}") from error
    return "," if found.isalnum() else found


def read_parquet(path: Path) -> Matrix:
    """Reads a Parquet file; a null is a missing value (NaN).

    Returns:
        Rows by columns.

    Raises:
        ValueError: It is no Parquet file, or a column is no number.
    """
    # A quarter of a second to import, which jobs on text need not pay.
    from pyarrow import ArrowException, parquet

    try:
        # Of this file alone: a path's `a=1` folders would become columns.
        table = parquet.ParquetFile(path).read()
        columns = [column.to_numpy().astype(np.float32) for column in table.itercolumns()]
    except (ArrowException, TypeError) as error:
        raise ValueError(str(error)) from error
    return np.column_stack(columns) if columns else np.empty((0, 0), np.float32)


def read_libsvm(text: bytes) -> tuple[NDArray[np.float32], NDArray[np.float32] | None, Any]:
    """Reads libsvm lines `label[:weight] index:value ...`.

    Indices count from 0, as XGBoost's own reader takes them.

    Returns:
        Labels; weights, or None; features as a scipy CSR matrix.

    Raises:
        ValueError: A line is not of that form.
    """
    from scipy.sparse import csr_matrix

    labels, weights, values, columns, starts = [], [], [], [], [0]
    for line in text.decode().splitlines():
        # A comment is allowed at the end.
        tokens = line.partition("#")[0].split()
        if not tokens:
            continue
        label, weighted, weight = tokens[0].partition(":")
        labels.append(float(label))
        if weighted:
            weights.append(float(weight))
        for token in tokens[1:]:
            if token.startswith("qid:"):
                raise ValueError("query groups (qid:) are not available locally")
            index, _, value = token.partition(":")
            columns.append(int(index))
            values.append(float(value))
        starts.append(len(values))
    if weights and len(weights) != len(labels):
        raise ValueError("some lines have an instance weight and some have none")
    features = csr_matrix(
        (np.array(values, np.float32), np.array(columns, np.int32), np.array(starts, np.int64))
    )
    return (
        np.array(labels, np.float32),
        np.array(weights, np.float32) if weights else None,
        features,
    )


def read_libsvm_features(text: bytes) -> Any:
    """Reads libsvm lines of a request: a label, if there is one, is ignored.

    Returns:
        Features as a scipy CSR matrix.

    Raises:
        ValueError: A line is not of that form.
    """
    lines = text.decode().strip().split("\n")
    labelled = (
        line if ":" not in (line.split() or [""])[0] else f"0 {line}" for line in _content(lines)
    )
    return read_libsvm("\n".join(labelled).encode())[2]


def _content(lines: Iterable[str]) -> Iterable[str]:
    return (line for line in lines if line.strip())
