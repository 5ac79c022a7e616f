"""Reading a folder of S3: what is in it, as one archive, and what can go wrong."""

import io
import zipfile
from collections.abc import Sequence
from typing import Any

import pytest

from data_prep.source import naming
from spine.shipped import load
from tests.preparing import Store
from tests.support import client_error, use_clients

fetch = load("common.fetch")
fetch_folder = load("common.fetch_folder")
URI = "s3://b/uploads/table/"


def everything(paths: Sequence[str]) -> list[str]:
    """Choose every file."""
    return sorted(paths)


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> Store:
    """A folder of three files, one of them written twice, and what is none of it."""
    store = Store()
    for key, content in (
        ("table/part-1.csv", b"second"),
        ("table/part-0.csv", b"old"),
        ("table/part-0.csv", b"first"),
        ("table/k=1/part-2.csv", b"third"),
        ("table/_SUCCESS", b""),
        ("table/k=1/", b""),
        ("table.csv", b"beside"),
    ):
        store.put_object(Bucket="b", Key=f"uploads/{key}", Body=content)
    use_clients(monkeypatch, s3=store)
    return store


def test_a_folder_is_an_archive_of_its_files_in_their_order(stored: Store) -> None:
    """With the newest version of each, which is noted; files without a byte are left out."""
    assert stored.objects
    found = fetch_folder.from_s3(URI, wanted=everything, max_bytes=100)
    with found.file as file, zipfile.ZipFile(file) as archive:
        read = {name: archive.read(name) for name in archive.namelist()}
    assert list(read.items()) == [
        ("k=1/part-2.csv", b"third"),
        ("part-0.csv", b"first"),
        ("part-1.csv", b"second"),
    ]
    assert found.name == "table"
    assert [(each.path, each.size, each.version_id) for each in found.objects] == [
        ("k=1/part-2.csv", 5, "1"),
        ("part-0.csv", 5, "2"),
        ("part-1.csv", 6, "1"),
    ]


def test_the_same_objects_make_the_same_archive(stored: Store) -> None:
    """To the byte: nothing of the day is in it."""
    assert stored.objects
    once, again = (
        fetch_folder.from_s3(URI, wanted=everything, max_bytes=100).file.read() for _ in range(2)
    )
    assert once == again


def test_more_files_than_are_asked_for_at_once_keep_their_order(stored: Store) -> None:
    """Those that are ahead wait for the one before them."""
    for number in range(50):
        stored.put_object(Bucket="b", Key=f"many/{number:02}", Body=str(number))
    found = fetch_folder.from_s3("s3://b/many/", wanted=everything, max_bytes=1000)
    with zipfile.ZipFile(io.BytesIO(found.file.read())) as archive:
        assert [archive.read(name).decode() for name in archive.namelist()] == [
            str(number) for number in range(50)
        ]


def test_a_folder_with_nothing_to_read_is_not_found(stored: Store) -> None:
    """Neither one that is not there, nor one of which nothing is asked for."""
    assert stored.objects
    with pytest.raises(fetch.SourceNotFoundError, match=r"s3://b/none/ holds no file"):
        fetch_folder.listed("s3://b/none/")
    with pytest.raises(fetch.SourceNotFoundError, match=r"source\.member"):
        fetch_folder.from_s3(URI, wanted=lambda _: [], max_bytes=100)


def test_too_much_is_refused_unread(stored: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes of what is asked for, and files."""
    asked: list[str] = []
    monkeypatch.setattr(stored, "get_object", lambda **request: asked.append(request["Key"]))
    with pytest.raises(fetch.SourceTooLargeError, match="15 bytes"):
        fetch_folder.from_s3(URI, wanted=everything, max_bytes=15)
    monkeypatch.setattr(fetch_folder, "MOST_FILES", 2)
    with pytest.raises(fetch.SourceTooLargeError, match="more than 2 files"):
        fetch_folder.from_s3(URI, wanted=everything, max_bytes=100)
    assert not asked


def test_an_object_that_changes_meanwhile_is_told(
    stored: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder that was listed is the one that is read, or nothing is."""
    listed = stored.paginate

    def changing(**request: Any) -> Any:
        yield from listed(**request)
        stored.put_object(Bucket="b", Key="uploads/table/part-1.csv", Body=b"longer than it was")

    monkeypatch.setattr(stored, "paginate", changing)
    with pytest.raises(fetch.SourceUnreachableError, match=r"part-1\.csv changed"):
        fetch_folder.from_s3(URI, wanted=everything, max_bytes=100)


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("AccessDenied", 403, "SourceDeniedError"),
        ("NoSuchBucket", 404, "SourceNotFoundError"),
        ("SlowDown", 503, "SourceUnreachableError"),
    ],
)
def test_what_s3_answers_is_named(
    stored: Store, monkeypatch: pytest.MonkeyPatch, code: str, status: int, error: str
) -> None:
    """While it is listed, and while a file is read."""

    def failing(**_: object) -> Any:
        raise client_error(code, "no", "ListObjectsV2", status)

    for operation in ("get_object", "paginate"):
        monkeypatch.setattr(stored, operation, failing)
        with pytest.raises(getattr(fetch, error)):
            fetch_folder.from_s3(URI, wanted=everything, max_bytes=100)


def test_as_many_files_are_listed_as_are_read() -> None:
    """The plan's bundle has no `data_prep`: the two agree by this."""
    assert fetch_folder.MOST_FILES == naming.MOST_PARTS
