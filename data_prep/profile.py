"""What is known of a prepared file: the figures of `data_profile.json`, warnings, and leakage.

Pure, and the same for small files and large ones.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .errors import LeakageError, shown
from .table import Table


class Feature(NamedTuple):
    """A feature of the prepared files.

    Attributes:
        name: Its name, after renaming.
        kind: "integer", "number" or "category".
        missing: How many values are missing.
        zero: The least and the greatest value in rows of label 0; NaN when there is none.
        one: The same of label 1.
        categories: Of a category: its values, by the numbers they were given.
    """

    name: str
    kind: str
    missing: int
    zero: tuple[float, float]
    one: tuple[float, float]
    categories: tuple[str, ...] | None

    @property
    def constant(self) -> bool:
        """Whether there is at most one value, missing ones aside."""
        found = [bound for bound in (*self.zero, *self.one) if not math.isnan(bound)]
        return not found or min(found) == max(found)

    @property
    def leaks(self) -> bool:
        """Whether one value stands for each class, so that the feature is the label itself."""
        return (
            self.missing == 0
            and self.zero[0] == self.zero[1]
            and self.one[0] == self.one[1]
            and self.zero != self.one
        )

    def summary(self) -> dict[str, Any]:
        """Return the feature's entry in the profile."""
        found = [bound for bound in (*self.zero, *self.one) if not math.isnan(bound)]
        entry: dict[str, Any] = {"name": self.name, "type": self.kind, "missing": self.missing}
        if self.categories is not None:
            entry["categories"] = list(self.categories)
        else:
            number = int if self.kind == "integer" else float
            entry["min"] = number(min(found)) if found else None
            entry["max"] = number(max(found)) if found else None
        return entry


def of_table(table: Table) -> tuple[tuple[Feature, ...], int]:
    """Describe a table's features and count the rows that repeat an earlier one, label included."""
    ones = [row for row, label in enumerate(table.labels) if label]
    zeros = [row for row, label in enumerate(table.labels) if not label]
    features = []
    for column in table.features:
        categories = column.categories()
        kind = "category" if categories is not None else "integer" if column.integers else "number"
        bounds = [_bounds(map(column.values.__getitem__, rows)) for rows in (zeros, ones)]
        features.append(
            Feature(
                column.name,
                kind,
                column.missing,
                bounds[0],
                bounds[1],
                None if categories is None else tuple(categories),
            )
        )
    # NaN differs from itself; a missing value repeats another.
    columns = [
        [None if value != value else value for value in column.values]
        if column.missing
        else column.values
        for column in table.features
    ]
    different = len(set(zip(*columns, table.labels, strict=True)))
    return tuple(features), len(table.labels) - different


def _bounds(values: Any) -> tuple[float, float]:
    found = [value for value in values if value == value]
    return (min(found), max(found)) if found else (math.nan, math.nan)


def check_leakage(features: Sequence[Feature], label: str, *, allowed: bool) -> None:
    """Refuse a feature that is the label under another name.

    Raises:
        LeakageError: There is one, and it is not allowed.
    """
    for feature in features:
        if feature.leaks and not allowed:
            raise LeakageError(
                f"each value of the feature stands for one value of the label {shown(label)}, so "
                "a model would learn nothing else",
                remedy="Name it in source.drop, or set source.allow_leakage to true if it really "
                "is known before the label is.",
                column=feature.name,
            )


def warnings(features: Sequence[Feature], duplicates: int) -> list[dict[str, Any]]:
    """Return what deserves a look and is no reason to refuse."""
    found: list[dict[str, Any]] = [
        {
            "name": "ConstantColumnWarning",
            "column": feature.name,
            "message": f"column {shown(feature.name)} has the same value in every row; a model "
            "learns nothing from it. Name it in source.drop.",
        }
        for feature in features
        if feature.constant
    ]
    found += [
        {
            "name": "LeakageWarning",
            "column": feature.name,
            "message": f"column {shown(feature.name)} tells the label outright, which was allowed.",
        }
        for feature in features
        if feature.leaks
    ]
    if duplicates:
        found.append(
            {
                "name": "DuplicateRowsWarning",
                "count": duplicates,
                "message": f"{duplicates:,} rows repeat an earlier one, label included; copies on "
                "both sides of the split make the metrics look better than they are.",
            }
        )
    return found


# In the order they are made; each has errors of its own.
CHECKS = (
    "archive", "encoding", "columns", "types", "missing", "finite", "label", "stratification",
    "leakage",
)  # fmt: skip


def build(
    *,
    features: Sequence[Feature],
    label: str,
    classes: Mapping[str, str],
    counts: Mapping[str, int],
    positives: Mapping[str, int],
    duplicates: int,
    source: Mapping[str, Any],
    order: str,
) -> dict[str, Any]:
    """Return the profile, fit for JSON.

    Args:
        features: In the order of the files' columns, after the label.
        label: The label's name.
        classes: Its positive and its negative value.
        counts: Rows of each part.
        positives: Rows labelled 1 of each part.
        duplicates: Rows that repeat an earlier one.
        source: Name, size and hash of the file.
        order: "shuffled", as the notebook writes rows, or "file".
    """
    rows, ones = sum(counts.values()), sum(positives.values())
    return {
        "version": 1,
        "rows": rows,
        "feature_count": len(features),
        "row_width": {"labelled": len(features) + 1, "features": len(features)},
        "label": {
            "name": label,
            "classes": {"1": classes["positive"], "0": classes["negative"]},
            "balance": {"1": ones, "0": rows - ones, "positive_share": ones / rows},
        },
        "parts": {
            part: {"rows": count, "positives": positives[part]} for part, count in counts.items()
        },
        "order": order,
        "features": [feature.summary() for feature in features],
        "duplicate_rows": duplicates,
        "checks": [{"name": name, "passed": True} for name in CHECKS],
        "warnings": warnings(features, duplicates),
        "source": dict(source),
    }
