# ruff: noqa: S311 (seeded, so that a failure can be repeated)
"""Large files: the same bytes, figures and refusals as small ones, a block at a time."""

import gzip
import hashlib
import io
import random
from collections.abc import Callable
from typing import Any

import pytest

from data_prep import DataError, Limits, Prepared, errors
from data_prep.bulk import blocks
from data_prep.bulk.work import Survey, Work
from tests.data_prep import reference
from tests.data_prep.support import BULK, STREAMED, run
from tests.data_prep.test_bytes import any_float, labels, written

NUMBERS: dict[str, Callable[[random.Random], str]] = {
    "plain": lambda draw: repr(round(draw.gauss(50, 20), draw.randrange(1, 9))),
    "whole": lambda draw: str(draw.randrange(-1000, 1000)),
    "any": lambda draw: written(draw, any_float(draw)),
    "large": lambda draw: str(draw.randrange(2**64)),
    "zeros": lambda draw: draw.choice(["0", "-0", "0.0", "-0.0", "00", "+1", " 7 "]),
    "mostly plain": lambda draw: draw.choice(["1.5"] * 200 + ["1e-7", "1.50", "2", "0.00001"]),
    "long": lambda draw: repr(draw.random()),
    "huge": lambda draw: repr(draw.random() * 10.0 ** draw.randrange(10, 25)),
}


def labelled(draw: random.Random, rows: int, options: dict[str, Any]) -> tuple[list[str], str]:
    """Return labels of any task, which is put in the options, and how ARFF declares them."""
    task = draw.choice(["binary", "binary", "multiclass", "regression"])
    options["task"] = task
    if task == "binary":
        return [("no", "yes")[value] for value in labels(draw, rows)], "{yes, no}"
    if task == "multiclass":
        names = [f"k{number}" for number in range(draw.choice([2, 3, 10, 14]))]
        return [draw.choice(names) for _ in range(rows)], f"{{{', '.join(reversed(names))}}}"
    number = NUMBERS[draw.choice(["plain", "whole", "any", "large", "mostly plain"])]
    options["objective"] = draw.choice([None, None, None, "reg:gamma"])
    return [number(draw) for _ in range(rows)], "numeric"


def generated(seed: int) -> tuple[str, str, dict[str, Any]]:
    """Return a file's text and name, and what to ask of it, of any shape the formats allow."""
    draw = random.Random(seed)
    rows = draw.randrange(60, 500)
    width = draw.randrange(1, 6)
    arff = draw.random() < 0.4
    delimiter = "," if arff else draw.choice([",", ",", ";", "\t"])
    position = draw.choice([0, width, width, draw.randrange(width + 1)])
    kinds = [draw.choice(list(NUMBERS)) for _ in range(width)]
    columns = [[NUMBERS[kind](draw) for _ in range(rows)] for kind in kinds]
    options: dict[str, Any] = {"label": "y", "positive": "yes", "seed": draw.randrange(2**32)}
    if draw.random() < 0.3:
        options["missing"] = "pass"
        for column in columns:
            for row in range(0, rows, draw.randrange(2, 60)):
                column[row] = "?" if arff else draw.choice(["", "NA", "?"])
    types = ["numeric"] * width
    if draw.random() < 0.3:
        at = draw.randrange(width)
        values = ["b c", "a", "d", "é"]
        columns[at] = [draw.choice(values) for _ in range(rows)]
        types[at] = "{'b c', a, d, é}"
        options["categorical"] = (f"x{at}",)
        if arff:
            columns[at] = [f"'{value}'" if " " in value else value for value in columns[at]]
    quoted = not arff and draw.random() < 0.2
    label, declared = labelled(draw, rows, options)
    if quoted:
        label = [f'"{value}"' for value in label]
    columns.insert(position, label)
    types.insert(position, declared)
    names = [f"x{at}" for at in range(width)]
    names.insert(position, "y")
    lines = [delimiter.join(values) for values in zip(*columns, strict=True)]
    if draw.random() < 0.3:
        lines.insert(draw.randrange(rows), "")
    if arff:
        if draw.random() < 0.3:
            lines.insert(draw.randrange(rows), "% a comment")
        head = [f"@attribute {name} {kind}" for name, kind in zip(names, types, strict=True)]
        lines = ["@relation r", *head, "@data", *lines]
    else:
        lines.insert(0, delimiter.join(names))
    ends = draw.choice(["\n", "\n", "\r\n", "\r"])
    text = ends.join(lines) + draw.choice(["", ends])
    return draw.choice(["", "\ufeff"]) + text, "a.arff" if arff else "a.csv", options


def outcome(text: str, name: str, options: dict[str, Any]) -> Prepared | str:
    """Return what was prepared, or how it was refused."""
    try:
        return run(text, name, **options)
    except DataError as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("seed", range(150))
@pytest.mark.parametrize("block", [1 << 21, 700])
def test_large_files_are_prepared_as_small_ones(
    seed: int, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any shape gives the same files, profile and refusals, in one block or in many."""
    monkeypatch.setattr(blocks, "SIZE", block)
    cut: list[int] = []
    survey = Work.survey

    def spy(self: Work, block: blocks.Block) -> Survey:
        cut.append(len(block.data))
        return survey(self, block)

    monkeypatch.setattr(Work, "survey", spy)
    text, name, options = generated(seed)
    small = outcome(text, name, options)
    large = outcome(text, name, {**options, "limits": BULK})
    if isinstance(small, str) or isinstance(large, str):
        assert large == small
        return
    assert len(cut) >= sum(cut) // block
    assert large.files == small.files
    assert large.profile == small.profile
    assert large.labels == small.labels
    assert large.classes == small.classes
    assert large.class_counts == small.class_counts


@pytest.mark.parametrize("seed", range(20))
def test_beyond_memory_the_rows_are_those_and_in_file_order(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each part has the notebook's rows, in the order of the file."""
    monkeypatch.setattr(blocks, "SIZE", 3000)
    draw = random.Random(seed)
    rows = [f"{row},{draw.random()!r},{label}" for row, label in enumerate(labels(draw, 400))]
    text = "\n".join(["n,x,class", *rows])
    streamed = run(text, "a.csv", positive="1", limits=STREAMED)
    expected = reference.from_csv(text, positive="1")
    assert streamed.profile["order"] == "file"
    for path, content in streamed.files.items():
        lines = content.splitlines()
        at = 0 if path.startswith("batch") else 1
        assert lines == sorted(
            expected[path].splitlines(), key=lambda line: int(line.split(b",")[at])
        )


@pytest.mark.slow
def test_many_rows_take_the_quick_lanes() -> None:
    """Plain decimals are copied, others formatted; a few odd rows do not change the lane."""
    draw = random.Random(5)
    plain = "\n".join(
        ["x,class", *(f"{draw.gauss(50, 9):.3f}1,{draw.choice('ab')}" for _ in range(20_000)), ""]
    )
    for text, lane in (
        (plain, "lines"),
        (plain + "1e-7,a\n2.50,b\n", "lines"),
        (plain.replace("1,", "10,"), "columns"),
        (plain + "2**2,b\n", "text"),
    ):
        lanes = []
        survey = Work.survey

        def spy(self: Any, block: Any) -> Any:
            found = survey(self, block)  # noqa: B023 (called within the loop)
            lanes.append(found.lane)  # noqa: B023
            return found

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Work, "survey", spy)
            result = outcome(text, "a.csv", {"positive": "a", "limits": BULK})
        if lane == "text":
            assert isinstance(result, str)
            assert result.startswith("NotANumberError: line 20002, column 'x': '2**2'")
        else:
            assert not isinstance(result, str)
            assert set(lanes) == {lane}
            assert result.files == reference.from_csv(text, positive="a")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000])
def test_blocks_are_whole_lines_whatever_the_size(end: str, size: int) -> None:
    """However the stream is cut, the lines come out whole, counted, and each ended."""
    lines = ["a,b", "", '1,"x', 'y"', "3,4", "5,6"]
    content = end.join(lines).encode()
    found = list(blocks.cut(io.BytesIO(b"\xef\xbb\xbf" + content), 1, max(size, 4)))
    text = b"".join(block.data for block in found).replace(b"\r", b"")
    assert text == "\n".join([*lines[1:], ""]).encode()
    line = 2
    for block in found:
        assert block.line == line
        assert bytes(block.data).endswith(b"\n")
        line += bytes(block.data).count(b"\n")


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("packed", [False, True], ids=["bare", "gzip"])
def test_both_readings_cut_the_file_alike(encoding: str, packed: bool) -> None:
    """The first reading comes in pieces of another size than the second; the blocks do not."""
    draw = random.Random(9)
    rows = [f"{draw.random():.12f}1,{draw.choice('ab')}" for _ in range(150_000)]
    content = "\n".join(["x,class", *rows, ""]).encode(encoding)
    source = gzip.compress(content, 1) if packed else content
    options = {"positive": "a"}
    streamed = run(source, "a.csv", **options, limits=Limits(exact_bytes=0))
    shuffled = run(source, "a.csv", **options)
    assert streamed.member == shuffled.member._replace(open=streamed.member.open)
    assert streamed.member.size == len(content)
    assert streamed.member.sha256 == hashlib.sha256(content).hexdigest()
    for path, text in streamed.files.items():
        assert sorted(text.splitlines()) == sorted(shuffled.files[path].splitlines())


def test_what_is_wrong_with_the_whole_file_comes_first() -> None:
    """A bad row in the first block is not blamed when the file proves to be cut or another one."""
    rows = "".join(f"{row}.5,{'ab'[row % 2]}\n" for row in range(200_000))
    content = f"x,class\nabc,a\n{rows}".encode()
    with pytest.raises(errors.NotANumberError, match="line 2"):
        run(content, "a.csv", positive="a", limits=BULK)
    with pytest.raises(errors.ChecksumError):
        run(content, "a.csv", positive="a", limits=BULK, sha256="0" * 64)
    with pytest.raises(errors.EncodingError, match="line 200003"):
        run(content + b"\xff", "a.csv", positive="a", limits=BULK)
    with pytest.raises(errors.DamagedArchiveError):
        run(gzip.compress(content)[:-9], "a.csv.gz", positive="a", limits=BULK)


def test_a_header_longer_than_what_is_kept_of_the_file() -> None:
    """Comments of a megabyte before the columns change nothing."""
    text = "% note\n" * 150_000 + "@relation r\n@attribute x real\n@attribute class {a,b}\n@data\n"
    text += "".join(f"{row}.5,{'ab'[row % 3 > 0]}\n" for row in range(300))
    small = run(text, "a.arff", positive="a")
    large = run(text, "a.arff", positive="a", limits=BULK)
    assert large.files == small.files
    assert large.profile == small.profile


@pytest.mark.parametrize(
    ("labels", "options"),
    [
        (["Abnormal", "cat", "dog"], {"rest": True}),
        (["1", "1.0", "0", "0.00"], {"positive": "1"}),
        (["2", "2.0", "1", "3"], {"task": "multiclass"}),
    ],
)
def test_rows_repeat_each_other_by_their_class(labels: list[str], options: dict[str, Any]) -> None:
    """Labels that are written differently and become the same number do not tell rows apart."""
    text = "".join(f"{row % 7}.5,{labels[row % len(labels)]}\n" for row in range(300))
    small, large = (
        run(f"x,class\n{text}", "a.csv", limits=limits, **options) for limits in (Limits(), BULK)
    )
    assert large.profile == small.profile
    assert large.files == small.files


def test_whole_numbers_beyond_a_float_beside_gaps_are_read_as_in_small_files() -> None:
    """Arrow makes no float of them; the block is for the careful reader."""
    rows = [f"{row},{row % 7},{'ab'[row % 2]}" for row in range(60)]
    rows[10], rows[20] = ",3,a", "5555555555555555551,3,a"
    text = "\n".join(["n,x,class", *rows]) + "\n"
    options = {"positive": "a", "missing": "pass"}
    small, large = run(text, "a.csv", **options), run(text, "a.csv", limits=BULK, **options)
    assert large.files == small.files
    assert large.profile == small.profile


def test_a_plus_sign_leaves_a_column_whole_as_in_small_files() -> None:
    """Pandas reads +2 as a whole number, Arrow as a float."""
    rows = [f"{row},{row % 7}.5,{'ab'[row % 2]}" for row in range(60)]
    rows[30] = "+2,+1.5,a"
    text = "\n".join(["n,x,class", *rows]) + "\n"
    large = run(text, "a.csv", limits=BULK, positive="a")
    assert large.files == reference.from_csv(text, positive="a")
    assert large.profile == run(text, "a.csv", positive="a").profile
