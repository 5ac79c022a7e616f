"""Features that know too much and rows in two parts: named where they are, nowhere else."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets
from sklearn.metrics import roc_auc_score

from data_prep import DataError, Prepared, leaks
from tests.data_prep.support import BULK, Machines, errors, run

HOW: dict[str, dict[str, Any]] = {"small": {}, "large": {"limits": BULK}}


def prepared(frame: pd.DataFrame, label: str = "y", **options: Any) -> Prepared | DataError:
    """Prepare a frame as a CSV file, or return how it is refused."""
    if options.get("task", "binary") == "binary":
        options.setdefault("positive", str(sorted(frame[label].unique())[-1]))
    try:
        return run(frame.to_csv(index=False), "x.csv", label=label, **options)
    except DataError as error:
        return error


def named(outcome: Prepared | DataError) -> set[str]:
    """Return the columns that are refused or warned of as leaks; "" for rows in two parts."""
    if isinstance(outcome, DataError):
        return {each.column or "" for each in (outcome, *outcome.others)}
    leaking = ("IdentifierWarning", "SuspiciousFeatureWarning", "SharedRowsWarning")
    return {
        each.get("column", "") for each in outcome.profile["warnings"] if each["name"] in leaking
    }


def frame_of(kind: Any) -> pd.DataFrame:
    """A data set of scikit-learn with its label last, called y."""
    found = kind(as_frame=True)
    return found.data.assign(y=found.target)


def noise(rows: int = 800, classes: int = 2, seed: int = 0) -> pd.DataFrame:
    """Three features, of which one tells a little of the label."""
    draw = np.random.RandomState(seed)
    label = draw.randint(0, classes, rows)
    return pd.DataFrame(
        {
            "a": draw.normal(label * 0.5, 1).round(4),
            "b": draw.normal(50, 9, rows).round(4),
            "c": draw.randint(0, 40, rows),
            "y": label,
        }
    )


def numbers(rows: int = 800, seed: int = 0) -> pd.DataFrame:
    """Three features and a number that depends on two of them, and on chance."""
    draw = np.random.RandomState(seed)
    frame = noise(rows, seed=seed).drop(columns="y")
    return frame.assign(y=(3 * frame["a"] + frame["b"] / 9 + draw.normal(0, 1, rows)).round(4))


def against_rest(frame: pd.DataFrame, one: int) -> pd.DataFrame:
    """One class against the others."""
    return frame.assign(y=(frame["y"] == one).astype(int))


def clean() -> dict[str, tuple[pd.DataFrame, dict[str, Any]]]:
    """Thirty-five data sets nobody tampered with, and what is asked of each."""
    several, number = {"task": "multiclass"}, {"task": "regression"}
    iris, wine = frame_of(datasets.load_iris), frame_of(datasets.load_wine)
    digits, cancer = frame_of(datasets.load_digits), frame_of(datasets.load_breast_cancer)
    diabetes = frame_of(datasets.load_diabetes)
    made: dict[str, tuple[pd.DataFrame, dict[str, Any]]] = {
        "iris": (iris, several),
        "wine": (wine, several),
        "digits": (digits, several),
        "breast cancer": (cancer, {}),
        "diabetes": (diabetes, number),
        "breast cancer, other way round": (cancer, {"positive": "0"}),
    }
    made |= {f"iris {one} against the rest": (against_rest(iris, one), {}) for one in range(3)}
    made |= {f"wine {one} against the rest": (against_rest(wine, one), {}) for one in range(3)}
    made |= {f"digit {one} against the rest": (against_rest(digits, one), {}) for one in range(10)}
    fitness = datasets.load_linnerud(as_frame=True)
    made |= {
        f"linnerud {name}": (
            fitness.data.assign(y=fitness.target[name]),
            number,
        )
        for name in fitness.target
    }
    for seed in range(4):
        features, label = datasets.make_classification(
            600, 8, n_informative=4, class_sep=1.5, random_state=seed
        )
        made[f"made up {seed}"] = (pd.DataFrame(features).add_prefix("x").assign(y=label), {})
    circles, label = datasets.make_circles(500, noise=0.05, factor=0.4, random_state=0)
    made["circles"] = (pd.DataFrame(circles).add_prefix("x").assign(y=label), {})
    friedman, number_label = datasets.make_friedman1(500, random_state=0)
    made["friedman"] = (pd.DataFrame(friedman).add_prefix("x").assign(y=number_label), number)
    made["noise"], made["noise of four classes"] = (noise(), {}), (noise(classes=4), several)
    made["numbers"] = (numbers(), number)
    return made


CLEAN = clean()


def test_clean_data_is_not_refused() -> None:
    """Of 35 clean data sets at most one would be, whichever engine prepares it."""
    assert len(CLEAN) >= 30
    for how, options in HOW.items():
        refused = {
            name: str(found)
            for name, (frame, asked) in CLEAN.items()
            if isinstance(found := prepared(frame, **asked, **options), DataError)
        }
        assert len(refused) == 0, (how, refused)


def planted() -> dict[str, tuple[pd.DataFrame, str, dict[str, Any]]]:
    """Twenty-four leaks: the data, the column to be named ("" for rows), and what is asked."""
    frame, several, number = noise(), noise(classes=3), numbers()
    draw = np.random.RandomState(5)
    y, target = frame["y"], number["y"]
    ordered = frame.sort_values("y", ignore_index=True)
    of_three = several.sort_values("y", ignore_index=True)
    flipped = y.where(draw.random_sample(len(y)) > 0.01, 1 - y)
    multi, regression = {"task": "multiclass"}, {"task": "regression"}
    gaps = {"missing": "pass"}
    closed = pd.Series(draw.normal(9, 2, len(y)).round(3)).where(y == 1)
    twice = pd.concat([frame.drop_duplicates()] * 2, ignore_index=True)
    third = pd.concat([frame, frame[:400]], ignore_index=True)
    return {
        "copy": (frame.assign(z=y), "z", {}),
        "copy the other way round": (frame.assign(z=1 - y), "z", {}),
        "copy as text": (frame.assign(z=y.map({0: "no", 1: "yes"})), "z", {"categorical": ("z",)}),
        "copy with mistakes": (frame.assign(z=flipped), "z", {}),
        "copy with noise": (frame.assign(z=(y + draw.normal(0, 0.1, len(y))).round(5)), "z", {}),
        "copy of several classes with noise": (
            several.assign(z=(several["y"] * 2 + draw.normal(0, 0.2, 800)).round(4)),
            "z",
            multi,
        ),
        "saved index of sorted rows": (
            ordered.assign(**{"Unnamed: 0": range(len(y))}),
            "Unnamed: 0",
            {},
        ),
        "identifier of sorted rows": (of_three.assign(Id=range(1, 801)), "Id", multi),
        "identifier with holes": (
            ordered.assign(customer_id=np.cumsum(draw.randint(1, 9, 800))),
            "customer_id",
            {},
        ),
        "identifier of sorted rows, shuffled": (
            ordered.assign(id=range(800)).sample(frac=1, random_state=1),
            "id",
            {},
        ),
        "identifier that counts down": (ordered.assign(key=range(800, 0, -1)), "key", {}),
        "identifier that tells nothing": (frame.assign(id=range(800)), "id", {}),
        "missing unless it happened": (frame.assign(closed=closed), "closed", gaps),
        "codes, several for a class": (
            frame.assign(z=y.map({0: 10, 1: 20}) + draw.choice([0, 100, 200], 800)),
            "z",
            {},
        ),
        "texts, several for a class": (
            frame.assign(
                z=[f"{'ab'[v]}{k}" for v, k in zip(y, draw.randint(0, 4, 800), strict=True)]
            ),
            "z",
            {"categorical": ("z",)},
        ),
        "one class singled out": (
            several.assign(is_two=(several["y"] == 2).astype(int)),
            "is_two",
            multi,
        ),
        "number in another unit": (number.assign(z=(target * 2.2 + 5).round(9)), "z", regression),
        "number with noise": (
            number.assign(z=(target + draw.normal(0, 0.02, 800)).round(4)),
            "z",
            regression,
        ),
        "logarithm of the number": (
            number.assign(z=np.log(target - target.min() + 1).round(9)),
            "z",
            regression,
        ),
        "rank of the number": (number.assign(z=target.rank()), "z", regression),
        "identifier of rows sorted by the number": (
            number.sort_values("y", ignore_index=True).assign(id=range(800)),
            "id",
            regression,
        ),
        "every row twice": (twice, "", {}),
        "half of the rows twice": (third, "", {}),
        "few rows twice": (pd.concat([frame, frame[:40]], ignore_index=True), "", {}),
    }


PLANTED = planted()


@pytest.mark.parametrize("how", HOW)
def test_planted_leaks_are_named(how: str) -> None:
    """Each of 24, refused or warned of, by the column's name."""
    missed = [
        name
        for name, (frame, column, asked) in PLANTED.items()
        if column not in named(prepared(frame, **asked, **HOW[how]))
    ]
    assert len(PLANTED) >= 20
    assert missed == []


@pytest.mark.parametrize("name", PLANTED)
def test_every_engine_says_the_same_of_a_leak(name: str) -> None:
    """The same refusal, or the same warnings, in small, in large, and on several machines."""
    frame, _, asked = PLANTED[name]

    def said(**options: Any) -> object:
        found = prepared(frame, **asked, **options)
        return str(found) if isinstance(found, DataError) else found.profile["warnings"]

    assert said() == said(limits=BULK) == said(spread=Machines())


@pytest.mark.parametrize(
    "name",
    [
        "identifier of sorted rows",
        "copy with noise",
        "every row twice",
        "codes, several for a class",
    ],
)
def test_what_is_refused_can_be_allowed_or_dropped(name: str) -> None:
    """By the option that the remedy names; then it is a warning. Dropped, nothing is said."""
    frame, column, asked = PLANTED[name]
    refused = prepared(frame, **asked)
    assert isinstance(refused, errors.RepeatedRowsError if column == "" else errors.LeakageError)
    field = "allow_leakage" if column else "allow_duplicates"
    assert f"source.{field}" in str(refused)
    allowing: dict[str, Any] = {**asked, field: True}
    allowed = prepared(frame, **allowing)
    assert isinstance(allowed, Prepared)
    assert column in named(allowed)
    if column:
        assert named(prepared(frame, **asked, drop=(column,))) == set()


def test_the_share_is_the_area_under_the_curve() -> None:
    """As scikit-learn computes it, ties included."""
    draw = np.random.RandomState(2)
    for _ in range(20):
        values, labels = draw.randint(0, 30, 200), draw.randint(0, 2, 200)
        low, high = (sorted(values[labels == label].tolist()) for label in (0, 1))
        assert leaks.area(low, high) == pytest.approx(roc_auc_score(labels, values))


def test_the_correlation_is_that_of_ranks() -> None:
    """As pandas computes it."""
    draw = np.random.RandomState(3)
    x = pd.Series(draw.randint(0, 50, 300).astype(float))
    y = pd.Series((x + draw.normal(0, 9, 300)).round(0))
    share, bound = leaks.correlation(x.tolist(), y.tolist())
    assert share == pytest.approx(abs(x.corr(y, method="spearman")))
    assert bound < share


def test_few_rows_prove_nothing() -> None:
    """The bound of a perfect share rises with the rows, and never reaches one."""
    bounds = [leaks.lower_bound(1.0, count) for count in (5, 50, 500, 5000)]
    assert bounds == sorted(bounds)
    assert bounds[0] < 0.6 < 0.9 < bounds[1] < 0.99 < bounds[2] < 1


def test_the_sample_is_spread_over_the_file() -> None:
    """About as many rows as wanted, as many of each tenth; all rows of a small file."""
    assert leaks.chosen(range(2, 2000), 5) == list(range(1998))
    rows = leaks.chosen(range(1, 100_001), 5)
    assert 0.9 < len(rows) / 2048 < 1.1
    tenths = np.histogram(rows, 10, (0, 100_000))[0]
    assert tenths.min() > 0.8 * len(rows) / 10
    assert leaks.rows_of_sample(500) < leaks.rows_of_sample(10)


def test_a_large_file_is_judged_by_a_sample_that_does_not_depend_on_the_engine() -> None:
    """More rows than the sample takes: the same warnings, figures included."""
    frame = noise(20_000, seed=4)
    frame = frame.assign(z=(frame["y"] + np.random.RandomState(1).normal(0, 0.24, 20_000)).round(4))
    text = frame.to_csv(index=False)
    found = [
        run(text, "x.csv", label="y", positive="1", allow_leakage=True, **options).profile
        for options in ({}, {"limits": BULK}, {"spread": Machines()})
    ]
    assert found[0]["warnings"] == found[1]["warnings"] == found[2]["warnings"]
    assert "z" in {each.get("column") for each in found[0]["warnings"]}


def test_rows_that_are_alike_by_chance_are_no_copies() -> None:
    """Features of few values make equal rows: they are counted, and not refused."""
    draw = np.random.RandomState(1)
    frame = pd.DataFrame({name: draw.randint(0, 2, 600) for name in "abcy"})
    found = prepared(frame)
    assert isinstance(found, Prepared)
    assert named(found) == {""}


@pytest.mark.parametrize(
    ("name", "is_so"),
    [("Id", True), ("patient_id", True), ("Unnamed: 0", True), ("customerID", True),
     ("index", True), ("", True), ("grid", False), ("humidity", False), ("age", False),
     ("valid", False)],
)  # fmt: skip
def test_names_of_identifiers_are_known(name: str, is_so: bool) -> None:
    """Whole words, in any way of writing them together."""
    assert leaks.is_called_so(name) is is_so


def test_missing_values_are_taken_as_the_least_or_the_greatest() -> None:
    """A value that is there in one class only tells the classes apart."""
    share, bound = leaks.separation([math.nan] * 50 + [1.0, 2.0] * 25, [0] * 50 + [1] * 50)
    assert share == 1
    assert bound < 1
