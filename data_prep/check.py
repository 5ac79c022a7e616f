"""From rows of text to a table of numbers, refusing by name whatever would waste a training job."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from data_prep.errors import DataError, listed, pasted, shown
from data_prep.formats.base import Opened, Rows
from data_prep.labels import Labels, add_target, check_spread, no_rows
from data_prep.limits import check_row_count
from data_prep.numerals import plain
from data_prep.options import Wanted
from data_prep.table import Column, Table
from data_prep.values import add


class DuplicateColumnError(DataError):
    """Two columns have one name."""


class UnnamedColumnError(DataError):
    """A column has no name."""


class NoFeaturesError(DataError):
    """The label is the only column."""


class NominalFeatureError(DataError):
    """A feature is declared nominal and not to be encoded, and XGBoost takes numbers."""


class ColumnNotFoundError(DataError):
    """A column to drop, to rename or to encode is not in the file."""


class LabelNotFoundError(DataError):
    """No column has the label's name."""


class ContradictionError(DataError):
    """A column is to be dropped and to be renamed."""


class Layout(NamedTuple):
    """What each column of the file is for.

    Attributes:
        names: The columns' names after renaming, in file order, dropped ones included.
        label: The label's position.
        features: The features' positions, in file order.
        categorical: Those of them that are encoded.
    """

    names: tuple[str, ...]
    label: int
    features: tuple[int, ...]
    categorical: frozenset[int]

    def columns(self, rows: Rows) -> list[Column]:
        """Return an empty column for each feature."""
        return [self._column(rows, at) for at in self.features]

    def target(self, rows: Rows) -> Column:
        """Return an empty column for a regression's label."""
        return self._column(rows, self.label)

    def labels(self, rows: Rows, *, drops_missing: bool = False) -> Labels:
        """Return what gathers a label of classes."""
        in_file, name = rows.names[self.label], self.names[self.label]
        return Labels(rows, in_file, name, drops_missing=drops_missing)

    def _column(self, rows: Rows, at: int) -> Column:
        return Column(
            self.names[at],
            integers=rows.keeps_integers and rows.names[at] not in rows.floats,
            categories=rows.nominal.get(rows.names[at], ()) if at in self.categorical else None,
        )


def table(
    opened: Opened, wanted: Wanted, *, fewest: int = 0, most_rows: int | None = None
) -> Table:
    """Read every row and return a table of numbers.

    Args:
        opened: The file, with its header read.
        wanted: Which column is the label, what becomes of its values, and of the other columns.
        fewest: Rows below which a class is rare.
        most_rows: More rows than this are refused; any number is taken when left out.

    Raises:
        DataError: One of its classes for columns, values and labels, or one of the reader's.
    """
    rows = opened.rows
    plan = layout(rows, wanted)
    features = plan.columns(rows)
    target = plan.target(rows) if wanted.task == "regression" else None
    labels = plan.labels(rows, drops_missing=wanted.missing_label == "drop")
    count = 0
    # A list of integers that are there already: an array would cost a conversion of each.
    lines: list[int] = []
    for batch in opened.batches():
        columns = list(zip(*batch.rows, strict=True))
        if target is None:
            labels.add(columns[plan.label], batch.lines)
        else:
            texts = plain(rows.numerals, target, columns[plan.label], batch.lines)
            add_target(target, texts, batch.lines, rows.missing, wanted.objective)
        count += len(batch.rows)
        lines += batch.lines
        check_row_count(count, most_rows)
        for feature, at in zip(features, plan.features, strict=True):
            texts = plain(rows.numerals, feature, columns[at], batch.lines)
            add(feature, texts, batch.lines, rows.missing, gaps=wanted.missing == "pass")
    codes = b""
    classes: tuple[str, ...] = ()
    if target is None:
        codes, classes = labels.numbered(wanted, fewest=fewest)
    elif not count:
        raise no_rows()
    else:
        check_spread(min(target.values), max(target.values), target.name)
    for feature in features:
        feature.settle()
    return Table(tuple(features), codes, target, classes, labels.dropped, lines)


def layout(rows: Rows, wanted: Wanted) -> Layout:
    """Decide what each column is for.

    The one place where the fields that name columns are resolved, as pandas does it:
    `frame.drop(columns=drop).rename(columns=rename)`, both by the file's names and all new names at
    once; the label and the categorical columns are then found among the names that are left.

    Raises:
        DataError: One of its classes for columns: a name is missing, doubled, or not to be found,
            or two fields contradict each other.
    """
    plan, problems = resolved(rows, wanted)
    if problems:
        raise problems[0]
    if plan is None:
        raise AssertionError("columns without a layout have a problem")
    return plan


def resolved(rows: Rows, wanted: Wanted) -> tuple[Layout | None, list[DataError]]:
    """Return what each column is for, as far as it can be told, and all that is wrong with it.

    Columns that no field decides are features, so that their values can be looked at. There is no
    layout without a label.
    """
    problems = list(_fields(rows.names, wanted))
    names = tuple(wanted.rename.get(name, name) for name in rows.names)
    asked_for = {wanted.label, *wanted.categorical}
    kept = [
        at
        for at, name in enumerate(rows.names)
        if name not in wanted.drop and (name not in rows.index or names[at] in asked_for)
    ]
    unreadable = {at for at in kept if rows.names[at] in rows.unreadable}
    problems += [rows.unreadable[rows.names[at]] for at in sorted(unreadable)]
    problems += _names(names, kept, wanted, rows.names)
    place: dict[str, int] = {}
    for at in kept:
        place.setdefault(names[at], at)
    if wanted.label not in place:
        return None, [*problems, _no_label(place, wanted)]
    label = place[wanted.label]
    if label in unreadable:
        return None, problems
    features = tuple(at for at in kept if at != label and at not in unreadable)
    if not features and not unreadable:
        problems.append(
            NoFeaturesError(
                "the label is the only column", remedy="Give at least one column to learn from."
            )
        )
    problems += [
        _not_a_feature(asked, [names[at] for at in features], wanted)
        for asked in wanted.categorical
        if place.get(asked, label) == label
    ]
    categorical = frozenset(
        place[name] for name in wanted.categorical if place.get(name, label) != label
    )
    nominal = frozenset(at for at in features if rows.names[at] in rows.nominal)
    if wanted.encode_text:
        categorical |= nominal
    problems += [
        NominalFeatureError(
            "the feature is declared nominal and XGBoost takes numbers",
            remedy="Name it in source.categorical to have its values numbered, remove the "
            "column, or write it as numbers and declare it numeric.",
            column=names[at],
            fix=source(categorical=[*wanted.categorical, names[at]]),
        )
        for at in features
        if at in nominal - categorical
    ]
    return Layout(names, label, features, categorical), problems


def source(**fields: Any) -> dict[str, Any]:
    """Return fields of `source` as what solves a problem."""
    return {"source": fields}


def without(name: str, wanted: Wanted) -> dict[str, Any]:
    """Return what leaves a feature out, by its new name: as what solves a problem."""
    old = {new: in_file for in_file, new in wanted.rename.items()}
    fields: dict[str, Any] = {"drop": [*wanted.drop, old.get(name, name)]}
    if name in old:
        fields["rename"] = _without(wanted.rename, old[name])
    if name in wanted.categorical:
        fields["categorical"] = [each for each in wanted.categorical if each != name]
    return source(**fields)


def _fields(in_file: tuple[str, ...], wanted: Wanted) -> Iterator[DataError]:
    """Tell of columns to drop or to rename that are not in the file, or that are both."""
    for asked, field in (
        *((name, "source.drop") for name in wanted.drop),
        *((name, "source.rename") for name in wanted.rename),
    ):
        if asked in in_file:
            continue
        old = [name for name in in_file if wanted.rename.get(name) == asked]
        yield ColumnNotFoundError(
            f"{field} names {shown(asked)}, which is not a column of the file",
            remedy=f"Give the name in the file, {shown(old[0])}."
            if old
            else f"Give one of: {listed(in_file)}.",
        )
    for name in wanted.rename:
        if name in wanted.drop:
            yield ContradictionError(
                f"source.rename names {shown(name)}, which source.drop leaves out",
                remedy=_set("source.rename", _without(wanted.rename, name))
                + f" Or take {shown(name)} out of source.drop.",
            )


def _no_label(place: Mapping[str, int], wanted: Wanted) -> DataError:
    if wanted.label in wanted.drop:
        left = [name for name in wanted.drop if name != wanted.label]
        return LabelNotFoundError(
            f"source.label names {shown(wanted.label)}, which source.drop leaves out",
            remedy=_set("source.drop", left),
            fix=source(drop=left),
        )
    new = wanted.rename.get(wanted.label, "")
    return LabelNotFoundError(
        f"no column is named {shown(wanted.label)}"
        + (f": source.rename calls it {shown(new)}" if new in place else ""),
        remedy=_set("source.label", new)
        if new in place
        else f"Set source.label to one of: {listed(list(place))}.",
        fix=source(label=new) if new in place else None,
    )


def _not_a_feature(asked: str, features: list[str], wanted: Wanted) -> DataError:
    left = [name for name in wanted.categorical if name != asked]
    if asked == wanted.label or asked in wanted.drop:
        why = "is the label" if asked == wanted.label else "source.drop leaves out"
        return ColumnNotFoundError(
            f"source.categorical names {shown(asked)}, which {why}",
            remedy=_set("source.categorical", left),
        )
    new = wanted.rename.get(asked)
    if new in features:
        return ColumnNotFoundError(
            f"source.categorical names {shown(asked)}, which source.rename calls {shown(new)}",
            remedy=_set("source.categorical", [*left, new]),
        )
    return ColumnNotFoundError(
        f"source.categorical names {shown(asked)}, which is not a feature",
        remedy=f"Give one of: {listed(features)}.",
    )


def _set(field: str, value: object) -> str:
    """Return the sentence that gives a field's value as it can be pasted into the input."""
    return f"Set {field} to {pasted(value)}."


def _without(rename: Mapping[str, str], name: str) -> dict[str, str]:
    return {old: new for old, new in rename.items() if old != name}


def _names(
    names: tuple[str, ...], kept: list[int], wanted: Wanted, in_file: tuple[str, ...]
) -> Iterator[DataError]:
    """Tell of columns without a name, or with one that another has, too."""
    seen: set[str] = set()
    for at in kept:
        name = names[at]
        if not name:
            yield UnnamedColumnError(
                f"column {at + 1} of {len(names)} has no name",
                remedy="Name it, or leave it out if it is a saved row index.",
                fix=source(drop=[*wanted.drop, ""]) if not in_file[at] else None,
            )
        elif name in seen:
            yield DuplicateColumnError(
                "two columns have this name",
                remedy=_parted([in_file[at] for at in kept], wanted.rename),
                column=name,
            )
        seen.add(name)


def _parted(in_file: list[str], rename: Mapping[str, str]) -> str:
    """Say what gives each column a name of its own."""
    for given in rename:
        left = _without(rename, given)
        if len({left.get(name, name) for name in in_file}) == len(in_file):
            return _set("source.rename", left)
    return "Rename or remove one of them."
