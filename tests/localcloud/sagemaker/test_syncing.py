"""A folder that a container writes is copied to S3 while it runs, and once more at the end."""

import threading
from pathlib import Path
from typing import Any

import pytest

from localcloud.sagemaker import syncing
from localcloud.sagemaker.errors import JobError
from localcloud.sagemaker.storage import Location
from localcloud.sagemaker.syncing import Mirror
from tests.support import client_error


class Storage:
    """S3 in a dictionary, by key; it notes what is put, and may refuse."""

    def __init__(self, **objects: bytes) -> None:
        self.objects = {key.replace("__", "/"): body for key, body in objects.items()}
        self.put_keys: list[str] = []
        self.refuses = False
        self.was_put = threading.Event()

    def keys(self, location: Location) -> list[str]:
        """The keys below a prefix."""
        if self.refuses:
            raise client_error("NoSuchBucket", "No.", "ListObjectsV2", 404)
        return [key for key in self.objects if key.startswith(location.key)]

    def fetch(self, location: Location, target: Path) -> None:
        """Write an object into a file."""
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(self.objects[location.key])

    def put(self, source: Path, location: Location) -> None:
        """Store a file."""
        if self.refuses:
            raise JobError("ClientError: no such bucket")
        self.objects[location.key] = source.read_bytes()
        self.put_keys.append(location.key)
        self.was_put.set()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is looked at when a test asks for it, or at the end."""
    monkeypatch.setattr(syncing, "_SECONDS", 3600.0)
    return tmp_path / "checkpoints"


def mirror(storage: Any, folder: Path, *, fetch: bool = False, key: str = "cp") -> Mirror:
    """A mirror of the folder."""
    return Mirror(storage, folder, Location("bucket", key), fetch=fetch)


def test_new_and_changed_files_are_sent_and_others_are_not(folder: Path) -> None:
    """By size and time of change; folders become parts of keys."""
    storage = Storage()
    with mirror(storage, folder) as sync:
        (folder / "deep").mkdir()
        (folder / "deep" / "a").write_bytes(b"1")
        (folder / "b").write_bytes(b"2")
        sync.send()
        assert sorted(storage.put_keys) == ["cp/b", "cp/deep/a"]
        sync.send()
        assert len(storage.put_keys) == 2
        (folder / "b").write_bytes(b"22")
        sync.send()
        assert storage.put_keys[2:] == ["cp/b"]
    assert storage.objects == {"cp/deep/a": b"1", "cp/b": b"22"}


def test_what_a_container_is_still_writing_stays_here(folder: Path) -> None:
    """It says so by the name's end."""
    storage = Storage()
    with mirror(storage, folder):
        (folder / "a.sagemaker-ignore").write_bytes(b"half")
    assert storage.objects == {}


def test_leaving_sends_what_was_written_last(folder: Path) -> None:
    """What was removed here stays in S3."""
    storage = Storage()
    with mirror(storage, folder) as sync:
        (folder / "first").write_bytes(b"1")
        sync.send()
        (folder / "first").unlink()
        (folder / "last").write_bytes(b"2")
    assert storage.objects == {"cp/first": b"1", "cp/last": b"2"}


def test_files_are_sent_while_a_job_runs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody needs to ask."""
    monkeypatch.setattr(syncing, "_SECONDS", 0.01)
    storage = Storage()
    with mirror(storage, folder):
        (folder / "a").write_bytes(b"1")
        assert storage.was_put.wait(20)


def test_what_is_there_already_comes_first_and_is_not_sent_back(folder: Path) -> None:
    """Only what lies below the prefix as below a folder: `cp2` does not begin with `cp/`."""
    storage = Storage(cp__old=b"1", cp__deep__older=b"2", cp2__other=b"3")
    with mirror(storage, folder, fetch=True):
        found = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }
        assert found == {"old": b"1", "deep/older": b"2"}
    assert storage.put_keys == []


def test_a_whole_bucket_may_be_what_is_there(folder: Path) -> None:
    """An empty prefix is no folder of an empty name."""
    with mirror(Storage(old=b"1"), folder, fetch=True, key=""):
        assert (folder / "old").read_bytes() == b"1"


def test_what_is_there_is_not_fetched_unasked(folder: Path) -> None:
    """An output's folder begins empty."""
    with mirror(Storage(cp__old=b"1"), folder):
        assert list(folder.iterdir()) == []


def test_a_refusal_at_the_beginning_is_the_jobs_failure(folder: Path) -> None:
    """With the place that could not be read."""
    storage = Storage()
    storage.refuses = True
    with (
        pytest.raises(JobError, match="ClientError: Data download failed: s3://bucket/cp/: "),
        mirror(storage, folder, fetch=True),
    ):
        pytest.fail("nothing may run without its checkpoints")


def test_a_refusal_at_the_end_is_the_jobs_failure(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One meanwhile is not: the end tries once more."""
    monkeypatch.setattr(syncing, "_SECONDS", 0.01)
    storage = Storage()
    storage.refuses = True
    sync = mirror(storage, folder)
    sync.__enter__()
    (folder / "a").write_bytes(b"1")
    sync._thread.join(20)
    assert not sync._thread.is_alive()
    with pytest.raises(JobError, match="no such bucket"):
        sync.__exit__()
