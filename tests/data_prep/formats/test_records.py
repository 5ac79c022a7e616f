"""JSON: one object a line, or a list of objects; keys are columns and numbers stay as written."""

import json
import math

import pytest

from data_prep import DataError, Limits
from data_prep.bulk import blocks
from tests.data_prep.support import BULK, Machines, errors, opened_whole, run

ROWS = [
    {"x": f"{at * 7 % 30}.50", "n": str(at), "class": ("Abnormal", "Normal")[at % 2]}
    for at in range(60)
]
LINES = "".join(
    f'{{"x": {row["x"]}, "n": {row["n"]}, "class": "{row["class"]}"}}\n' for row in ROWS
)
CSV = "x,n,class\n" + "".join(f"{row['x']},{row['n']},{row['class']}\n" for row in ROWS)


def read(text: str, name: str = "x.json") -> tuple[tuple[str, ...], list[list[str]], list[int]]:
    """The columns, the rows and their lines."""
    opened = opened_whole(text, name)
    batches = list(opened.batches())
    return (
        opened.rows.names,
        [row for batch in batches for row in batch.rows],
        [line for batch in batches for line in batch.lines],
    )


@pytest.mark.parametrize("limits", [Limits(), BULK])
@pytest.mark.parametrize(
    "text",
    [
        LINES,
        f"\ufeff{LINES}",
        LINES.replace("\n", "\r\n"),
        LINES.replace("\n", "\n\n"),
        f"[{LINES.strip().replace(chr(10), ', ')}]",
        json.dumps([json.loads(line, parse_float=str) for line in LINES.splitlines()], indent=2),
    ],
    ids=["lines", "mark", "windows", "blank lines", "list on one line", "list"],
)
def test_the_same_rows_as_csv_give_the_same_files(text: str, limits: Limits) -> None:
    """Whichever way the objects are written, and however large the file is taken for."""
    assert run(text, "x.json", limits=limits).files == run(CSV, "x.csv").files


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_other_encodings_with_a_mark_are_read(encoding: str) -> None:
    """Lists, too, which begin with the mark."""
    for text in (LINES, f"[{LINES.strip().replace(chr(10), ',')}]"):
        assert run(text.encode(encoding), "x").files == run(CSV, "x.csv").files


def test_keys_are_columns_in_the_order_in_which_they_first_appear() -> None:
    """Also one that only the last row has; what a row leaves out is missing, as null is."""
    names, rows, _ = read('{"b": 1}\n{"a": null, "b": 2}\n{"c": "", "b": 3}\n')
    assert names == ("b", "a", "c")
    assert rows == [["1", "", ""], ["2", "", ""], ["3", "", ""]]


def test_values_stay_as_they_are_written() -> None:
    """Numbers of any size and precision, texts that look like nulls; truth is 1 and 0, NaN none."""
    _, rows, _ = read(
        '{"a": 9007199254740993, "b": 0.10, "c": 1E+2, "d": "None", "e": true, "f": NaN}\n'
        f'{{"a": {"9" * 5000}, "b": -0.0, "c": "x\\ny", "d": "NA", "e": false, "f": 1}}\n'
    )
    assert rows == [
        ["9007199254740993", "0.10", "1E+2", "None", "1", ""],
        ["9" * 5000, "-0.0", "x\ny", "NA", "0", "1"],
    ]


def test_the_lines_of_a_list_are_those_of_the_file() -> None:
    """An object's line is the one it ends on; on one line, objects are counted."""
    text = '[\n  {\n    "a": 1\n  },\n\n  {"a": 2}\n]\n'
    assert read(text)[2] == [4, 6]
    assert read('[{"a":1},{"a":2},\n\n\n{"a":3}]')[2] == [1, 2, 4]


def test_nested_values_are_refused_by_name_unless_they_are_dropped() -> None:
    """The column is told with the line of its first such value."""
    text = LINES.replace('"n": 7,', '"n": {"deep": [1]},')
    with pytest.raises(errors.UnsupportedTypeError, match=r"^line 8, column 'n': .* source\.drop"):
        run(text, "x.jsonl")
    for limits in (Limits(), BULK):
        done = run(text, "x.jsonl", drop=("n",), limits=limits)
        assert [feature.name for feature in done.features] == ["x"]


def test_texts_of_a_category_are_never_missing() -> None:
    """JSON has null: "NA" and "None" are categories; a further spelling is asked for by name."""
    text = "".join(
        json.dumps({"c": ("NA", "None", "x")[at % 3], "class": ("Abnormal", "Normal")[at % 2]})
        + "\n"
        for at in range(60)
    )
    kept = run(text, "x.json", categorical=("c",)).features[0]
    assert kept.categories == ("NA", "None", "x")
    with pytest.raises(errors.MissingValueError, match="line 1, column 'c'"):
        run(text, "x.json", categorical=("c",), na_values=("NA",))


def test_several_machines_read_lines_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of some lines travel, a list's as lines."""
    monkeypatch.setattr(blocks, "SIZE", 300)
    listed = f"[{LINES.strip().replace(chr(10), ',')}]"
    for text in (LINES, listed):
        machines = Machines()
        done = run(text, "x.json", spread=machines)
        assert done.profile["rows"] == 60
        files = {**done.files, **machines.files}
        rows = [content.count(b"\n") for name, content in files.items() if name[:5] == "train"]
        assert sum(rows) == 48


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ('{"a": 1}\n{"a": 1\n', "MalformedJsonError", "line 2: .* is not one JSON object"),
        ('{"a": 1}\n[1]\n', "MalformedJsonError", "line 2: .* is no JSON object"),
        ('{"a": 1} {"a": 2}\n', "MalformedJsonError", "line 1: .*Extra data"),
        ('{"a": 1, "a": 2}\n', "MalformedJsonError", "line 1: .*the key 'a' twice"),
        ('{"a": "\\ud800"}\n', "MalformedJsonError", "half a character"),
        ('{"a": "\\u0000"}\n', "MalformedJsonError", "NUL"),
        ('{"a": ' + "[" * 100_000 + "\n", "MalformedJsonError", "line 1"),
        ("{}\n{}\n", "NoRowsError", "no objects with keys"),
        ("[]", "NoRowsError", "no objects with keys"),
        ('[{"a": 1} {"a": 2}]', "MalformedJsonError", "a comma is missing"),
        ('[{"a": 1},\n]', "MalformedJsonError", "line 2: .* is no JSON object"),
        ('[{"a": 1},\n{"a": ', "MalformedJsonError", "line 2: .* no whole JSON object"),
        ('[{"a": 1}]\n[', "MalformedJsonError", "line 2: something follows"),
        ('[{"a": 1}', "MalformedJsonError", "the end of the list"),
        ('[{"a": "' + "x" * (1 << 20), "LineTooLongError", "1,048,576 bytes"),
    ],
)
def test_what_is_no_list_of_objects_is_refused(text: str, error: str, says: str) -> None:
    """With the line, and in words."""
    with pytest.raises(DataError, match=says) as caught:
        run(text, "x.json")
    assert type(caught.value).__name__ == error


def test_pairs_of_halves_are_characters_and_escaped_backslashes_are_text() -> None:
    """What only looks like half a character is read."""
    _, rows, _ = read('{"a": "\\ud83d\\ude00", "b": "\\\\ud800", "c": "\\\\u0000"}\n')
    assert rows == [["\U0001f600", "\\ud800", "\\u0000"]]


def test_a_list_longer_than_a_line_may_be_is_read() -> None:
    """It is one line of more than a megabyte; its objects are short."""
    rows = [{"x": at / 7, "class": ("Abnormal", "Normal")[at % 2]} for at in range(40_000)]
    text = json.dumps(rows)
    assert len(text) > Limits().line_bytes
    assert run(text, "x.json").profile["rows"] == 40_000


def test_many_keys_of_few_values_are_refused() -> None:
    """Each row has a key of its own: as a table it would be a million times as large."""
    text = "".join(f'{{"k{at}": 1}}\n' for at in range(20_000))
    with pytest.raises(errors.TooLargeError, match="of which few are written"):
        run(text, "x.jsonl")


def test_what_is_no_number_is_refused_where_it_stands() -> None:
    """Infinity, which Python writes, is no finite number."""
    assert math.isinf(json.loads("Infinity"))
    text = LINES.replace('"n": 7,', '"n": Infinity,')
    with pytest.raises(errors.NotFiniteError, match="line 8, column 'n'"):
        run(text, "x.jsonl")
