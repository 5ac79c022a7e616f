"""Features that know too much, and rows that stand in two parts: what a sample of the rows tells.

One feature is measured at a time, by ranks: how often a row of one class has a larger value than a
row of another (the area under the ROC curve; Hanley and McNeil, Radiology 143, 1982), and for a
number the correlation of ranks (Spearman). Both come with a lower bound that depends on how many
rows there are, so that few rows refuse nothing. What two features tell together is not seen, nor
what is merely known too late: that looks like any good feature.
"""

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from data_prep.check import without
from data_prep.errors import DataError, shown
from data_prep.options import Wanted
from data_prep.profile import Feature, LeakageError

# Rows of the sample, fewer of wide files.
_MOST_ROWS = 2048
_FEWEST_ROWS = 256
_MOST_VALUES = 200_000
# The golden ratio's multiples are spread evenly over 64 bits (Knuth, volume 3, section 6.4).
GOLDEN = 0x9E3779B97F4A7C15
_WORD = 1 << 64

# From here on a feature is told of, and from here on it is refused.
_WARNED = 0.98
_REFUSED = 0.99
_IDENTIFIER_REFUSED = 0.9
_CORRELATION_REFUSED = 0.999
# Every eighth row tells of most features that they are far from that.
_ONE_OF = 8
_FEW = 100
_HARMLESS = 0.8
# A share of fewer rows than about nine says nothing.
_LEAST_BOUND = 0.7
# Of the normal distribution: two-sided 95 %.
_Z = 1.96
_FEW_VALUES = 50
_FEWEST_OF_IDENTIFIER = 20
_NAMES = re.compile(r"(?i)(|unnamed: ?\d+|__index_level_\d+__|(.*[^a-z])?(id|idx|index|rowid|key))")
_CAMEL = re.compile(r".*[a-z]I[dD]")
# Of the rows held out, how many may also be trained on.
_SHARED_REFUSED = 0.5
# How much oftener than by chance.
_OFTENER = 10


_REMEDY = (
    "Name it in source.drop, or set source.allow_leakage to true if it really is known before the "
    "label is."
)


class RepeatedRowsError(DataError):
    """At least half of the rows of a part that is held out are in the training part, too."""


class Finding(NamedTuple):
    """What a sample told of a feature, or the parts of their rows.

    Attributes:
        name: The warning's.
        column: The feature's; None of rows.
        message: What it is, in one sentence without its full stop.
        remedy: What to do about it.
        fix: The same in the execution input.
        is_refused: Whether it is refused unless it is allowed.
    """

    name: str
    column: str | None
    message: str
    remedy: str
    fix: dict[str, Any]
    is_refused: bool = False


class Sample(NamedTuple):
    """Some rows of a file, in its order: a fixed choice by their lines.

    Attributes:
        columns: The values of each feature; NaN where one is missing. Those of categories are any
            numbers that tell them apart.
        labels: Each row's: the number of its class, or the number to be predicted.
    """

    columns: list[list[float]]
    labels: list[float]


def rows_of_sample(features: int) -> int:
    """Return about how many rows are looked at."""
    return max(_FEWEST_ROWS, min(_MOST_ROWS, _MOST_VALUES // max(1, features)))


def threshold(last_line: int, features: int) -> int:
    """Return below which number a row is in the sample, `line * GOLDEN` modulo 2**64."""
    return min(_WORD, (rows_of_sample(features) * _WORD) // max(1, last_line))


def chosen(lines: Sequence[int], features: int) -> list[int]:
    """Return which rows of a whole file are in the sample."""
    if not lines:
        return []
    least = threshold(lines[-1], features)
    if least == _WORD:
        return list(range(len(lines)))
    return [row for row, line in enumerate(lines) if line * GOLDEN % _WORD < least]


def lower_bound(share: float, count: int) -> float:
    """Return the lower end of Wilson's interval (1927) for a share of so many.

    The variance of the area under the curve is at most that of a share of the rarer class's rows
    (van Dantzig 1951; Birnbaum and Klose 1957), so the bound holds for it, too.
    """
    if not count:
        return 0.0
    z = _Z * _Z / count
    spread = _Z * math.sqrt(share * (1 - share) / count + z / (4 * count))
    return (share + z / 2 - spread) / (1 + z)


def area(low: Sequence[float], high: Sequence[float]) -> float:
    """Return how often a value of the second is the larger one, ties counted half.

    Args:
        low: Values, sorted.
        high: Values.
    """
    below = sum(bisect_left(low, value) + bisect_right(low, value) for value in high)
    return below / (2 * len(low) * len(high))


def _split_by_class(values: Sequence[float], labels: Sequence[float]) -> list[list[float]]:
    found: dict[float, list[float]] = {}
    for value, label in zip(values, labels, strict=True):
        found.setdefault(label, []).append(value)
    return [sorted(each) for each in found.values()]


def separation(values: Sequence[float], labels: Sequence[float]) -> tuple[float, float]:
    """Return how well one feature alone tells all classes apart, and the bound below it.

    The worst pair of classes that lie side by side counts. A missing value is taken as the least
    and as the greatest, whichever tells more.
    """
    best = (0.0, 0.0)
    gaps = (math.inf, -math.inf) if any(value != value for value in values) else (math.inf,)
    for gap in gaps:
        classes = _split_by_class([gap if value != value else value for value in values], labels)
        if len(classes) < 2:
            return best
        classes.sort(key=lambda each: (each[len(each) // 2], each[0], each[-1]))
        worst = (1.0, 1.0)
        for low, high in pairwise(classes):
            share = area(low, high)
            share = max(share, 1 - share)
            worst = min(worst, (share, lower_bound(share, min(len(low), len(high)))))
        best = max(best, worst)
    return best


def purity(values: Sequence[float], labels: Sequence[float]) -> tuple[float, float]:
    """Return which share of the rarest class the values tell, and the bound; 0 for many values.

    A value stands for the class that most of its rows have. What it says wrong is counted against
    the rarest class, as if all errors were there.
    """
    groups: dict[float, dict[float, int]] = {}
    counts: dict[float, int] = {}
    for value, label in zip(values, labels, strict=True):
        group = groups.setdefault(math.inf if value != value else value, {})
        group[label] = group.get(label, 0) + 1
        counts[label] = counts.get(label, 0) + 1
        if len(groups) > _FEW_VALUES:
            return 0.0, 0.0
    if len(counts) < 2 or len(groups) * 10 > len(values):
        return 0.0, 0.0
    wrong = sum(sum(group.values()) - max(group.values()) for group in groups.values())
    fewest = min(counts.values())
    share = max(0.0, 1 - wrong / fewest)
    return share, lower_bound(share, fewest)


def _ranks(values: Sequence[float]) -> list[float]:
    ordered = sorted(values)
    return [(bisect_left(ordered, value) + bisect_right(ordered, value)) / 2 for value in values]


def correlation(values: Sequence[float], labels: Sequence[float]) -> tuple[float, float]:
    """Return the correlation of ranks without its sign, and the bound below it.

    The bound is Fisher's, with the variance of Bonett and Wright (Psychometrika 65, 2000).
    """
    pairs = [pair for pair in zip(values, labels, strict=True) if pair[0] == pair[0]]
    if len(pairs) < 4:
        return 0.0, 0.0
    first, second = (_ranks(each) for each in zip(*pairs, strict=True))
    middle = len(pairs) / 2
    sums = [
        sum((a - middle) * (b - middle) for a, b in zip(x, y, strict=True))
        for x, y in ((first, second), (first, first), (second, second))
    ]
    if not (sums[1] and sums[2]):
        return 0.0, 0.0
    rho = min(1.0, abs(sums[0]) / math.sqrt(sums[1] * sums[2]))
    # What n rows show without an exception may still have one in n.
    sure = min(rho, 1 - 1 / len(pairs))
    error = math.sqrt((1 + rho * rho / 2) / (len(pairs) - 3))
    return rho, math.tanh(math.atanh(sure) - _Z * error)


def is_identifier(feature: Feature, values: Sequence[float], rows: int) -> bool:
    """Tell whether a feature looks like an identifier or an index.

    Its values are whole numbers of which none is there twice; and they count the rows, rise or fall
    with every row, or are called so.
    """
    if feature.missing or feature.categories is not None or len(values) < _FEWEST_OF_IDENTIFIER:
        return False
    if any(value != math.floor(value) for value in values) or len(set(values)) < len(values):
        return False
    low = min(bound[0] for bound in feature.bounds)
    high = max(bound[1] for bound in feature.bounds)
    counts = high - low + 1 <= 1.1 * rows
    ordered = all(a < b for a, b in pairwise(values)) or all(a > b for a, b in pairwise(values))
    return counts or ordered or is_called_so(feature.name)


def is_called_so(name: str) -> bool:
    """Tell whether a column's name is that of an identifier or an index."""
    return bool(_NAMES.fullmatch(name) or _CAMEL.fullmatch(name))


def _measured(
    measure: Callable[[Sequence[float], Sequence[float]], tuple[float, float]],
    values: Sequence[float],
    labels: Sequence[float],
) -> tuple[float, float]:
    """Measure a feature, on all rows only where some of them do not tell that it is harmless."""
    if len(labels) >= _FEW * _ONE_OF:
        some = measure(values[::_ONE_OF], labels[::_ONE_OF])
        if 0 < some[0] < _HARMLESS:
            return some
    return measure(values, labels)


def findings(
    features: Sequence[Feature], sample: Sample, wanted: Wanted, rows: int
) -> list[Finding]:
    """Return which features are worth a look, or to be refused.

    Args:
        features: What is known of each.
        sample: Some of the rows.
        wanted: What the label is for.
        rows: How many there are in all.
    """
    task = wanted.task
    found = []
    for feature, values in zip(features, sample.columns, strict=True):
        if feature.leaks or feature.constant:
            # Told of as such.
            continue
        is_category = feature.categories is not None
        is_id = is_identifier(feature, values, rows)
        if task == "regression":
            each = (0.0, 0.0) if is_category else _measured(correlation, values, sample.labels)
            limit = _CORRELATION_REFUSED
            what = "the correlation of its ranks with the label's"
        else:
            each = purity(values, sample.labels)
            if not is_category:
                each = max(each, _measured(separation, values, sample.labels))
            limit = _IDENTIFIER_REFUSED if is_id else _REFUSED
            what = "the share of rows that it alone tells apart by class"
        share, bound = each
        drop = without(feature.name, wanted)
        measured = f"{what} is {share:.4f}, at least {bound:.4f} (95 %)"
        # Whole numbers that differ in every row order the classes by no chance.
        is_refused = bound >= limit or (
            is_id and task != "regression" and share == 1 and bound >= _LEAST_BOUND
        )
        if is_id and (is_refused or (share >= _IDENTIFIER_REFUSED and bound >= _LEAST_BOUND)):
            message = f"looks like an identifier or index that orders the labels: {measured}"
            found.append(
                Finding("IdentifierWarning", feature.name, message, _REMEDY, drop, is_refused)
            )
        elif is_id:
            found.append(
                Finding(
                    "IdentifierWarning",
                    feature.name,
                    "looks like an identifier or index: whole numbers of which none is there twice",
                    "Name it in source.drop: a model learns from it what does not come again.",
                    drop,
                )
            )
        elif share >= _WARNED and bound >= _LEAST_BOUND:
            verb = "follows" if task == "regression" else "alone nearly tells"
            message = f"{verb} the label: {measured}"
            found.append(
                Finding(
                    "SuspiciousFeatureWarning", feature.name, message, _REMEDY, drop, is_refused
                )
            )
        elif task == "multiclass" and (only := _only_class(feature, values, sample.labels)):
            message = f"has two values, one of which is there in all rows of class {only}, only"
            found.append(Finding("SuspiciousFeatureWarning", feature.name, message, _REMEDY, drop))
    return found


def _only_class(feature: Feature, values: Sequence[float], labels: Sequence[float]) -> str:
    """Return the number of the class that a feature of two values singles out, or ""."""
    different = set(values)
    if len(different) != 2 or feature.missing:
        return ""
    for one in different:
        inside = {label for value, label in zip(values, labels, strict=True) if value == one}
        outside = {label for value, label in zip(values, labels, strict=True) if value != one}
        if len(inside) == 1 and not inside & outside:
            label = inside.pop()
            if labels.count(label) >= _FEWEST_OF_IDENTIFIER // 2:
                return str(int(label))
    return ""


def of_rows(shared: dict[str, int], counts: dict[str, int], sample: Sample) -> Finding | None:
    """Return what is to be said of rows that are held out and trained on.

    Coarse features make equal rows by chance: about as many as rows are trained on, times how often
    two rows have the same value of each feature and of the label.

    Args:
        shared: Of each part that is held out, how many of its rows are in the training part, too.
        counts: Rows of each part.
        sample: Some of the rows.
    """
    if not any(shared.values()):
        return None
    share = max(shared[part] / counts[part] for part in shared)
    by_chance = float(counts["train"])
    for values in (*sample.columns, sample.labels):
        by_chance *= _same(values)
    told = " and ".join(
        f"{shared[part]:,} of {counts[part]:,} rows of the {part} part"
        for part in shared
        if shared[part]
    )
    return Finding(
        "SharedRowsWarning",
        None,
        f"{told} are in the training part, too, label included, so that the metrics look better "
        "than they are",
        "Remove the copies, or set source.allow_duplicates to true if these are different cases.",
        {"source": {"allow_duplicates": True}},
        share >= _SHARED_REFUSED and share > _OFTENER * by_chance,
    )


def _same(values: Sequence[float]) -> float:
    """Return how often two rows have the same value."""
    counts: dict[float, int] = {}
    for value in values:
        key = math.inf if value != value else value
        counts[key] = counts.get(key, 0) + 1
    pairs = len(values) * (len(values) - 1)
    return sum(n * (n - 1) for n in counts.values()) / pairs if pairs else 1.0


def check(found: Sequence[Finding], features: Sequence[Feature], wanted: Wanted) -> None:
    """Refuse what is not allowed, all of it at once.

    Args:
        found: What the sample told.
        features: What is known of each feature.
        wanted: What is allowed.

    Raises:
        LeakageError: A feature tells the label.
        RepeatedRowsError: Rows stand in several parts.
    """
    refused: list[DataError] = []
    if not wanted.allow_leakage:
        refused += [
            LeakageError(
                "each value of the feature stands for one value of the label "
                f"{shown(wanted.label)}, so a model would learn nothing else",
                remedy=_REMEDY,
                column=feature.name,
                fix=without(feature.name, wanted),
            )
            for feature in features
            if feature.leaks
        ]
        refused += [
            LeakageError(
                f"the feature {each.message}", remedy=each.remedy, column=each.column, fix=each.fix
            )
            for each in found
            if each.is_refused and each.column is not None
        ]
    if not wanted.allow_duplicates:
        refused += [
            RepeatedRowsError(each.message, remedy=each.remedy, fix=each.fix)
            for each in found
            if each.is_refused and each.column is None
        ]
    if refused:
        raise refused[0].told(others=refused[1:])
