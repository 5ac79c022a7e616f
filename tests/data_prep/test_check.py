"""Rows of text become a table of numbers."""

import io
import itertools
import json
import re
from functools import cache
from typing import Any

import pandas as pd
import pytest

from data_prep import DataError, Limits, Wanted, prepare
from data_prep.check import Layout, layout, table
from tests.data_prep.support import BULK, Machines, opened_whole

# Columns whose values tell them apart, whatever they are called; each could be the label.
FILE = pd.DataFrame({"class": ["1"], "truth": ["2"], "a": ["3"]})
NAMES = ("class", "truth", "a")


def test_a_table_holds_numbers_and_labels() -> None:
    """Features keep their order, and labels are 1 for the positive value wherever they stood."""
    text = "first,class,second\n1,yes,0.5\n2,no,1\n"
    found = table(opened_whole(text, "x.csv"), Wanted(positive="yes"))
    assert [feature.name for feature in found.features] == ["first", "second"]
    assert [list(feature.values) for feature in found.features] == [[1, 2], [0.5, 1]]
    assert [feature.integers for feature in found.features] == [True, False]
    assert found.labels == b"\x01\x00"
    assert found.classes == ("no", "yes")


@pytest.mark.parametrize("how", ["small", "large", "several machines"])
def test_the_label_is_found_among_the_columns_that_are_left(how: str) -> None:
    """A column that takes a dropped one's name is the label, whatever prepares the file."""
    text = "class,truth,a\n" + "".join(f"{n % 2},{(n // 2) % 2},{n}\n" for n in range(40))
    found = prepare(
        io.BytesIO(text.encode()),
        name="x.csv",
        wanted=Wanted(drop=("class",), rename={"truth": "class"}, positive="1"),
        limits=Limits() if how == "small" else BULK,
        spread=Machines() if how == "several machines" else None,
    )
    assert found.label == "class"
    assert [feature.name for feature in found.features] == ["a"]
    assert list(found.labels) == [(n // 2) % 2 for n in range(40)]


def every_wish() -> list[Wanted]:
    """Every combination of the fields that name columns, over the file's names and one new one."""
    subsets = [(), ("class",), ("truth",), ("class", "truth"), ("new",)]
    renamings: list[dict[str, str]] = [
        dict(zip(old, new, strict=True))
        for old in ((), *((name,) for name in (*NAMES, "new")), *itertools.combinations(NAMES, 2))
        for new in itertools.product((*NAMES, "new"), repeat=len(old))
    ]
    encoded = [(), ("class",), ("a",), ("new",), ("a", "truth")]
    return [
        Wanted(label=label, drop=drop, rename=rename, categorical=categorical)
        for label in (*NAMES, "new")
        for drop in subsets
        for rename in renamings
        for categorical in encoded
    ]


def model(wanted: Wanted) -> tuple[str, dict[str, str]] | None:
    """Do what is asked with pandas: the label's and the features' values; None: it contradicts."""
    known = set(NAMES)
    if not (set(wanted.drop) <= known and set(wanted.rename) <= known):
        return None
    if set(wanted.drop) & set(wanted.rename):
        return None
    renamed = of_pandas(wanted.drop, tuple(wanted.rename.items()))
    if renamed is None or wanted.label not in renamed:
        return None
    features = dict(renamed)
    label = features.pop(wanted.label)
    if not features or not set(wanted.categorical) <= set(features):
        return None
    return label, features


@cache
def of_pandas(drop: tuple[str, ...], rename: tuple[tuple[str, str], ...]) -> dict[str, str] | None:
    """Return the value of each column that is left, by its new name; None if two have one name."""
    frame = FILE.drop(columns=list(drop)).rename(columns=dict(rename))
    return dict(zip(frame.columns, frame.iloc[0], strict=True)) if frame.columns.is_unique else None


VALUES = list(FILE.iloc[0])
ROWS = opened_whole(FILE.to_csv(index=False), "x.csv").rows


def answer(wanted: Wanted) -> Layout | DataError:
    """Return the columns' layout, or how it is refused."""
    try:
        return layout(ROWS, wanted)
    except DataError as error:
        return error


def test_names_mean_what_they_mean_in_pandas() -> None:
    """Over every combination of fields: the same label and features, or a refusal by name."""
    met: set[str] = set()
    for wanted in every_wish():
        expected, found = model(wanted), answer(wanted)
        if expected is None:
            assert isinstance(found, DataError), wanted
            met.add(type(found).__name__)
            continue
        assert isinstance(found, Layout), (wanted, found)
        label, features = expected
        assert VALUES[found.label] == label, wanted
        assert {found.names[at]: VALUES[at] for at in found.features} == features, wanted
        assert {found.names[at] for at in found.categorical} == set(wanted.categorical), wanted
    assert met == {
        "ColumnNotFoundError",
        "ContradictionError",
        "DuplicateColumnError",
        "LabelNotFoundError",
        "NoFeaturesError",
    }


def test_what_a_refusal_says_to_set_works_when_it_is_pasted() -> None:
    """Where a remedy gives a field's value, that refusal is not met again with it."""
    pasted = 0
    for wanted in every_wish():
        found = answer(wanted)
        remedy = found.remedy if isinstance(found, DataError) else ""
        given = re.match(r"Set source\.(\w+) to ([\[{\"].*?)\.(?: Or| Add|$)", remedy)
        if given is None:
            continue
        pasted += 1
        value = json.loads(given[2])
        fields: dict[str, Any] = {given[1]: tuple(value) if isinstance(value, list) else value}
        assert str(answer(wanted._replace(**fields))) != str(found), wanted
    assert pasted > 1000
