"""Preparing on several machines: what one machine would have written, and refused."""

from typing import Any

import pytest

from data_prep import DataError
from tests.data_prep.generated import generated, outcome
from tests.data_prep.support import STREAMED, Machines, run
from tests.support import seeds


def spread(content: bytes | str, name: str, **options: Any) -> tuple[Any, dict[str, bytes]]:
    """Prepare on several machines; return the outcome and every file of the run."""
    machines = Machines()
    prepared = run(content, name, spread=machines, **options)
    files = {**prepared.files, **machines.files}
    assert not any(path.startswith("preparation/") for path in machines.files)
    return prepared, files


def rows_of(files: dict[str, bytes], folder: str) -> list[bytes]:
    """Every row of a folder, in the order of its files' names."""
    return b"".join(files[path] for path in sorted(files) if path.startswith(folder)).splitlines()


@pytest.mark.parametrize("seed", seeds(60))
def test_several_machines_prepare_what_one_does(seed: int) -> None:
    """Any shape has the same rows in each part, in file order, the same profile and refusals."""
    text, name, options = generated(seed)
    alone = outcome(text, name, {**options, "limits": STREAMED})
    machines = Machines()
    together = outcome(text, name, {**options, "spread": machines})
    if isinstance(alone, str) or isinstance(together, str):
        assert together == alone
        return
    assert len(machines.blocks) > 1
    files = {**together.files, **machines.files}
    for path, content in alone.files.items():
        assert rows_of(files, path.partition("/")[0]) == content.splitlines()
    assert together.labels == alone.labels
    assert together.profile == {**alone.profile, "order": "file"}


def test_the_test_part_is_one_file_and_the_others_are_shards() -> None:
    """A batch transform and its evaluation pair lines of single files; training reads shards."""
    text = "x,class\n" + "".join(f"{row}.5,{'ab'[row % 2]}\n" for row in range(400))
    _, files = spread(text, "a.csv", positive="a")
    assert {path for path in files if path.startswith(("test/", "batch-in/"))} == {
        "test/test.csv",
        "batch-in/batch-in.csv",
    }
    assert len([path for path in files if path.startswith("train/part-")]) > 2
    assert len(rows_of(files, "train/")) == 320


def test_the_first_refusal_in_the_file_is_the_one_told() -> None:
    """However the blocks are shared out, the line is the one a single machine would name."""
    rows = [f"{row}.5,{'ab'[row % 2]}" for row in range(400)]
    rows[150], rows[350] = "one,a", "two,b"
    text = "\n".join(["x,class", *rows])
    with pytest.raises(DataError, match=r"line 152, column 'x': 'one' is not a number"):
        spread(text, "a.csv", positive="a")
