"""Small files as people really have them: what each kind gives, as a small file and as a large one.

Each is generated here, and stands for its kind.
"""

import io
import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_prep import Limits, Prepared
from tests.data_prep.support import BULK, errors, run

SIZES = pytest.mark.parametrize("limits", [Limits(), BULK], ids=["small", "large"])
LABELS = [("yes", "no", "no")[at % 3] for at in range(90)]
X = [f"{(at * 37 % 101 - 50) / 8}" for at in range(90)]
PLAIN = "x,z,y\n" + "".join(
    f"{x},{at % 9},{y}\n" for at, (x, y) in enumerate(zip(X, LABELS, strict=True))
)


def same(one: Prepared, other: Prepared) -> bool:
    """Tell whether the rows that are written are the same."""
    return one.files == other.files


def asked(**options: Any) -> dict[str, Any]:
    """What is asked of every file here."""
    return {"label": "y", "positive": "yes", **options}


def parquet_of(frame: pd.DataFrame) -> bytes:
    """What pandas writes."""
    sink = io.BytesIO()
    frame.to_parquet(sink)
    return sink.getvalue()


# The index that pandas writes.


@SIZES
@pytest.mark.parametrize("index", ["shuffled", "filtered", "named"])
def test_the_index_of_pandas_in_parquet_is_no_column(index: str, limits: Limits) -> None:
    """Its metadata names it, whatever it is called; nothing of it is learned."""
    frame = pd.DataFrame({"x": list(map(float, X)), "y": LABELS})
    frame = {
        "shuffled": frame.sort_values("y"),
        "filtered": frame[frame["x"] > -6],
        "named": frame.rename_axis("patient").sort_values("y"),
    }[index]
    done = run(parquet_of(frame), "x.parquet", limits=limits, **asked())
    assert [feature.name for feature in done.features] == ["x"]
    assert done.profile["rows"] == len(frame)


def test_an_index_may_be_asked_for_as_the_label() -> None:
    """Then it is the label as any other column would be."""
    frame = pd.DataFrame({"x": list(map(float, X)), "y": LABELS}).set_index("y")
    assert run(parquet_of(frame), "x", **asked()).label == "y"


def test_an_index_without_a_name_in_csv_is_left_out_by_it() -> None:
    """`drop: [""]`; unless it is dropped it is refused."""
    frame = pd.DataFrame({"x": X, "y": LABELS})
    text = frame.to_csv()
    with pytest.raises(errors.UnnamedColumnError):
        run(text, "x.csv", **asked())
    done = run(text, "x.csv", **asked(drop=("",)))
    assert same(done, run(frame.to_csv(index=False), "x.csv", **asked()))


@SIZES
def test_the_names_of_rows_that_r_writes_are_no_column(limits: Limits) -> None:
    """Its header has one name fewer, with quotes or without, and blanks or commas between."""
    expected = run(PLAIN, "x.csv", limits=limits, **asked())
    rows = PLAIN.splitlines()[1:]
    table = '"x" "z" "y"\n' + "".join(
        f'"{at}" {x} {z} "{y}"\n' for at, (x, z, y) in enumerate(row.split(",") for row in rows)
    )
    commas = "x,z,y\n" + "".join(f"row {at},{row}\n" for at, row in enumerate(rows))
    for text in (table, commas):
        assert same(run(text, "x.txt", limits=limits, **asked()), expected)
    trailing = "x,z,y\n" + "".join(f"{row},\n" for row in rows)
    with pytest.raises(errors.RaggedRowError):
        run(trailing, "x.csv", limits=limits, **asked())


# What is missing.


@SIZES
@pytest.mark.parametrize("spelling", ["\\N", "(null)", "NULL", "#N/A"])
def test_what_databases_and_excel_write_for_nothing_is_missing(
    spelling: str, limits: Limits
) -> None:
    """Hive and MySQL, Oracle, SQL, Excel."""
    text = PLAIN.replace(",3,", f",{spelling},")
    with pytest.raises(errors.MissingValueError, match="line 5, column 'z'"):
        run(text, "x.csv", limits=limits, **asked())
    done = run(text, "x.csv", limits=limits, **asked(missing="pass"))
    assert done.features[1].missing == 10


@SIZES
@pytest.mark.parametrize("spelling", ["-999", "unknown", "."])
def test_further_spellings_are_told(spelling: str, limits: Limits) -> None:
    """Numbers, too, which would pass for values."""
    options = asked(missing="pass", na_values=(spelling,), limits=limits)
    done = run(PLAIN.replace(",3,", f",{spelling},"), "x.csv", **options)
    assert same(done, run(PLAIN.replace(",3,", ",,"), "x.csv", **options))


@SIZES
def test_texts_in_parquet_are_never_missing(limits: Limits) -> None:
    """Parquet has nulls: None, NA and ? are texts; a null is missing."""
    texts = [("None", "NA", "?", "x")[at % 4] for at in range(90)]
    table = {"x": list(map(float, X)), "c": texts, "y": LABELS}
    done = run(parquet_of(pd.DataFrame(table)), "x", limits=limits, **asked(categorical=("c",)))
    assert done.features[1].categories == ("?", "NA", "None", "x")
    table["c"] = [None, *texts[1:]]
    with pytest.raises(errors.MissingValueError, match="line 1, column 'c'"):
        run(parquet_of(pd.DataFrame(table)), "x", limits=limits, **asked(categorical=("c",)))


# Headers.


@SIZES
def test_names_that_are_numbers_are_read_where_there_is_said_to_be_a_header(limits: Limits) -> None:
    """They are told from values where they count; to take them for values is refused."""
    names = [str(at) for at in range(8)]
    rows = [[str(at * (which + 2) % 97 / 4) for which in range(8)] for at in range(80)]
    text = "\n".join(
        map(",".join, [[*names, "target"], *([*row, LABELS[at]] for at, row in enumerate(rows))])
    )
    options = {"label": "target", "positive": "yes", "limits": limits}
    with pytest.raises(errors.HeaderMissingError, match=r"Set source\.format\.header to true"):
        run(text, "x.csv", **options)
    with pytest.raises(errors.HeaderFoundError):
        run(text, "x.csv", header=False, **{**options, "label": "column_9"})
    done = run(text, "x.csv", header=True, **options)
    assert [feature.name for feature in done.features] == names
    assert done.profile["rows"] == 80


@SIZES
def test_values_on_top_are_told_by_texts_that_come_again(limits: Limits) -> None:
    """The first row is neither lost nor offered as names; every row is there once it is said."""
    rows = [
        f"{20 + at}, {('State-gov', 'Private')[at % 2]}, {at % 5}, {('>50K', '<=50K')[at % 3 % 2]}"
        for at in range(60)
    ]
    text = "\n".join(rows)
    with pytest.raises(errors.HeaderMissingError, match=r"'State-gov'.*header to false"):
        run(text, "x.data", limits=limits, label=">50K")
    options: dict[str, Any] = {"positive": ">50K", "limits": limits}
    done = run(text, "x.data", header=False, label="column_4", categorical=("column_2",), **options)
    assert done.profile["rows"] == 60
    named = run(
        text,
        "x.data",
        names=("age", "work", "n", "pay"),
        label="pay",
        categorical=("work",),
        **options,
    )
    assert [feature.name for feature in named.features] == ["age", "work", "n"]
    assert same(done, named)


def test_names_may_take_the_place_of_a_header() -> None:
    """Where there is said to be one, it is passed over."""
    done = run(PLAIN, "x.csv", names=("a", "b", "c"), header=True, label="c", positive="yes")
    assert [feature.name for feature in done.features] == ["a", "b"]
    assert done.profile["rows"] == 90


# Delimiters, signs, comments and encodings.


@SIZES
@pytest.mark.parametrize("how", ["aligned", "tabs and blanks", "said"])
def test_columns_may_be_set_apart_by_blanks(how: str, limits: Limits) -> None:
    """Any run of blanks and tabs, at the beginning and the end of a line, too."""
    rows = [row.split(",") for row in PLAIN.splitlines()]
    joined = {"aligned": "   ", "tabs and blanks": " \t ", "said": " "}[how]
    text = "".join(f"  {joined.join(row):<40} \n" for row in rows)
    options = {"delimiter": "whitespace"} if how == "said" else {}
    done = run(text, "x.txt", limits=limits, **options, **asked())
    assert same(done, run(PLAIN, "x.csv", limits=limits, **asked()))


@SIZES
@pytest.mark.parametrize("thousands", [None, ".", " "])
def test_a_decimal_comma_and_thousands_are_told(thousands: str | None, limits: Limits) -> None:
    """Of numbers alone: a category keeps its comma; marks that stand elsewhere are refused."""
    mark = thousands or ""
    rows = [(f"1{mark}{at:03},5", ("a,b", "1,5")[at % 2], LABELS[at]) for at in range(90)]
    text = "x;t;y\n" + "".join(";".join(row) + "\n" for row in rows)
    options = asked(categorical=("t",), limits=limits, decimal=",", thousands=thousands)
    done = run(text, "x.csv", **options)
    plain = "x,t,y\n" + "".join(f'{1000 + at}.5,"{t}",{y}\n' for at, (_, t, y) in enumerate(rows))
    expected = run(plain, "x.csv", **asked(categorical=("t",), limits=limits))
    assert same(done, expected)
    assert done.features[1].categories == ("1,5", "a,b")
    wrong = text.replace(f"1{mark}007,5", "10.07")
    with pytest.raises(errors.NotANumberError, match=r"line 9, column 'x': '10\.07'"):
        run(wrong, "x.csv", **options)


@SIZES
def test_a_decimal_comma_of_a_label_that_is_a_number(limits: Limits) -> None:
    """Prices, in a regression."""
    text = "x;y\n" + "".join(f"{at % 7};{at * 3 % 50},25\n" for at in range(90))
    done = run(text, "x.csv", label="y", task="regression", decimal=",", limits=limits)
    assert done.profile["label"]["min"] == 0.25


@SIZES
def test_the_line_that_excel_puts_on_top_says_the_delimiter(limits: Limits) -> None:
    """`sep=;`, quoted or not, with a header or without."""
    expected = run(PLAIN, "x.csv", limits=limits, **asked())
    for top in ("sep=;\r\n", '"sep=;"\n', "SEP=;\n"):
        text = top + PLAIN.replace(",", ";")
        assert same(run(text, "x.csv", limits=limits, **asked()), expected)
    headerless = "sep=|\n" + PLAIN.partition("\n")[2].replace(",", "|")
    done = run(headerless, "x.csv", names=("x", "z", "y"), limits=limits, **asked())
    assert same(done, expected)


@SIZES
def test_comments_are_lines_and_keep_their_numbers(limits: Limits) -> None:
    """On top and between rows, not within quotes."""
    head, _, rows = PLAIN.partition("\n")
    text = f"# made by hand\n{head}\n # indented\n{rows}#last\n"
    options = asked(comment="#", limits=limits)
    assert same(run(text, "x.csv", **options), run(PLAIN, "x.csv", limits=limits, **asked()))
    with pytest.raises(errors.NotANumberError, match="line 95, column 'x'"):
        run(text.replace("#last", "#last\nbad,1,no"), "x.csv", **options)
    quoted = 't,y\n"a\n#b",yes\n' + "c,no\na,yes\n" * 20
    done = run(quoted, "x.csv", **options, categorical=("t",))
    assert done.features[0].categories == ("a", "a\n#b", "c")


@SIZES
@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
def test_marks_of_encodings_are_understood(encoding: str, limits: Limits) -> None:
    """As Excel and Notepad write them."""
    done = run(PLAIN.encode(encoding), "x.csv", limits=limits, **asked())
    assert same(done, run(PLAIN, "x.csv", limits=limits, **asked()))


# Columns of any type are dropped before they are judged.


@SIZES
@pytest.mark.parametrize("kind", ["time", "list", "struct", "bytes", "date"])
def test_a_column_of_parquet_is_dropped_whatever_it_holds(kind: str, limits: Limits) -> None:
    """It is refused by its name otherwise."""
    values = {
        "time": pd.date_range("2024-01-01", periods=90).to_list(),
        "date": [each.date() for each in pd.date_range("2024-01-01", periods=90)],
        "list": [[1, 2]] * 90,
        "struct": [{"a": 1}] * 90,
        "bytes": [b"x"] * 90,
    }[kind]
    sink = io.BytesIO()
    pq.write_table(pa.table({"when": values, "x": list(map(float, X)), "y": LABELS}), sink)
    with pytest.raises(errors.UnsupportedTypeError, match="column 'when'"):
        run(sink.getvalue(), "x", limits=limits, **asked())
    done = run(sink.getvalue(), "x", limits=limits, **asked(drop=("when",)))
    assert same(
        done,
        run(
            "x,y\n" + "".join(f"{float(x)},{y}\n" for x, y in zip(X, LABELS, strict=True)),
            "x.csv",
            limits=limits,
            **asked(),
        ),
    )


@SIZES
def test_an_attribute_of_arff_is_dropped_whatever_it_is_declared(limits: Limits) -> None:
    """Strings and dates, with commas in quotes."""
    head = "@relation r\n@attribute name string\n@attribute when date 'yyyy-MM-dd'\n"
    head += "@attribute x numeric\n@attribute y {yes,no}\n@data\n"
    text = head + "".join(
        f"'a, {at}','2024-01-01',{x},{y}\n" for at, (x, y) in enumerate(zip(X, LABELS, strict=True))
    )
    with pytest.raises(errors.UnsupportedTypeError, match="line 2, column 'name'"):
        run(text, "x.arff", limits=limits, **asked())
    done = run(text, "x.arff", limits=limits, **asked(drop=("name", "when")))
    assert [feature.name for feature in done.features] == ["x"]
    assert done.profile["rows"] == 90


@SIZES
def test_values_that_weka_quotes_twice_are_those_that_are_declared(limits: Limits) -> None:
    """A discretized attribute: the inner quotes belong to the value."""
    declared = [r"'\'(-inf-2.45]\''", r"'\'(2.45-4.75]\''", r"'\'All\''"]
    text = f"@relation r\n@attribute p {{{','.join(declared)}}}\n@attribute x real\n"
    text += "@attribute y {yes,no}\n@data\n" + "".join(
        f"{declared[at % 2]},{x},{y}\n" for at, (x, y) in enumerate(zip(X, LABELS, strict=True))
    )
    done = run(text, "x.arff", limits=limits, **asked(categorical=("p",)))
    assert done.features[0].categories == ("'(-inf-2.45]'", "'(2.45-4.75]'", "'All'")


@SIZES
def test_lines_of_json_are_rows(limits: Limits) -> None:
    """As any program writes them."""
    text = "".join(
        json.dumps({"x": float(x), "y": y}) + "\n" for x, y in zip(X, LABELS, strict=True)
    )
    plain = "x,y\n" + "".join(f"{float(x)},{y}\n" for x, y in zip(X, LABELS, strict=True))
    done = run(text, "records.jsonl", limits=limits, **asked())
    assert same(done, run(plain, "x.csv", limits=limits, **asked()))


def test_noise_with_a_shuffled_index_teaches_nothing() -> None:
    """The index orders the classes perfectly; what is left tells no more than chance."""
    draw = np.random.default_rng(3)
    frame = pd.DataFrame({"a": draw.normal(size=400), "y": draw.integers(0, 2, 400)})
    frame = frame.sort_values("y", ignore_index=True).sample(frac=1, random_state=1)
    done = run(parquet_of(frame), "x", label="y", positive="1")
    rows = [line.split(b",") for line in done.files["train/train.csv"].splitlines()]
    assert {len(row) for row in rows} == {2}
    values = np.array(rows, float)
    assert abs(np.corrcoef(values.T)[0, 1]) < 0.2
