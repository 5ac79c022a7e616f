"""Where a run's data comes from."""

from pathlib import Path

import pytest

from spine import sources
from spine.errors import UsageError
from spine.shipped import load_data_prep
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


class Bucket:
    """As much of S3 as an upload asks for."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.sent = 0

    def list_objects_v2(self, *, Prefix: str, **_: object) -> dict[str, object]:  # noqa: N803
        """List."""
        found = [
            {"Key": key, "Size": len(content)}
            for key, content in self.files.items()
            if key.startswith(Prefix)
        ]
        return {"Contents": found}

    def upload_file(self, path: str, _bucket: str, key: str, **_: object) -> None:
        """Take a file."""
        self.files[key] = Path(path).read_bytes()
        self.sent += 1


def test_a_folder_is_uploaded_file_by_file_and_once(tmp_path: Path) -> None:
    """Below a name of its content; markers and hidden files stay here."""
    folder = tmp_path / "my table"
    (folder / "k=1").mkdir(parents=True)
    (folder / "k=1" / "b.csv").write_text("b")
    (folder / "a.csv").write_text("a")
    (folder / ".DS_Store").write_text("x")
    (folder / "_SUCCESS").touch()
    assert sources.parse(str(folder)) == Local(folder)
    assert sources.size_of(folder) == 2
    bucket = Bucket()
    uris = {
        sources.upload(bucket, folder, bucket="spine", on_bytes=lambda _: None) for _ in range(2)
    }
    (uri,) = uris
    assert uri.startswith("s3://spine/uploads/")
    assert uri.endswith("/my-table/")
    prefix = uri.removeprefix("s3://spine/")
    assert bucket.files == {f"{prefix}a.csv": b"a", f"{prefix}k=1/b.csv": b"b"}
    assert bucket.sent == 2
    (folder / "a.csv").write_text("c")
    assert sources.upload(bucket, folder, bucket="spine", on_bytes=lambda _: None) != uri


def test_a_folder_without_data_is_refused(tmp_path: Path) -> None:
    """Before anything is started."""
    (tmp_path / "_SUCCESS").write_text("x")
    with pytest.raises(UsageError, match="holds no file with data"):
        sources.parse(str(tmp_path))


def test_a_folder_of_everything_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home or a disk that was meant as one table is not read to its end."""
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text("1")
    monkeypatch.setattr(load_data_prep("source.naming"), "MOST_PARTS", 2)
    with pytest.raises(UsageError, match="holds more than 2 files"):
        sources.parse(str(tmp_path))


def test_a_folder_that_may_not_be_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the name of what is in the way."""

    def denied(_self: Path) -> bool:
        raise PermissionError(13, "Permission denied", "/there/private")

    (tmp_path / "a").write_text("1")
    monkeypatch.setattr(Path, "is_file", denied)
    with pytest.raises(UsageError, match="/there/private cannot be read"):
        sources.parse(str(tmp_path))
