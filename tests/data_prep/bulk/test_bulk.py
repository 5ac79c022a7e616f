# ruff: noqa: S311 (seeded, so that a failure can be repeated)
"""Large files: the same bytes, figures and refusals as small ones, a block at a time."""

import gzip
import hashlib
import random
from typing import Any

import pytest

from data_prep import Limits
from data_prep.bulk import blocks, lanes
from data_prep.bulk.lanes.base import Survey
from data_prep.bulk.schema import Schema
from tests.data_prep import reference
from tests.data_prep.generated import generated, labels, outcome
from tests.data_prep.support import BULK, STREAMED, errors, run
from tests.support import seeds


@pytest.mark.parametrize("seed", seeds(150))
@pytest.mark.parametrize("block", [1 << 21, 700])
def test_large_files_are_prepared_as_small_ones(
    seed: int, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any shape gives the same files, profile and refusals, in one block or in many."""
    monkeypatch.setattr(blocks, "SIZE", block)
    cut: list[int] = []
    survey = lanes.survey

    def spy(schema: Schema, block: blocks.Block, *, decimal: bool) -> Survey:
        cut.append(len(block.data))
        return survey(schema, block, decimal=decimal)

    monkeypatch.setattr(lanes, "survey", spy)
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


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("packed", [False, True], ids=["bare", "gzip"])
@pytest.mark.slow
def test_both_readings_cut_the_file_alike(encoding: str, packed: bool) -> None:
    """The first reading comes in pieces of another size than the second; the blocks do not."""
    draw = random.Random(9)
    rows = [f"{draw.random():.12f}1,{draw.choice('ab')}" for _ in range(150_000)]
    content = "\n".join(["x,class", *rows, ""]).encode(encoding)
    source = gzip.compress(content, 1) if packed else content
    options = {"positive": "a"}
    streamed = run(source, "a.csv", **options, limits=Limits(exact_bytes=0))
    shuffled = run(source, "a.csv", **options)
    assert streamed.member == shuffled.member
    assert streamed.member.size == len(content)
    assert streamed.member.sha256 == hashlib.sha256(content).hexdigest()
    for path, text in streamed.files.items():
        assert sorted(text.splitlines()) == sorted(shuffled.files[path].splitlines())


@pytest.mark.slow
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
