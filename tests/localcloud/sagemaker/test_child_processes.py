"""Child processes: what they inherit and how they end."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from localcloud.sagemaker.child_processes import Processes, describe_exit
from localcloud.sagemaker.errors import JobError
from localcloud.sagemaker.settings import Settings
from localcloud.sagemaker.storage import Location, Storage
from tests.localcloud.sagemaker.cloud import BUCKET, Cloud

pytestmark = pytest.mark.process

# Any module that runs a statement would do.
MODULE = "timeit"
SHOW = ["-n1", "-r1", "import json, os; open('seen', 'w').write(json.dumps(dict(os.environ)))"]


def test_containers_inherit_no_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container sees what it is given, and nothing of the process's own environment."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    processes = Processes()
    process = processes.start(
        MODULE, SHOW, folder=tmp_path, environment={"GIVEN": "yes", "PYTHONPATH": "/elsewhere"}
    )
    assert process.wait(20) == 0
    environment = json.loads((tmp_path / "seen").read_text())
    assert environment["GIVEN"] == "yes"
    assert environment["HOME"] == str(tmp_path)
    assert environment["PYTHONPATH"] != "/elsewhere"
    assert not [name for name in environment if name.startswith("AWS_")]


def test_nothing_starts_after_the_end(tmp_path: Path) -> None:
    """A process that is shutting down starts no child."""
    processes = Processes()
    processes.close()
    with pytest.raises(RuntimeError, match="shutting down"):
        processes.start(MODULE, SHOW, folder=tmp_path, environment={})


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (1, "exit code: 1"),
        (-9, "killed by SIGKILL, exit code: 137"),
        (-15, "killed by SIGTERM, exit code: 143"),
    ],
)
def test_ends_are_described(code: int, text: str) -> None:
    """A signal is named, with the exit code that a container would show."""
    assert describe_exit(code) == text


@pytest.mark.parametrize("name", ["../outside", "/outside", "link"])
def test_archives_stay_in_their_folder(
    cloud: Cloud, s3_url: str, tmp_path: Path, name: str
) -> None:
    """A model archive with a link, or a file outside, is refused and writes nothing there."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo(name)
        if name == "link":
            member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(member)
    cloud.put("model/hostile.tar.gz", packed.getvalue())
    storage = Storage(Settings(jobs=tmp_path, aws_endpoint=s3_url))
    folder = tmp_path / "job" / "model"
    folder.mkdir(parents=True)

    with pytest.raises(JobError, match="Failed to extract model data archive"):
        storage.fetch_model(Location(BUCKET, "model/hostile.tar.gz"), folder)

    assert not list(folder.iterdir())
    assert not (tmp_path / "job" / "outside").exists()
