"""Small files that people really have, and what each gives: the same with every engine."""

import io
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_prep import DataError, Prepared
from tests.data_prep.support import BULK, Machines, errors, run

HOW = ("small", "large", "several machines")


def options(how: str) -> dict[str, Any]:
    """What has a file prepared that way."""
    if how == "several machines":
        return {"spread": Machines()}
    return {"limits": BULK} if how == "large" else {}


def lines(files: dict[str, bytes], path: str) -> list[str]:
    """The lines of one of the files written."""
    return files[path].decode().split("\n")[:-1]


def table(label: list[str], rows: int = 200, **columns: list[Any]) -> str:
    """A CSV file whose label takes these values in turn."""
    draw = np.random.RandomState(7)
    frame = pd.DataFrame(
        {
            "a": draw.normal(0, 1, rows).round(3),
            **columns,
            "y": [label[row % len(label)] for row in range(rows)],
        }
    )
    return str(frame.to_csv(index=False))


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize(
    "label",
    [
        ["77", "9007199254740994", "9007199254740995"],
        ["9007199254740992", "9007199254740993", "1.5"],
        ["-9007199254740993", "-9007199254740992", "123456789012345678901234567890"],
    ],
)
def test_large_whole_numbers_are_classes_of_their_own(how: str, label: list[str]) -> None:
    """A float would make one class of two neighbours beyond 2**53."""
    found = run(table(label), "x.csv", label="y", task="multiclass", **options(how))
    assert found.classes == tuple(sorted(label, key=lambda text: float(text) + 0.0 * len(text)))
    assert sorted(set(found.labels)) == [0, 1, 2]


@pytest.mark.parametrize("how", HOW)
def test_one_and_one_point_zero_are_one_class_still(how: str) -> None:
    """Whole numbers compare with others by value, and repeated rows are told by it."""
    text = "a,y\n" + "".join(f"{row % 50},{('0', '1', '1.0')[row % 3]}\n" for row in range(300))
    found = run(text, "x.csv", label="y", positive="1", **options(how))
    assert len(found.classes) == 2
    assert found.labels.count(1) == 200
    expected = pd.read_csv(io.StringIO(text)).duplicated().sum()
    assert found.profile["duplicate_rows"] == expected


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("value", ["1e39", "-3.5e38", "1" + "0" * 39])
def test_what_32_bits_make_infinite_is_refused(how: str, value: str) -> None:
    """Before anything is trained, with its line and column."""
    text = table(["no", "yes"], 60).replace("y\n", "y\n", 1) + f"{value},no\n"
    with pytest.raises(errors.NotFiniteError, match=r"line 62, column 'a': .*32-bit floats"):
        run(text, "x.csv", label="y", positive="yes", **options(how))


@pytest.mark.parametrize("how", HOW)
def test_the_largest_32_bit_float_is_taken(how: str) -> None:
    """And what is rounded down to it."""
    text = table(["no", "yes"], 60) + "3.4028235677973362e38,no\n-3.4028234663852886e+38,yes\n"
    assert run(text, "x.csv", label="y", positive="yes", **options(how)).profile["rows"] == 62


@pytest.mark.parametrize("how", ["small", "large"])
@pytest.mark.parametrize("gap", ["", "NA", "?"])
@pytest.mark.parametrize("categorical", [(), ("x",)])
def test_a_gap_that_is_a_row_is_written_as_one(
    how: str, gap: str, categorical: tuple[str, ...]
) -> None:
    """One feature with gaps: no line of the batch input is blank, one for each test row."""
    text = "x,y\n" + "".join(
        f"{gap if row % 4 == 0 else row % 7},{'ab'[row * 7 % 11 % 2]}\n" for row in range(400)
    )
    found = run(
        text, "x.csv", label="y", positive="b", missing="pass", categorical=categorical,
        allow_duplicates=True, **options(how),
    )  # fmt: skip
    batch, test = (lines(found.files, f"{name}.csv") for name in ("batch-in/batch-in", "test/test"))
    assert len(batch) == len(test) == found.counts["test"]
    assert all(batch)
    assert [line or "nan" for line in (row.partition(",")[2] for row in test)] == batch
    assert "nan" in batch


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("1,234", "without the commas"),
        ("-12,345,678.5", "without the commas"),
        ("1,5", "with a point"),
        ("1,2345", "with a point"),
    ],
)
def test_a_comma_between_thousands_is_not_said_to_be_a_decimal_one(
    how: str, value: str, says: str
) -> None:
    """1,234 may be either; 1,5 may not."""
    with pytest.raises(errors.NotANumberError, match=says):
        run(table(["u", "v"], 40) + f'"{value}",u\n', "x.csv", label="y", positive="u",
            **options(how))  # fmt: skip


HEADERLESS = {
    "adult": "".join(
        f"{20 + row % 7}, State-gov{row % 3}, {77516 + row * 37 % 900}, Bachelors, {row % 5},"
        f" {('>50K', '<=50K')[row % 3 > 0]}\n"
        for row in range(151)
    ),
    "numbers and a text": "".join(
        f"{row % 9},{row * 7 % 90},{('ham', 'spam')[row % 3 > 0]}\n" for row in range(120)
    ),
    "texts": "".join(
        f"{'ab'[row % 2]},{'cde'[row % 3]},{'xy'[row % 5 > 2]}\n" for row in range(90)
    ),
}


@pytest.mark.parametrize("name", HEADERLESS)
def test_a_first_row_is_not_taken_for_names(name: str) -> None:
    """What the refusal says to add reads every row, and names the label by its place."""
    text = HEADERLESS[name]
    with pytest.raises(DataError) as caught:
        run(text, "x.csv")
    last = text.partition("\n")[0].count(",") + 1
    assert caught.value.fix == {"source": {"format": {"header": False}, "label": f"column_{last}"}}
    positive = text.partition("\n")[0].rpartition(",")[2].strip()
    found = run(
        text, "x.csv", header=False, label=f"column_{last}", positive=positive, encode_text=True,
        allow_duplicates=True, allow_leakage=True,
    )  # fmt: skip
    assert found.profile["rows"] == text.count("\n")


@pytest.mark.parametrize("how", HOW)
def test_a_thousand_and_one_declared_values_are_taken(how: str) -> None:
    """They stand in the file's own header, so no mapping has to be made of them."""
    declared = ",".join(f"v{number}" for number in range(1001))
    rows = "".join(f"v{row % 1001},{row},{'ab'[row * 7 % 11 % 2]}\n" for row in range(3000))
    text = f"@relation r\n@attribute c {{{declared}}}\n@attribute n numeric\n@attribute y {{a,b}}\n"
    found = run(f"{text}@data\n{rows}", "x.arff", label="y", positive="a", categorical=("c",),
                **options(how))  # fmt: skip
    assert found.features[0].categories == tuple(f"v{number}" for number in range(1001))


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("quoted", [False, True])
def test_a_value_may_be_as_long_as_a_line(how: str, quoted: bool) -> None:
    """Longer than the 131,072 characters that Python's reader takes unless it is told."""
    long = "x" * 200_000
    long = f'"{long}"' if quoted else long
    text = f"n,a,y\n{long},1,u\n" + "".join(f"k,{row},{'uv'[row % 2]}\n" for row in range(40))
    found = run(text, "x.csv", label="y", positive="u", drop=("n",), **options(how))
    assert found.profile["rows"] == 41


@pytest.mark.parametrize("how", HOW)
def test_decimals_of_parquet_are_kept_as_written(how: str) -> None:
    """As classes digit by digit; as features they are the numbers that their texts say."""
    numbers = pa.array(range(80), pa.int32()).cast(pa.decimal128(38, 2))
    texts = ["12345678901234567890.10", "12345678901234567890.20"]
    labels = pa.array([texts[row * 7 % 11 % 2] for row in range(80)]).cast(pa.decimal128(38, 2))
    sink = io.BytesIO()
    pq.write_table(pa.table({"a": numbers, "y": labels}), sink)
    found = run(sink.getvalue(), "x.parquet", label="y", task="multiclass", **options(how))
    assert set(found.classes) == set(texts)
    assert found.features[0].kind == "number"


RARE = ["a"] * 20 + ["b"] * 19 + ["c"] * 10


@pytest.mark.parametrize("how", HOW)
def test_rows_without_a_label_are_dropped_and_counted(how: str) -> None:
    """Refused unless asked for; then as if pandas had dropped them before the split."""
    text = table(["no", "yes", "no", "", "yes", "NA", "no"], 210)
    with pytest.raises(errors.MissingValueError, match="line 5, column 'y'"):
        run(text, "x.csv", label="y", positive="yes", **options(how))
    found = run(text, "x.csv", label="y", positive="yes", missing_label="drop", **options(how))
    kept = "".join(
        line for line in text.splitlines(keepends=True) if not line.rstrip().endswith((",", "NA"))
    )
    assert found.counts == run(kept, "x.csv", label="y", positive="yes").counts
    (warning,) = [w for w in found.profile["warnings"] if w["name"] == "DroppedRowsWarning"]
    assert warning["count"] == 60
    if how != "several machines":
        assert found.files == run(kept, "x.csv", label="y", positive="yes", **options(how)).files


@pytest.mark.parametrize("how", HOW)
def test_rare_classes_are_refused_dropped_or_merged(how: str) -> None:
    """Refused by default; dropped they are in no part; merged they are one class."""
    text = table([*RARE, "odd"], 500) + "".join(f"{row},rarer\n" for row in range(9))
    asked: dict[str, Any] = {"label": "y", "task": "multiclass", **options(how)}
    text = text.replace(",odd\n", ",b\n", 2)
    with pytest.raises(errors.TooFewRowsError):
        run(text + "1,alone\n", "x.csv", **asked)
    dropped = run(text + "1,alone\n", "x.csv", rare_classes="drop", **asked)
    assert dropped.classes == ("a", "b", "c")
    counts = pd.read_csv(io.StringIO(text))["y"].value_counts()
    few = int(counts[counts < 10].sum()) + 1
    assert dropped.profile["rows"] == 510 - few
    merged = run(text + "1,alone\n", "x.csv", rare_classes="merge", **asked)
    assert merged.classes == ("a", "b", "c", "other")
    assert merged.profile["rows"] == 510
    assert merged.profile["label"]["balance"]["3"] == few


@pytest.mark.parametrize("how", HOW)
def test_a_merged_class_takes_no_name_that_is_there(how: str) -> None:
    """A class that is called `other` keeps its name."""
    text = table(["a", "other", "a"], 300) + "".join(f"{row},x{row % 3}\n" for row in range(18))
    found = run(text, "x.csv", label="y", task="multiclass", rare_classes="merge", **options(how))
    assert found.classes == ("a", "other", "other_")


def test_truth_values_of_csv_are_encoded_as_those_of_parquet() -> None:
    """False is 0 and True is 1, the same bytes in every file."""
    draw = np.random.RandomState(3)
    frame = pd.DataFrame(
        {
            "flag": draw.random_sample(300) > 0.4,
            "n": draw.normal(0, 1, 300).round(4),
            "y": draw.choice(["u", "v"], 300),
        }
    )
    sink = io.BytesIO()
    frame.to_parquet(sink, index=False)
    from_parquet = run(sink.getvalue(), "x.parquet", label="y", positive="u")
    from_csv = run(frame.to_csv(index=False), "x.csv", label="y", positive="u", encode_text=True)
    assert isinstance(from_csv, Prepared)
    assert from_csv.files == from_parquet.files
