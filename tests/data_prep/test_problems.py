"""All problems of a file are told at once, and what is said to solve them does."""

import json
import re
from typing import Any

import pytest

from data_prep import DataError, FormatOptions, Prepared
from data_prep.inspection import asked, replaced
from spine.shipped import load
from tests.data_prep.bad_files import BAD
from tests.data_prep.building import CSV, Bad, parquet
from tests.data_prep.support import BULK, Machines, errors, run
from tests.support import planned

HOW: dict[str, dict[str, Any]] = {
    "small": {},
    "large": {"limits": BULK},
    "several machines": {"spread": Machines()},
}


def with_input(content: bytes | str, name: str, given: dict[str, Any], **how: Any) -> Prepared:
    """Prepare a file as a run would with this execution input, which the plan checks first."""
    source = {"uri": f"s3://runs-bucket/uploads/{name}", **given.get("source", {})}
    plan = planned({**given, "source": source}, bucket="runs-bucket")
    wanted = load("prepare.run")._wanted(plan)
    options = FormatOptions(**plan["source"]["format"])
    return run(content, name, **wanted._asdict() | {"objective": None}, **options._asdict(), **how)


def pasted(error: DataError) -> dict[str, Any]:
    """Return the fragment of the execution input that a refusal ends with; {} without one."""
    found = re.search(r"Add to the execution input: (\{.*\})\.$", str(error))
    return json.loads(found[1]) if found else {}


def problems(error: DataError) -> set[tuple[str, str | None]]:
    """Return the kinds of problems told, with their columns."""
    return {(type(each).__name__, each.column) for each in (error, *error.others)}


MANY = "id,size,colour,when,flag,y\n" + "".join(
    f"P{row:04},{'' if row % 9 == 0 else row % 7},{('red', 'blue')[row % 5 % 2]}"
    f",2025-01-{row % 28 + 1:02}"
    f",{row % 3 == 0},{('no', 'yes', '')[row % 3 if row % 30 == 2 else row % 2]}\n"
    for row in range(120)
)


@pytest.mark.parametrize("how", HOW)
def test_all_problems_of_a_file_are_told_at_once(how: str) -> None:
    """Every text column, every gap, the label's: each with line, column, value and count."""
    with pytest.raises(DataError) as caught:
        run(MANY, "x.csv", label="y", positive="ja", **HOW[how])
    assert problems(caught.value) == {
        ("NotANumberError", "id"),
        ("MissingValueError", "size"),
        ("NotANumberError", "colour"),
        ("NotANumberError", "when"),
        ("NotANumberError", "flag"),
        ("MissingValueError", "y"),
        ("PositiveNotFoundError", "y"),
    }
    text = str(caught.value)
    for says in (
        "line 2, column 'id': 'P0000' is not a number (and 119 more such values in the column)",
        "line 2, column 'colour': 'red' is not a number",
        "line 4, column 'y': the label is missing ('')",
    ):
        assert says in text
    assert pasted(caught.value) == {
        "source": {
            "drop": ["id"],
            "categorical": ["colour", "when", "flag"],
            "missing": "pass",
            "missing_label": "drop",
            "positive": "yes",
        }
    }


@pytest.mark.parametrize("how", HOW)
def test_what_is_said_to_be_added_reads_the_file(how: str) -> None:
    """Pasted once, the whole file is prepared: no second refusal after the first."""
    given: dict[str, Any] = {"source": {"label": "y", "positive": "ja"}}
    with pytest.raises(DataError) as caught:
        with_input(MANY, "x.csv", given, **HOW[how])
    found = with_input(MANY, "x.csv", replaced(given, pasted(caught.value)), **HOW[how])
    assert [feature.name for feature in found.features] == ["size", "colour", "when", "flag"]
    assert found.classes == ("no", "yes")


def _input(case: Bad) -> dict[str, Any] | None:
    """Return the execution input that asks for what a bad file's case asks for, if there is one."""
    fields = dict(case.options)
    objective = {
        "multiclass": "multi:softprob",
        "regression": fields.pop("objective", None) or "reg:squarederror",
    }.get(fields.pop("task", "binary"), "binary:logistic")
    hyperparameters = {"objective": objective}
    if "num_class" in fields:
        hyperparameters["num_class"] = fields.pop("num_class")
    source: dict[str, Any] = {"label": "class"}
    if objective == "binary:logistic":
        source["positive"] = fields.pop("positive", "Abnormal")
    fields = {
        name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()
    }
    form = {name: fields.pop(name) for name in FormatOptions._fields if name in fields}
    source |= fields
    known = load("plan.sections").Source.model_fields
    if not set(source) <= set(known):
        return None
    return {
        "source": {**source, **({"format": form} if form else {})},
        "training": {"hyperparameters": hyperparameters},
    }


def _refusal(case: Bad, given: dict[str, Any], **how: Any) -> DataError | None:
    try:
        with_input(case.content, case.name, given, **how)
    except DataError as error:
        return error
    return None


WITH_INPUT = {name: given for name, case in BAD.items() if (given := _input(case)) is not None}


@pytest.mark.parametrize("how", ["small", "large"])
@pytest.mark.parametrize("name", WITH_INPUT)
def test_what_a_refusal_says_to_add_works(name: str, how: str) -> None:
    """Of every bad file: with the fragment pasted into its input, none of its problems is left."""
    case, given = BAD[name], WITH_INPUT[name]
    first = _refusal(case, given, **HOW[how])
    if first is None or not (fragment := pasted(first)):
        return
    second = _refusal(case, replaced(given, fragment), **HOW[how])
    solved = {
        (type(each).__name__, each.column, each.problem)
        for each in (first, *first.others)
        if each.fix
    }
    left = (
        set()
        if second is None
        else {(type(each).__name__, each.column, each.problem) for each in (second, *second.others)}
    )
    assert not solved & left


def test_most_refusals_of_the_data_say_what_to_add() -> None:
    """What the input can solve is solved by it: at least forty of the bad files."""
    with_fragment = [
        name
        for name, given in WITH_INPUT.items()
        if (error := _refusal(BAD[name], given)) is not None and pasted(error)
    ]
    assert len(with_fragment) >= 40


def test_every_text_column_is_encoded_when_asked_for() -> None:
    """`encode_text` does what naming all of them does, with every engine; declared ones, too."""
    text = "a,b,c,y\n" + "".join(
        f"{('u', 'v', 'w')[row % 3]},{row},{row % 5 == 0},{('no', 'yes')[row % 2]}\n"
        for row in range(90)
    )
    expected = run(text, "x.csv", label="y", positive="yes", categorical=("a", "c")).files
    for how in HOW:
        found = run(text, "x.csv", label="y", positive="yes", encode_text=True, **HOW[how])
        if how != "several machines":
            assert found.files == expected
        assert [each.kind for each in found.features] == ["category", "integer", "category"]
    arff = "@relation r\n@attribute a {u,v}\n@attribute y {no,yes}\n@data\n" + "u,no\nv,yes\n" * 40
    declared = run(arff, "x.arff", label="y", positive="yes", encode_text=True, allow_leakage=True)
    assert declared.features[0].categories == ("u", "v")


def test_a_large_file_has_the_problems_of_its_first_rows_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So that a refusal does not take as long as the file; the one it was refused for is told."""
    monkeypatch.setattr("data_prep.problems._MOST_VALUES", 1)
    rows = "".join(f"{row},{('no', 'yes')[row % 2]}\n" for row in range(60_000))
    with pytest.raises(errors.NotANumberError, match="line 60002, column 'a': 'far'"):
        run(f"a,y\n{rows}far,no\n", "x.csv", label="y", positive="yes", limits=BULK)
    with pytest.raises(errors.PositiveNotFoundError) as caught:
        run(f"a,y\n{rows}", "x.csv", label="y", positive="ja", limits=BULK)
    assert pasted(caught.value) == {"source": {"positive": "yes"}}


def test_a_malformed_row_hides_nothing_before_it() -> None:
    """The rows before its line are looked at, too."""
    with pytest.raises(errors.RaggedRowError) as caught:
        run(CSV + "1,abc,Normal\n1,2\n", "x.csv")
    assert problems(caught.value) == {("RaggedRowError", None), ("NotANumberError", "b")}


def test_a_dropped_column_is_no_longer_encoded_or_renamed() -> None:
    """What is said to be dropped is taken out of the other fields, by the name in the file."""
    text = "n,b,class\n" + "".join(f"name {row},{row},{'xy'[row % 2]}\n" for row in range(1200))
    given: dict[str, Any] = {
        "source": {"positive": "x", "rename": {"n": "name"}, "categorical": ["name"]}
    }
    with pytest.raises(errors.TooManyCategoriesError) as caught:
        with_input(text, "x.csv", given)
    fragment = pasted(caught.value)
    assert fragment == {"source": {"drop": ["n"], "rename": {}, "categorical": []}}
    found = with_input(text, "x.csv", replaced(given, fragment))
    assert [each.name for each in found.features] == ["b"]


def test_the_positive_value_of_truth_values_goes_by_their_own_names() -> None:
    """Parquet's true is written as 1: either name will do."""
    truth: dict[str, Any] = {"class": [row % 3 == 0 for row in range(40)]}
    content = parquet(**truth)
    by_number = run(content, "x.parquet", positive="1").labels
    for name in ("true", "True"):
        assert run(content, "x.parquet", positive=name).labels == by_number
    assert asked({"source": {"positive": "true"}})[1].positive == "true"
