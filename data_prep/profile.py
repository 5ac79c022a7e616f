"""What is known of a prepared file: the figures of `data_profile.json`, warnings, and leakage.

Pure, and the same for small files and large ones.
"""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from data_prep.errors import DataError, listed, shown
from data_prep.table import DROPPED, Column, Table

# A class is told of that has less than a tenth of what it had if all were alike.
_IMBALANCED = 0.1


class LeakageError(DataError):
    """A feature tells the label: a value for a class, a line with a number, or almost so."""


class Feature(NamedTuple):
    """A feature of the prepared files.

    Attributes:
        name: Its name, after renaming.
        kind: "integer", "number" or "category".
        missing: How many values are missing.
        bounds: The least and the greatest value in the rows of each class, by its number; of a
            regression, in all rows. NaN where there is none.
        categories: Of a category: its values, by the numbers they were given.
        leaks: Whether the feature is the label itself: one value stands for each class, or every
            value of it is on one straight line with the label.
    """

    name: str
    kind: str
    missing: int
    bounds: tuple[tuple[float, float], ...]
    categories: tuple[str, ...] | None
    leaks: bool

    @property
    def constant(self) -> bool:
        """Whether there is at most one value, missing ones aside."""
        found = self._found()
        return not found or min(found) == max(found)

    def summary(self) -> dict[str, Any]:
        """Return the feature's entry in the profile."""
        found = self._found()
        entry: dict[str, Any] = {"name": self.name, "type": self.kind, "missing": self.missing}
        if self.categories is not None:
            entry["categories"] = list(self.categories)
        else:
            number = int if self.kind == "integer" else float
            entry["min"] = number(min(found)) if found else None
            entry["max"] = number(max(found)) if found else None
        return entry

    def _found(self) -> list[float]:
        return [bound for bounds in self.bounds for bound in bounds if not math.isnan(bound)]


def tells_class(missing: int, bounds: Sequence[tuple[float, float]]) -> bool:
    """Tell whether one value stands for each class."""
    ones = {low for low, high in bounds if low == high}
    return missing == 0 and len(ones) == len(bounds)


def on_line(
    value: float, label: float, first: tuple[float, float], last: tuple[float, float]
) -> bool:
    """Tell whether a feature's value is on the line through two others, to 12 digits.

    Args:
        value: The feature's.
        label: The same row's.
        first: Value and label of another row.
        last: The same of a row whose label is another one.
    """
    expected = first[0] + (last[0] - first[0]) * ((label - first[1]) / (last[1] - first[1]))
    return abs(value - expected) <= 1e-12 * max(abs(first[0]), abs(last[0]))


def of_table(table: Table) -> tuple[tuple[Feature, ...], int]:
    """Describe a table's features and count the rows that repeat an earlier one, label included."""
    rows_of: list[Sequence[int]]
    if table.target is None:
        of_class: list[list[int]] = [[] for _ in table.classes]
        for row, label in enumerate(table.labels):
            if label != DROPPED or not table.dropped:
                of_class[label].append(row)
        rows_of = [*of_class]
    else:
        rows_of = [range(table.rows)]
    features = []
    for column in table.features:
        categories = column.categories()
        kind = "category" if categories is not None else "integer" if column.integers else "number"
        bounds = tuple(_bounds(map(column.values.__getitem__, rows)) for rows in rows_of)
        features.append(
            Feature(
                column.name,
                kind,
                column.missing,
                bounds,
                None if categories is None else tuple(categories),
                tells_class(column.missing, bounds)
                if table.target is None
                else kind != "category" and _tells_number(column, table.target),
            )
        )
    # NaN differs from itself; a missing value repeats another.
    columns = [
        [None if value != value else value for value in column.values]
        if column.missing
        else column.values
        for column in table.features
    ]
    labels = table.labels if table.target is None else table.target.values
    different = len(set(zip(*columns, labels, strict=True)))
    return tuple(features), table.rows - different


def _bounds(values: Any) -> tuple[float, float]:
    found = [value for value in values if value == value]
    return (min(found), max(found)) if found else (math.nan, math.nan)


def _tells_number(column: Column, target: Column) -> bool:
    """Tell whether a feature is the label, up to a factor and a shift."""
    ends = [target.values.index(bound(target.values)) for bound in (min, max)]
    first, last = ((column.values[row], target.values[row]) for row in ends)
    return (
        column.missing == 0
        and first[0] != last[0]
        and all(
            on_line(value, label, first, last)
            for value, label in zip(column.values, target.values, strict=True)
        )
    )


class Noted(NamedTuple):
    """What is worth a warning beside what the features themselves tell.

    Attributes:
        findings: What a sample of the rows told.
        duplicates: Rows that repeat an earlier one, label included.
        dropped: How many rows were left out, by their label.
        counts: Rows of each class; empty for a regression.
    """

    findings: Sequence[Any]
    duplicates: int
    dropped: Mapping[str, int] = MappingProxyType({})
    counts: Mapping[str, int] = MappingProxyType({})


def warnings(features: Sequence[Feature], noted: Noted) -> list[dict[str, Any]]:
    """Return what deserves a look and is no reason to refuse.

    Each has a `name`, a `message` and a `remedy`; where it is about a column its name, where rows
    are counted their `count`, and a `fix` where something in the execution input is the remedy.
    """
    found: list[dict[str, Any]] = [
        {
            "name": "ConstantColumnWarning",
            "column": feature.name,
            "message": f"column {shown(feature.name)} has the same value in every row; a model "
            "learns nothing from it.",
            "remedy": "Name it in source.drop.",
            "fix": {"source": {"drop": [feature.name]}},
        }
        for feature in features
        if feature.constant
    ]
    found += [
        {
            "name": "LeakageWarning",
            "column": feature.name,
            "message": f"column {shown(feature.name)} tells the label outright, which was allowed.",
            "remedy": "Name it in source.drop, unless it is known before the label is.",
            "fix": {"source": {"drop": [feature.name]}},
        }
        for feature in features
        if feature.leaks
    ]
    for each in noted.findings:
        of_column = "" if each.column is None else f"column {shown(each.column)} "
        found.append(
            {
                "name": each.name,
                **({} if each.column is None else {"column": each.column}),
                "message": f"{of_column}{each.message}"
                f"{', which was allowed' if each.is_refused else ''}.",
                "remedy": each.remedy,
                "fix": each.fix,
            }
        )
    if noted.duplicates:
        found.append(
            {
                "name": "DuplicateRowsWarning",
                "count": noted.duplicates,
                "message": f"{noted.duplicates:,} rows repeat an earlier one, label included; "
                "copies on both sides of the split make the metrics look better than they are.",
                "remedy": "Remove the copies, unless they are different cases.",
            }
        )
    if noted.dropped:
        count = sum(noted.dropped.values())
        labels = listed(list(noted.dropped), limit=5)
        found.append(
            {
                "name": "DroppedRowsWarning",
                "count": count,
                "message": f"{count:,} rows were left out, as asked for: those with the label "
                f"{labels}.",
                "remedy": "Fill in missing labels, or add rows of rare classes.",
            }
        )
    rows = sum(noted.counts.values())
    for name, count in noted.counts.items():
        if count < _IMBALANCED * rows / len(noted.counts):
            found.append(
                {
                    "name": "ImbalanceWarning",
                    "count": count,
                    "message": f"{count:,} of {rows:,} rows have the label {shown(name)}; accuracy "
                    "says little of it, and its metrics are of few rows.",
                    "remedy": "Look at recall and at the area under the curve, not at accuracy; "
                    "weigh the class by the hyperparameter scale_pos_weight where there are two.",
                }
            )
    return found


# In the order they are made; each has errors of its own.
CHECKS = (
    "archive", "encoding", "columns", "types", "missing", "finite", "label", "stratification",
    "leakage",
)  # fmt: skip


def of_target(low: float, high: float, *, integers: bool) -> dict[str, Any]:
    """Return what is known of a regression's label."""
    number = int if integers else float
    return {
        "type": "integer" if integers else "number",
        "min": number(low),
        "max": number(high),
    }


def of_classes(
    task: str, classes: Sequence[str], class_counts: Mapping[str, Sequence[int]]
) -> dict[str, Any]:
    """Return what is known of a label of classes: its values, and the rows of each.

    Args:
        task: "binary" or "multiclass".
        classes: By the numbers written for them.
        class_counts: Rows of each, by part.
    """
    totals = [sum(counts) for counts in zip(*class_counts.values(), strict=True)]
    order = range(len(classes))
    balance: dict[str, float] = {str(number): totals[number] for number in order}
    if task == "binary":
        order = range(1, -1, -1)
        balance = {"1": totals[1], "0": totals[0], "positive_share": totals[1] / sum(totals)}
    return {"classes": {str(number): classes[number] for number in order}, "balance": balance}


def part_of(task: str, counts: Sequence[int]) -> dict[str, Any]:
    """Return a part's rows by class: of two those labelled 1, of several each, of none nothing."""
    if task == "binary":
        return {"positives": counts[1]}
    return (
        {"classes": {str(number): count for number, count in enumerate(counts)}} if counts else {}
    )


def build(
    *,
    task: str,
    features: Sequence[Feature],
    label: Mapping[str, Any],
    parts: Mapping[str, Mapping[str, Any]],
    noted: Noted,
    source: Mapping[str, Any],
    order: str,
) -> dict[str, Any]:
    """Return the profile, fit for JSON.

    Args:
        task: What the label is for.
        features: In the order of the files' columns, after the label.
        label: The label's entry.
        parts: Each part's entry, with its `rows`.
        noted: What is worth a warning.
        source: Name, size and hash of the file.
        order: "shuffled", as the notebook writes rows, or "file".
    """
    return {
        "version": 1,
        "task": task,
        "rows": sum(part["rows"] for part in parts.values()),
        "feature_count": len(features),
        "row_width": {"labelled": len(features) + 1, "features": len(features)},
        "label": dict(label),
        "parts": {name: dict(part) for name, part in parts.items()},
        "order": order,
        "features": [feature.summary() for feature in features],
        "duplicate_rows": noted.duplicates,
        "checks": [{"name": name, "passed": True} for name in CHECKS],
        "warnings": warnings(features, noted),
        "source": dict(source),
    }
