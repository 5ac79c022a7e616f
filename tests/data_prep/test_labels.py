# ruff: noqa: S311 (seeded, so that a failure can be repeated)
"""Labels of several classes and of numbers: written as scikit-learn and pandas would write them."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from data_prep import Limits
from tests.data_prep import reference
from tests.data_prep.support import BULK, STREAMED, run

BOTH = pytest.mark.parametrize("limits", [Limits(), BULK], ids=["small", "large"])

# Texts, numbers as texts of several lengths, numbers below zero, and more than ten classes.
CLASSES: dict[str, list[str]] = {
    "texts": ["setosa", "Versicolor", "éclair", "a b"],
    "numbers": ["10", "9", "-1", "200"],
    "floats": ["1.5", "0.25", "10.0"],
    "many": [f"group {number}" for number in range(13)],
}


def rows_of(draw: random.Random, count: int) -> list[str]:
    """Draw rows of two features."""
    return [f"{draw.gauss(50, 9)!r},{draw.randrange(1000)}" for _ in range(count)]


@BOTH
@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("first", [False, True], ids=["label last", "label first"])
def test_several_classes_are_numbered_as_by_scikit_learn(
    kind: str, first: bool, limits: Limits
) -> None:
    """The files are those of LabelEncoder and two stratified splits, whatever the values."""
    draw = random.Random(kind)
    labels = [draw.choice(CLASSES[kind]) for _ in range(600)]
    rows = rows_of(draw, 600)
    lines = [
        f"{label},{row}" if first else f"{row},{label}"
        for row, label in zip(rows, labels, strict=True)
    ]
    text = "\n".join(["kind,x,n" if first else "x,n,kind", *lines]) + "\n"
    found = run(text, "a.csv", task="multiclass", label="kind", limits=limits)
    assert found.files == reference.from_classes(text, label="kind")
    numeric = kind in ("numbers", "floats")
    assert list(found.classes) == sorted(CLASSES[kind], key=float if numeric else str)
    balance = found.profile["label"]["balance"]
    assert balance == {str(number): labels.count(name) for number, name in enumerate(found.classes)}
    assert found.profile["label"]["classes"] == {
        str(number): name for number, name in enumerate(found.classes)
    }
    assert found.profile["parts"]["test"]["classes"] == {
        str(number): count for number, count in enumerate(found.class_counts["test"])
    }


@BOTH
@pytest.mark.parametrize("kind", ["whole", "real", "any notation", "below zero"])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_number_is_kept_as_pandas_writes_it(kind: str, at: int, limits: Limits) -> None:
    """The files are those of two splits without classes, wherever the label stands."""
    draw = random.Random(kind)
    writers: dict[str, Callable[[], str]] = {
        "whole": lambda: str(draw.randrange(500)),
        "real": lambda: repr(draw.gauss(100, 20)),
        "any notation": lambda: draw.choice(["1e-3", "2.50", "7", "+4", "1e17", "0.1"]),
        "below zero": lambda: repr(-draw.random()),
    }
    names = ["x", "n"]
    names.insert(at, "y")
    lines = [",".join(names)]
    for row in rows_of(draw, 500):
        values = row.split(",")
        values.insert(at, writers[kind]())
        lines.append(",".join(values))
    text = "\n".join(lines) + "\n"
    found = run(text, "a.csv", task="regression", label="y", seed=7, limits=limits)
    assert found.files == reference.from_numbers(text, label="y", seed=7)
    assert found.classes == ()
    assert found.class_counts == {}
    assert found.profile["parts"]["test"] == {"rows": 50}
    label = found.profile["label"]
    assert label["type"] == ("integer" if kind == "whole" else "number")
    labels = [float(line.split(",")[at]) for line in lines[1:]]
    assert (label["min"], label["max"]) == (min(labels), max(labels))


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_beyond_memory_other_labels_keep_their_rows(task: str) -> None:
    """Each part has the rows it has in memory, in the order of the file."""
    draw = random.Random(task)
    rows = [f"{row},{draw.random()!r},{draw.randrange(12)}" for row in range(400)]
    text = "\n".join(["n,x,y", *rows]) + "\n"
    options: dict[str, Any] = {"task": task, "label": "y"}
    streamed = run(text, "a.csv", limits=STREAMED, **options)
    for path, content in run(text, "a.csv", **options).files.items():
        at = 0 if path.startswith("batch") else 1
        expected = sorted(content.splitlines(), key=lambda line: int(line.split(b",")[at]))
        assert streamed.files[path].splitlines() == expected


@BOTH
@pytest.mark.parametrize("objective", ["reg:squarederror", "reg:gamma", "count:poisson", None])
def test_labels_within_the_domain_pass(objective: str | None, limits: Limits) -> None:
    """Positive numbers suit every objective."""
    text = "a,y\n" + "".join(f"{row * 7 % 11},{row + 1}\n" for row in range(60))
    options = {"task": "regression", "label": "y", "objective": objective}
    assert run(text, "a.csv", limits=limits, **options).counts["train"] == 48


@BOTH
def test_ends_of_a_domain_are_told_apart(limits: Limits) -> None:
    """0 and 1 are shares, 0 is a count; just above -1 has a logarithm."""
    for objective, ends in {
        "reg:logistic": ("0", "1"),
        "count:poisson": ("0", "-0.0"),
        "reg:tweedie": ("0", "1e38"),
        "reg:squaredlogerror": ("-0.9999999", "3"),
    }.items():
        text = "a,y\n" + "".join(f"{row * 7 % 11},{ends[row % 2]}\n" for row in range(59))
        text += "3,0.5\n"
        options = {"task": "regression", "label": "y", "objective": objective}
        assert sum(run(text, "a.csv", limits=limits, **options).counts.values()) == 60


@BOTH
def test_a_number_that_almost_tells_the_label_is_no_leak(limits: Limits) -> None:
    """A strong feature is what regression is for: it is warned of; an exact line is refused."""
    text = "a,y\n" + "".join(
        f"{2 * row + (0.001 if row == 30 else 0)!r},{row}\n" for row in range(60)
    )
    found = run(text, "a.csv", task="regression", label="y", limits=limits)
    (warning,) = found.profile["warnings"]
    assert (warning["name"], warning["column"]) == ("SuspiciousFeatureWarning", "a")


@BOTH
def test_an_allowed_leak_is_a_warning(limits: Limits) -> None:
    """Of classes each with one value of a feature, and of a number in another unit."""
    classes = "a,y\n" + "".join(f"{row % 3 * 10},{'xyz'[row % 3]}\n" for row in range(60))
    numbers = "a,y\n" + "".join(f"{row * 3 - 7},{row}\n" for row in range(60))
    for task, text in (("multiclass", classes), ("regression", numbers)):
        found = run(text, "a.csv", task=task, label="y", allow_leakage=True, limits=limits)
        assert "LeakageWarning" in [each["name"] for each in found.profile["warnings"]]
