"""What is known of a large file once every block is checked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from data_prep import leaks, profile
from data_prep.bulk.arrow import Array
from data_prep.bulk.formatting import part_of
from data_prep.bulk.lanes.base import Rendering, Survey
from data_prep.bulk.sampling import Gathering
from data_prep.bulk.schema import Schema
from data_prep.bulk.statistics import Ends, Gathered
from data_prep.labels import Labels, check_spread, no_rows
from data_prep.profile import Feature
from data_prep.table import DROPPED
from data_prep.values import check_categories

if TYPE_CHECKING:
    from numpy.typing import NDArray


# Rows whose copies are looked for in the other parts: of more, some.
_MOST_COMPARED = 4 << 20


def compared(rows: int) -> int:
    """Return which bits of a row's hash are 0 where it is compared across the parts.

    Equal rows have equal hashes, so that those that are compared hold all copies of some rows.
    """
    mask = 0
    while rows >> mask.bit_length() > _MOST_COMPARED:
        mask = mask << 1 | 1
    return mask


class SurveyedBlock(NamedTuple):
    """What is remembered of a block until it is written.

    Attributes:
        rendering: How its rows are written.
        codes: The label's code of each row.
    """

    rendering: Rendering
    codes: NDArray[np.uint8]


class Surveyed:
    """What the first pass gathers of the whole file.

    Attributes:
        labels: The label's values.
        blocks: What is remembered of each block, in the order of the file.
        duplicates: How many rows repeat an earlier one, if somebody counted them already.
        size: Bytes of the blocks that were handed out.
    """

    def __init__(self, schema: Schema) -> None:
        width = len(schema.layout.features)
        self._schema = schema
        self.labels: Labels = schema.layout.labels(
            schema.rows, drops_missing=schema.drops_unlabelled
        )
        self.blocks: list[SurveyedBlock] = []
        self._hashes = Gathered()
        self._compared: list[tuple[Array, NDArray[np.uint64]]] = []
        self._sample = Gathering(schema)
        self._ends: list[Ends] = []
        self._whole = [not floats for floats in schema.floats]
        self._missing = np.zeros(width, np.int64)
        self._low = np.full((256, width), np.nan)
        self._high = np.full((256, width), np.nan)
        self._categories: dict[int, dict[str, set[int]]] = {}
        self._declared: set[int] = set()
        for which, column in enumerate(schema.layout.columns(schema.rows)):
            if column.codes is not None:
                self._categories[which] = {name: set() for name in column.codes}
            if column.declared:
                self._declared.add(which)
        self.duplicates: int | None = None
        self.size = 0

    def take(self, found: Survey) -> None:
        """Add a block.

        Raises:
            DataError: One of its classes for labels and categories.
        """
        table = np.array(
            [
                0 if self._schema.is_regression else self.labels.code(text, line)
                for text, line in zip(found.labels, found.first_lines, strict=True)
            ],
            np.uint8,
        )
        if found.ends is not None:
            self._ends.append(found.ends)
        codes = table[found.codes]
        start = len(self.labels)
        self.labels.add_codes(codes.tobytes())
        self.blocks.append(SurveyedBlock(found.rendering, codes))
        if found.compared is None:
            self._hashes.add(found.hashes)
        else:
            self._compared.append((found.compared + start, found.hashes))
        self._sample.add(found.sampled, table)
        self._missing += found.missing
        self._whole = [a and b for a, b in zip(self._whole, found.whole, strict=True)]
        self._low[table] = np.fmin(self._low[table], found.low)
        self._high[table] = np.fmax(self._high[table], found.high)
        for which, seen in found.categories.items():
            known = self._categories[which]
            for text, with_codes in seen.items():
                known.setdefault(text, set()).update(int(table[code]) for code in with_codes)
            if which not in self._declared:
                check_categories(
                    self._schema.layout.names[self._schema.layout.features[which]], list(known)
                )

    def count_duplicates(self) -> int:
        """Count the rows that repeat an earlier one, if nobody else did."""
        if self.duplicates is not None:
            return self.duplicates
        hashes = self._hashes.joined()
        rows = np.flatnonzero((hashes & np.uint64(compared(len(hashes)))) == 0)
        self._compared = [(rows, hashes[rows])]
        hashes.sort()
        return int(np.count_nonzero(hashes[1:] == hashes[:-1]))

    def shared(self, parts: Sequence[Array]) -> dict[str, int]:
        """Count the rows of each part that is held out which the training part has, too.

        Of many rows only some are compared, and the count is that of all in proportion.
        """
        rows = np.concatenate([rows for rows, _ in self._compared])
        hashes = np.concatenate([hashes for _, hashes in self._compared])
        of = part_of(parts, len(self.labels))[rows]
        trained = hashes[of == 0]
        found = {}
        for number, name in ((1, "test"), (2, "validate")):
            mine = hashes[of == number]
            count = int(np.isin(mine, trained).sum())
            found[name] = round(count * len(parts[number]) / len(mine)) if len(mine) else 0
        return found

    def sample(self) -> leaks.Sample:
        """Return some rows, once the classes are numbered."""
        return self._sample.sample(self.labels.class_of)

    @property
    def whole(self) -> tuple[bool, ...]:
        """Which features are written as whole numbers."""
        return tuple(
            whole and (which in self._categories or not self._missing[which])
            for which, whole in enumerate(self._whole)
        )

    def places(self) -> dict[int, dict[str, int]]:
        """Return the number of each value of each categorical feature."""
        return {
            which: {text: place for place, text in enumerate(names)}
            for which, names in self._names().items()
        }

    def _names(self) -> dict[int, list[str]]:
        columns = self._schema.layout.columns(self._schema.rows)
        return {
            which: list(seen) if columns[which].declared else sorted(seen)
            for which, seen in self._categories.items()
        }

    def target(self) -> dict[str, Any]:
        """Describe a regression's label.

        Raises:
            DataError: There is no row, or the label is the same in all of them.
        """
        if not len(self.labels):
            raise no_rows()
        low, high = float(self._low[0, 0]), float(self._high[0, 0])
        check_spread(low, high, self._schema.layout.names[self._schema.layout.label])
        return profile.of_target(low, high, integers=self.whole[0])

    def features(self) -> tuple[Feature, ...]:
        """Describe the features, by class, once the classes are numbered."""
        is_regression = self._schema.is_regression
        class_of = bytes(1) if is_regression else self.labels.class_of
        dropped = DROPPED if self.labels.dropped else -1
        of_class = [
            [code for code, number in enumerate(class_of) if number == which]
            for which in range(max(number for number in class_of if number != dropped) + 1)
        ]
        names = self._names()
        whole = self.whole
        found = []
        for which, at in enumerate(self._schema.layout.features):
            if is_regression and which == 0:
                continue
            missing = int(self._missing[which])
            if which in names:
                kind, bounds = "category", self._places_of(which, names[which], of_class)
            else:
                kind = "integer" if whole[which] else "number"
                bounds = tuple(
                    (_least(self._low[codes, which]), _most(self._high[codes, which]))
                    for codes in of_class
                )
            found.append(
                Feature(
                    self._schema.layout.names[at],
                    kind,
                    missing,
                    bounds,
                    tuple(names[which]) if which in names else None,
                    which not in names and self._tells_number(which)
                    if is_regression
                    else profile.tells_class(missing, bounds),
                )
            )
        return tuple(found)

    def _places_of(
        self, which: int, names: list[str], of_class: list[list[int]]
    ) -> tuple[tuple[float, float], ...]:
        """Return the least and the greatest number of a category, by class."""
        found = []
        for codes in of_class:
            places = [
                place
                for place, name in enumerate(names)
                if not self._categories[which][name].isdisjoint(codes)
            ]
            found.append((float(places[0]), float(places[-1])) if places else (math.nan, math.nan))
        return tuple(found)

    def _tells_number(self, which: int) -> bool:
        """Tell whether a feature is a regression's label, up to a factor and a shift."""
        if not all(ends.straight[which] for ends in self._ends):
            return False
        first, last = (
            (float(row[which]), float(row[0]))
            for row in (
                min((ends.low for ends in self._ends), key=lambda row: float(row[0])),
                max((ends.high for ends in self._ends), key=lambda row: float(row[0])),
            )
        )
        return first[0] != last[0] and all(
            profile.on_line(float(row[which]), float(row[0]), first, last)
            for ends in self._ends
            for row in (ends.low, ends.high)
        )


def _least(values: Array) -> float:
    return float(np.fmin.reduce(values)) if len(values) else math.nan


def _most(values: Array) -> float:
    return float(np.fmax.reduce(values)) if len(values) else math.nan
