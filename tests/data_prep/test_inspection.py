"""What a look at a file finds, and that the input it gives reads the file."""

import gzip
import io
import random
from pathlib import Path
from typing import Any

import pytest

from data_prep import DataError, FormatOptions, Prepared, formats, inspection, prepare
from data_prep.inspection import Inspection, inspect
from spine.shipped import load
from tests.data_prep.building import ARFF, CSV, parquet
from tests.data_prep.support import errors, zipped
from tests.support import planned

CASES = Path(__file__).parent / "cases"
LABELS = {
    "patients.csv": "diagnostic",
    "patients_fr.csv": "diagnostic",
    "patients_id.csv": "diagnostic",
    "patients_na.csv": "diagnostic",
    "dups.csv": "diagnostic",
    "prix.csv": "prix",
    "wine.csv": "cepage",
    "titanic-like.csv": "survived",
    "sm-style.csv": None,
    "orders.csv": "returned",
    "nasty-names.csv": "y'l\"abel",
    "records.jsonl": "y",
}
READ = [name for name in LABELS if Path(name).suffix in formats.data_suffixes()]


def looked(content: bytes | str, name: str, **asked: Any) -> Inspection:
    """Look at a file."""
    raw = content.encode() if isinstance(content, str) else content
    return inspect(io.BytesIO(raw), name=name, **asked)


def as_a_run_does(content: bytes, name: str, given: dict[str, Any]) -> Prepared:
    """Prepare a file with an input that the plan has checked."""
    source = {"uri": f"s3://runs-bucket/uploads/{name}", **given["source"]}
    plan = planned({**given, "source": source}, bucket="runs-bucket")
    return prepare(
        io.BytesIO(content),
        name=name,
        member=plan["source"]["member"],
        wanted=load("prepare.run")._wanted(plan),
        format_options=FormatOptions(**plan["source"]["format"]),
    )


@pytest.mark.parametrize("name", READ)
def test_the_input_it_writes_runs_unedited(name: str) -> None:
    """Through the plan's checks and the whole preparation, at the first try."""
    content = (CASES / name).read_bytes()
    found = looked(content, name, label=LABELS[name])
    assert found.is_readable
    prepared = as_a_run_does(content, name, found.input)
    assert LABELS[name] in (None, prepared.label)
    assert len(prepared.features) >= 1


def test_no_format_is_left_out() -> None:
    """Of the twelve files all are read whose format is known here, eleven at least."""
    assert len(READ) >= 11


@pytest.mark.parametrize(
    ("name", "problems", "objective"),
    [
        ("patients.csv", {("NotANumberError", "sexe")}, "binary:logistic"),
        ("patients_id.csv", {("NotANumberError", "id"), ("NotANumberError", "sexe")},
         "binary:logistic"),
        ("patients_na.csv", {("MissingValueError", "imc"), ("MissingValueError", "glycemie")},
         "binary:logistic"),
        ("prix.csv", set(), "reg:squarederror"),
        ("wine.csv", set(), "multi:softprob"),
        ("nasty-names.csv", set(), "binary:logistic"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found(name: str, problems: set[Any], objective: str) -> None:
    """Every problem once, and what the label is for."""
    found = looked((CASES / name).read_bytes(), name, label=LABELS[name])
    assert {(each.error, each.column) for each in found.problems} == problems
    assert found.objective == objective
    assert all(each.fix for each in found.problems)


def test_rows_written_twice_and_constants_are_found() -> None:
    """The copies are said to be there, and the constant column is left out."""
    found = looked((CASES / "dups.csv").read_bytes(), "dups.csv", label="diagnostic")
    assert ("RepeatedRowsError", None) in {(each.error, each.column) for each in found.problems}
    assert found.input["source"]["drop"] == ["centre"]
    assert found.input["source"]["allow_duplicates"] is True
    notes = {each.name: each.notes for each in found.columns}
    assert notes["centre"] == ("constant",)


def test_an_identifier_and_dates_are_found() -> None:
    """Told by their values; both are left out, since no model learns from them."""
    found = looked((CASES / "orders.csv").read_bytes(), "orders.csv", label="returned")
    columns = {each.name: each for each in found.columns}
    assert columns["order_id"].notes == ("identifier",)
    assert columns["ordered_at"].kind == "date"
    assert columns["express"].kind == "true or false"
    assert {"order_id", "ordered_at"} <= set(found.input["source"]["drop"])


def test_an_encoding_of_old_spreadsheets_is_found() -> None:
    """Accents of latin-1, and the euro of windows-1252."""
    french = looked((CASES / "patients_fr.csv").read_bytes(), "f.csv", label="diagnostic")
    assert french.input["source"]["format"]["encoding"] == "latin-1"
    assert french.facts["delimiter"] == ";"
    euro = looked(CSV.replace("b,", "prix €,", 1).encode("cp1252"), "f.csv", label="class")
    assert euro.input["source"]["format"]["encoding"] == "windows-1252"
    assert "prix €" in [each.name for each in euro.columns]


def test_the_layout_of_sagemaker_is_found() -> None:
    """No header, and the label first."""
    content = (CASES / "sm-style.csv").read_bytes()
    found = looked(content, "sm-style.csv")
    assert found.label == "column_1"
    assert found.input["source"]["format"] == {"header": False}
    assert found.facts["rows"] == content.count(b"\n")


@pytest.mark.parametrize(
    ("text", "label", "positive"),
    [
        ("a,target\n" + "1,yes\n2,no\n4,no\n" * 20, "target", "yes"),
        ("a,outcome\n" + "1,ill\n2,well\n4,well\n" * 20, "outcome", "ill"),
        ("y,a\n" + "0,3\n1,4\n1,5\n" * 20, "y", "1"),
        ("a,b,last\n" + "1,2,u\n2,3,v\n3,1,v\n" * 20, "last", "u"),
    ],
)
def test_the_label_and_its_positive_value_are_guessed(text: str, label: str, positive: str) -> None:
    """By what they are called, else the last column and the rarer value."""
    found = looked(text, "x.csv")
    assert (found.label, found.positive) == (label, positive)


def test_ranges_gaps_and_values_are_told() -> None:
    """Of each column as the file has it."""
    found = looked("n,m,t,class\n" + "1,2.5,u,x\n-3,,v,y\n7,0.5,u,y\n" * 30, "x.csv")
    n, m, t, _ = found.columns
    assert (n.kind, n.low, n.high, n.missing, n.distinct) == ("integer", -3.0, 7.0, 0, 3)
    assert (m.kind, m.low, m.high, m.missing, m.distinct) == ("number", 0.5, 2.5, 30, 2)
    assert (t.kind, t.low, t.examples) == ("text", None, ("u", "v"))


@pytest.mark.parametrize(
    ("content", "name", "member", "kind"),
    [
        (ARFF.encode(), "x.arff", None, "arff"),
        (parquet(), "x.parquet", None, "parquet"),
        (gzip.compress(CSV.encode()), "x.csv.gz", None, "csv"),
        (zipped(a__csv=CSV, b__csv=CSV).getvalue(), "x.zip", "b.csv", "csv"),
    ],
)
def test_every_format_is_looked_at(
    content: bytes, name: str, member: str | None, kind: str
) -> None:
    """Bare or packed; the member that is asked for stands in the input."""
    found = looked(content, name, member=member)
    assert found.facts["format"] == kind
    assert found.facts["rows"] == 40
    assert found.input["source"].get("member") == member
    assert as_a_run_does(content, name, found.input).profile["rows"] == 40


def _large(rows: int = 70_000) -> str:
    draw = random.Random(1)  # noqa: S311 (seeded)
    return "a,b,when,y\n" + "".join(
        f"{draw.gauss(0, 1):.6f},{draw.randrange(9)},{'uv'[row % 2]}"
        f",{'no' if row < rows / 2 else 'yes'}\n"
        for row in range(rows)
    )


def test_a_large_file_is_sampled_all_over_and_said_to_be() -> None:
    """The label's values stand in its halves; rows are counted without being read."""
    text = _large()
    assert len(text) > inspection._WHOLE_BYTES
    found = looked(text, "x.csv")
    assert found.is_sampled
    assert found.facts["rows"] == 70_000
    assert 0 < found.facts["rows_looked_at"] < 70_000
    assert (found.label, found.positive) == ("y", "yes")
    assert as_a_run_does(text.encode(), "x.csv", found.input).profile["rows"] == 70_000


def test_of_a_large_packed_file_the_beginning_is_looked_at() -> None:
    """How many rows it has is not known then."""
    found = looked(gzip.compress(_large().encode(), 1), "x.csv.gz", label="when")
    assert found.is_sampled
    assert found.facts["rows"] is None
    assert found.facts["rows_looked_at"] > 10_000
    assert found.is_readable


def test_what_no_input_reads_is_said_to_be_refused() -> None:
    """A file with one class, and one that is no table at all."""
    alone = looked("a,y\n" + "1,x\n2,x\n" * 20, "x.csv", label="y")
    assert not alone.is_readable
    assert alone.problems[-1].error == "OneClassError"
    with pytest.raises(errors.EmptyFileError):
        looked(b"", "x.csv")
    with pytest.raises(DataError):
        looked(b"PK\x03\x04 no archive", "x.zip")


def test_a_fix_takes_the_place_of_what_was_asked() -> None:
    """Lists and renamings are given whole; other fields of a section stay."""
    given = {"source": {"drop": ["a"], "rename": {"b": "c"}, "label": "y"}}
    fix = {"source": {"drop": ["a", "z"], "rename": {}}}
    assert inspection.replaced(given, fix) == {
        "source": {"drop": ["a", "z"], "rename": {}, "label": "y"}
    }
