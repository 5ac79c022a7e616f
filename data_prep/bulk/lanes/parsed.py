"""Values that pyarrow parses, and rows that are formatted of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv

from data_prep.bulk import arrow
from data_prep.bulk.arrow import Array, array_of, floats_of, numbers_of, strings_of, take
from data_prep.bulk.blocks import Block
from data_prep.bulk.formatting import written
from data_prep.bulk.lanes.base import Encoding, RowLabels
from data_prep.bulk.schema import Schema
from data_prep.labels import in_domain

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FEATURE_TYPES = (pa.int64(), pa.float64())


class Cells(NamedTuple):
    """A block's values: an array for each feature, and its label as text.

    A regression's label is the first of the features.
    """

    features: list[pa.Array]
    label: pa.Array | None


def parse(schema: Schema, data: bytes | memoryview, *, quoted: bool) -> Cells:
    """Have pyarrow parse a block.

    Raises:
        pa.ArrowInvalid: It cannot; the block is for the rows' own reader.
    """
    layout = schema.layout
    names = [str(at) for at in range(len(schema.rows.names))]
    wanted = [names[at] for at in layout.features]
    types: dict[str, pa.DataType] = {}
    if not schema.is_regression:
        wanted.append(names[layout.label])
        types[wanted[-1]] = pa.string()
    for which, at in enumerate(layout.features):
        if at in layout.categorical:
            types[names[at]] = pa.string()
        elif schema.floats[which]:
            types[names[at]] = pa.float64()
    table = pyarrow.csv.read_csv(
        pa.BufferReader(data),
        pyarrow.csv.ReadOptions(column_names=names, use_threads=False, block_size=len(data) + 1),
        pyarrow.csv.ParseOptions(
            delimiter=schema.rows.delimiter, quote_char='"' if quoted else False
        ),
        pyarrow.csv.ConvertOptions(
            column_types=types,
            include_columns=wanted,
            null_values=["", *sorted(schema.rows.missing)] if schema.keeps_gaps else [],
            strings_can_be_null=False,
            true_values=[],
            false_values=[],
        ),
    )
    arrays = [column.combine_chunks() for column in table.columns]
    arrays = [a.chunk(0) if isinstance(a, pa.ChunkedArray) else a for a in arrays]
    label = None if schema.is_regression else arrays.pop()
    features = arrays
    for which, at in enumerate(layout.features):
        kind = features[which].type
        if at in layout.categorical:
            continue
        if kind == pa.null() and schema.keeps_gaps:
            features[which] = arrow.cast(features[which], pa.float64())
        elif kind not in _FEATURE_TYPES:
            raise pa.ArrowInvalid(f"column {at} is of type {kind}")
    return Cells(features, label)


def coded(schema: Schema, cells: Cells) -> tuple[list[str], NDArray[np.uint8]] | None:
    """Return the label's values and their codes, or None: they are for the rows' own reader.

    A regression has no classes, so its rows are all of one.
    """
    if cells.label is None:
        target = cells.features[0]
        if not len(target):
            return [], np.empty(0, np.uint8)
        if target.null_count:
            return None
        low, high = (float(bound) for bound in (floats_of(target).min(), floats_of(target).max()))
        if not in_domain(low, high, schema.objective):
            return None
        return [""], np.zeros(len(target), np.uint8)
    encoded = arrow.encoded(cells.label)
    labels = encoded.dictionary.to_pylist()
    if len(labels) > 255 or any(label != label.strip() for label in labels):
        return None
    return labels, numbers_of(encoded.indices).astype(np.uint8)


def counted(labels: list[str], codes: NDArray[np.uint8]) -> dict[bytes, int]:
    """Return how many rows have each label."""
    counts = np.bincount(codes, minlength=len(labels)).tolist()
    return {label.encode(): count for label, count in zip(labels, counts, strict=True)}


class Formatted(NamedTuple):
    """Rows whose values are parsed by pyarrow and formatted again.

    Attributes:
        quoted: Whether some values are quoted.
    """

    quoted: bool

    def render(
        self, schema: Schema, block: Block, labels: RowLabels, encoding: Encoding
    ) -> tuple[pa.Array, Array | None]:
        """Format the rows."""
        cells = parse(schema, block.data, quoted=self.quoted)
        strings = [
            written(array, whole=encoding.whole[which], places=encoding.places.get(which))
            for which, array in enumerate(cells.features)
        ]
        if not schema.is_regression:
            numbers = [str(number) for number in range(encoding.classes)]
            # A row that is left out has the number of no class, and any text does for it.
            strings.insert(
                0,
                take(
                    strings_of(numbers), array_of(np.minimum(labels.numbers, encoding.classes - 1))
                ),
            )
        return arrow.join(*strings, separator=",", last="\n"), None

    def keeps_rows(self, encoding: Encoding) -> bool:  # noqa: ARG002 (as other renderings)
        """Tell that rows do not stay as they are."""
        return False
