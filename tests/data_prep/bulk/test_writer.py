# ruff: noqa: S311 (seeded, so that a failure can be repeated)
"""Text that is kept, and the rows that are written of it."""

import random

import pytest

from data_prep import Limits, Prepared
from data_prep.bulk import blocks, writer
from data_prep.bulk.blocks import Block
from data_prep.bulk.writer import Text
from tests.data_prep import reference
from tests.data_prep.support import BULK, run


def test_text_is_kept_while_there_is_room() -> None:
    """Each block with two bytes ahead of it; beyond, none is, and a block is what it was."""
    text = Text(20)
    first = text.put((b"abc", b"de\n"))
    assert bytes(first) == b"abcde\n"
    assert text.place(Block(first, 2)).kept is not None
    second = text.put((b"fgh\n",))
    kept = text.place(Block(second, 3)).kept
    assert kept is not None
    assert kept[1] == 2 + 6 + 2
    assert bytes(text.bytes[kept[1] : kept[1] + 4]) == b"fgh\n"
    assert text.append([b"ij", b"k"]).tolist() == [14, 16, 17]
    third = text.put((b"x" * 20,))
    assert bytes(third) == b"x" * 20
    assert not text.whole
    assert text.place(Block(third, 4)).kept is None


def table(rows: int, odd: str = "") -> str:
    """A file of decimals, some rows of which are written otherwise."""
    draw = random.Random(rows)
    lines = [f"{draw.gauss(50, 9):.3f}1,{'abc'[row % 3]}" for row in range(rows)]
    if odd:
        lines[rows // 2] = f"{odd},a"
    return "\n".join(["x,class", *lines, ""])


@pytest.mark.parametrize("odd", ["", "2.50", "1e-7", "7", "-0.0"])
@pytest.mark.parametrize("exact", [64 << 20, 3000])
def test_kept_or_not_the_rows_are_those_of_pandas(
    odd: str, exact: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether all the text stays in memory, or the file is read once more."""
    monkeypatch.setattr(blocks, "SIZE", 2000)
    text = table(900, odd)
    limits = Limits(small_bytes=0, exact_bytes=exact)
    found = run(text, "a.csv", task="multiclass", limits=limits)
    expected = reference.from_classes(text, label="class")
    ordered = found.profile["order"] == "shuffled"
    assert ordered is (exact > len(text))
    for path, content in found.files.items():
        if ordered:
            assert content == expected[path]
        else:
            assert sorted(content.splitlines()) == sorted(expected[path].splitlines())


def test_files_can_be_written_more_than_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second time gives the same bytes, in pieces of any number of rows."""
    monkeypatch.setattr(writer, "_ROWS_AT_ONCE", 50)
    prepared: Prepared = run(table(900), "a.csv", task="multiclass", limits=BULK)
    assert prepared.files == prepared.files
