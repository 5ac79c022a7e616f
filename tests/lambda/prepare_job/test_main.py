"""What a processing job starts: the archive unpacks itself and goes on as its engine says."""

import importlib.util
import os
import sys
import zipfile
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.support import ROOT


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The file as Python runs it out of the archive, in a job's folder."""
    archive = tmp_path / "code.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("lambda/prepare_job/job.py", "")
        packed.writestr("__main__.py", "")
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path / "ml"))
    for name in ("TMPDIR", "PYTHONPATH"):
        monkeypatch.setenv(name, "before")
    monkeypatch.setattr(sys, "argv", [str(archive)])
    monkeypatch.setattr(sys, "path", [*sys.path])
    path = ROOT / "lambda" / "prepare_job" / "__main__.py"
    spec = importlib.util.spec_from_file_location("entry_of_the_job", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def jobs(started: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Path]]:
    """The jobs that are run, by engine and folder; each ends with code 3."""
    found: list[tuple[str, Path]] = []

    def main(engine: str, base: Path) -> int:
        found.append((engine, base))
        return 3

    def import_module(name: str) -> Any:
        assert name == "lambda.prepare_job.job"
        return SimpleNamespace(main=main)

    monkeypatch.setattr(started, "importlib", SimpleNamespace(import_module=import_module))
    return found


def test_one_instance_prepares_from_the_unpacked_code(
    started: ModuleType,
    jobs: list[tuple[str, Path]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With its temporary files on the volume that was asked for, and the job's exit code."""
    monkeypatch.setenv("ENGINE", "processing")
    assert started.main() == 3
    base = tmp_path / "ml"
    assert jobs == [("processing", base)]
    code = base / "processing" / "code"
    assert (code / "lambda" / "prepare_job" / "job.py").is_file()
    assert sys.path[0] == os.environ["PYTHONPATH"] == str(code)
    assert os.environ["TMPDIR"] == str(base / "processing" / "scratch")
    assert (base / "processing" / "scratch").is_dir()


def test_spark_becomes_the_program_of_its_image(
    started: ModuleType,
    jobs: list[tuple[str, Path]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """That makes a cluster, and runs this file again from where it was unpacked, as the driver."""

    class BecomesError(Exception):
        """The process is another program now."""

    def become(program: str, words: list[str]) -> None:
        raise BecomesError(program, words)

    monkeypatch.setenv("ENGINE", "spark")
    monkeypatch.setattr(os, "execvp", become)
    with pytest.raises(BecomesError) as became:
        started.main()
    unpacked = str(tmp_path / "ml" / "processing" / "code" / "__main__.py")
    words = ["smspark-submit", unpacked, "driver"]
    assert became.value.args == ("smspark-submit", words)
    assert Path(unpacked).is_file()
    assert jobs == []


def test_the_driver_prepares_with_spark(
    started: ModuleType, jobs: list[tuple[str, Path]], tmp_path: Path
) -> None:
    """It unpacks nothing: it runs from what was unpacked."""
    sys.argv[1:] = ["driver"]
    assert started.main() == 3
    assert jobs == [("spark", tmp_path / "ml")]
    assert not (tmp_path / "ml" / "processing").exists()
