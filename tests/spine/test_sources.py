"""Where a run's data comes from."""

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from spine import sources
from spine.errors import UsageError
from spine.samples import SAMPLE
from spine.sources import Local, Probe, Remote


class Answer(BaseHTTPRequestHandler):
    """Answers HEAD with the status that the path names."""

    def do_HEAD(self) -> None:
        """Answer."""
        self.send_response(int(self.path.strip("/")))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    """The address of a server on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.mark.parametrize("status", [200, 405])
def test_a_host_that_answers_is_reachable(server: str, status: int) -> None:
    """Any answer that does not deny the file counts, also one that only dislikes HEAD."""
    assert Probe(f"{server}/{status}").reason() is None


def test_an_answer_that_denies_the_file_is_the_reason(server: str) -> None:
    """A proxy's or server's refusal counts as unreachable, and says which."""
    reason = Probe(f"{server}/403").reason()
    assert reason is not None
    assert "403" in reason


def test_a_refused_connection_is_the_reason() -> None:
    """Nobody listens: the reason is in words."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert Probe(f"http://127.0.0.1:{port}/").reason() == "Connection refused"


def test_a_host_that_never_answers_costs_no_more_than_the_time_allowed() -> None:
    """A connection that is accepted and then silent ends by the clock."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        began = time.monotonic()
        reason = Probe(f"http://127.0.0.1:{silent.getsockname()[1]}/", seconds=0.3).reason()
        assert reason is not None
        assert time.monotonic() - began < 10


def test_a_name_server_that_never_answers_costs_no_more_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Name resolution knows no time-out of its own; the probe does not wait for it."""
    over = threading.Event()

    def resolve(*_: object, **__: object) -> None:
        over.wait(30)
        raise socket.gaierror(socket.EAI_AGAIN, "try again")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    began = time.monotonic()
    assert Probe("https://host.invalid/", seconds=0.2).reason() == "no answer within 0.2 s"
    assert time.monotonic() - began < 10
    over.set()


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


def test_only_the_bundled_sample_itself_is_called_synthetic() -> None:
    """The label follows the content: a file of the same name is not labelled."""
    key = sources.upload_key(SAMPLE, sources.sha256_of(SAMPLE))
    assert sources.is_synthetic(f"s3://bucket/{key}")
    assert not sources.is_synthetic(f"s3://bucket/uploads/0123456789ab/{SAMPLE.name}")
    assert not sources.is_synthetic(None)


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
