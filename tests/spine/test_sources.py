"""Where a run's data comes from."""

from pathlib import Path

import pytest

from spine import sources
from spine.errors import UsageError
from spine.sources import Local, Remote


def test_addresses_and_files_are_told_apart(tmp_path: Path) -> None:
    """https:// and s3:// are read by the run; anything else is a file here."""
    file = tmp_path / "a.csv"
    file.write_text("1\n")
    assert sources.parse(str(file)) == Local(file)
    assert sources.parse("s3://bucket/key") == Remote("s3://bucket/key")
    assert sources.parse("https://host/file.zip") == Remote("https://host/file.zip")


@pytest.mark.parametrize("text", ["ftp://host/a.csv", "https://", "s3://"])
def test_other_addresses_are_refused(text: str) -> None:
    """An address of another kind, or of nothing, is refused by name."""
    with pytest.raises(UsageError, match=r"--source: "):
        sources.parse(text)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    """A file without data is refused before it is uploaded."""
    (tmp_path / "empty.csv").touch()
    with pytest.raises(UsageError, match="is empty"):
        sources.parse(str(tmp_path / "empty.csv"))


def test_objects_are_merged_and_everything_else_replaced() -> None:
    """Deep for objects only: lists and values of the upper input win whole."""
    base = {"a": {"b": 1, "c": [1, 2]}, "d": 1}
    over = {"a": {"c": [3], "e": None}, "d": {"f": 2}}
    assert sources.merge(base, over) == {"a": {"b": 1, "c": [3], "e": None}, "d": {"f": 2}}
    assert base == {"a": {"b": 1, "c": [1, 2]}, "d": 1}
