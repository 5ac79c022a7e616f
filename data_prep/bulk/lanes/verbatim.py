"""Rows whose text already is what is written for them, but for the label."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from data_prep.bulk import arrow, blocks, canonical
from data_prep.bulk.arrow import Array, array_of, take, wrapped
from data_prep.bulk.blocks import Block
from data_prep.bulk.formatting import ONE_DIGIT, label_lengths, labelled
from data_prep.bulk.lanes.base import Encoding, Relabelled, RowLabels
from data_prep.bulk.lanes.parsed import Formatted
from data_prep.bulk.schema import Schema

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FLOAT = (
    r"-?(?:0\.(?:0|0{0,3}[1-9](?:[0-9]{0,13}[1-9])?)"
    r"|[1-9][0-9]{0,3}\.(?:0|[0-9]{0,10}[1-9])|[1-9][0-9]{4,7}\.(?:0|[0-9]{0,6}[1-9]))"
)
_WHOLE = r"(?:0|-?[1-9][0-9]{0,14})"


class Verbatim(NamedTuple):
    """Rows that are copied, unless a column proves to be written otherwise in another block.

    Attributes:
        whole: For each feature, whether it is written as whole numbers here.
        odd: The rows whose text must be written anew.
    """

    whole: tuple[bool, ...]
    odd: Array

    def keeps_rows(self, encoding: Encoding) -> bool:
        """Tell whether every column is written alike in all blocks, and a digit is the label."""
        return self.whole == encoding.whole and encoding.classes <= ONE_DIGIT

    def render(
        self, schema: Schema, block: Block, labels: RowLabels, encoding: Encoding
    ) -> tuple[pa.Array, Array | None]:
        """Replace the labels in a copy; the rows lie between leftovers of the old ones."""
        if not self.keeps_rows(encoding):
            return Formatted(quoted=False).render(schema, block, labels, encoding)
        data = bytes(block.data)
        text = np.frombuffer(data, np.uint8)
        starts, ends = blocks.lines_of(text)
        count = len(starts)
        extra = labelled(self._odd_rows(schema, text, starts, ends), labels.numbers[self.odd])
        end = 2 + len(data)
        buffer = np.concatenate([text[:2], text, np.frombuffer(b"".join(extra), np.uint8)])
        offsets = np.empty(2 * count + len(extra) + 1, np.int32)
        offsets[0 : 2 * count : 2], offsets[1 : 2 * count : 2] = _unlabelled(
            schema, buffer, starts + 2, ends + 2, encoding.label_lengths[labels.codes]
        )
        buffer[offsets[0 : 2 * count : 2]] = labels.numbers + ord("0")
        offsets[2 * count :] = np.cumsum([end, *map(len, extra)])
        places = np.arange(0, 2 * count, 2)
        places[self.odd] = 2 * count + np.arange(len(extra))
        return wrapped(offsets, buffer), places

    def relabelled(
        self,
        schema: Schema,
        block: Block,
        starts: Array,
        ends: Array,
        labels: list[str],
        codes: NDArray[np.uint8],
    ) -> Relabelled | None:
        """Get a block ready to be written where its text is kept, if it is.

        Args:
            schema: The file's.
            block: The block.
            starts: Where each row starts.
            ends: Where its line end is.
            labels: The label's values.
            codes: Each row's.
        """
        if block.kept is None:
            return None
        text, at = block.kept
        odd = self._odd_rows(schema, np.frombuffer(block.data, np.uint8), starts, ends)
        lengths = label_lengths(labels)[codes]
        begins, ends = _unlabelled(schema, text, starts + at, ends + at, lengths)
        offsets = np.empty(2 * len(begins), np.int64)
        offsets[0::2], offsets[1::2] = begins, ends
        return Relabelled(offsets, self.odd, odd)

    def _odd_rows(self, schema: Schema, text: Array, starts: Array, ends: Array) -> list[bytes]:
        """Write the odd rows anew, all of them that comes after the label's digit."""
        found = []
        for row in self.odd:
            values = text[starts[row] : ends[row]].tobytes().decode().split(",")
            values.pop(schema.layout.label)
            anew = (
                str(int(value)) if integer else repr(float(value))
                for value, integer in zip(values, self.whole, strict=True)
            )
            found.append(f",{','.join(anew)}\n".encode())
        return found


def of_suspects(
    schema: Schema,
    data: bytes | memoryview,
    starts: Array,
    whole: tuple[bool, ...],
    suspects: Array,
) -> Verbatim | None:
    """Return how rows are copied, or None when too many of them must be written anew.

    Args:
        schema: The file's.
        data: The block's lines.
        starts: Where each row starts.
        whole: For each feature, whether it is written as whole numbers.
        suspects: The rows that may have to be written anew, rising.
    """
    offsets = np.empty(len(starts) + 1, np.int32)
    offsets[:-1], offsets[-1] = starts, len(data)
    lines = wrapped(offsets, data)
    if len(suspects) < len(starts):
        lines = take(lines, array_of(suspects))
    values = ",".join(_WHOLE if integer else _FLOAT for integer in whole)
    pattern = rf"\A{values}," if schema.label_last else rf"\A[^,\n]*,{values}\r?\n"
    odd = suspects[np.flatnonzero(~arrow.matching(lines, pattern))]
    return None if len(odd) > max(64, len(starts) // 50) else Verbatim(whole, odd)


def of_all(
    schema: Schema,
    data: bytes,
    starts: Array,
    whole: tuple[bool, ...],
    numbers: list[Array],
    labels: dict[bytes, int],
) -> Verbatim | None:
    """Return how rows are copied likewise, whichever of them must be written anew.

    Args:
        schema: The file's.
        data: The block's lines.
        starts: Where each row starts.
        whole: For each feature, whether it is written as whole numbers.
        numbers: The values of each column.
        labels: How many rows have each label.
    """
    text = np.frombuffer(data, np.uint8)
    found = None if any(whole) else canonical.suspects(text, numbers, labels)
    return of_suspects(
        schema, data, starts, whole, np.arange(len(starts)) if found is None else found.rows
    )


def _unlabelled(
    schema: Schema, text: Array, starts: Array, ends: Array, lengths: Array
) -> tuple[Array, Array]:
    """Make room for a digit in place of each row's label: over it, or in two bytes ahead.

    Args:
        schema: The file's.
        text: Bytes of the rows.
        starts: Where each row starts.
        ends: Where its line end is.
        lengths: How many bytes each label has.

    Returns:
        Where each row now begins, with the digit, and where it has ended.
    """
    if schema.label_last:
        begin, last = starts - 2, ends - lengths - 1
        text[begin + 1] = ord(",")
    else:
        begin, last = starts + lengths - 1, ends
    text[last] = ord("\n")
    return begin, last + 1
