"""The folder as a package of its own: what it needs, and that it runs elsewhere, alone."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.localcloud.sagemaker import cloud as client
from tests.localcloud.sagemaker.cloud import ROOT, Cloud

PACKAGE = ROOT / "localcloud" / "sagemaker"
# Modules whose distribution has another name.
_DISTRIBUTIONS = {"botocore": "boto3", "xgboost": "xgboost-cpu"}


def imported() -> set[str]:
    """Every absolute import of the package, by its full name."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {name.name for name in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                found.add(node.module)
    return {name for name in found if name.partition(".")[0] not in sys.stdlib_module_names}


def requirements(path: Path) -> set[str]:
    """The lines of a requirement list."""
    lines = (line.partition("#")[0].strip() for line in path.read_text().splitlines())
    return {line for line in lines if line}


def test_it_imports_nothing_of_the_rest_of_the_project() -> None:
    """Only itself, and what its own requirement list names, pinned as the project pins it."""
    names = imported()
    rooms = {
        name
        for name in names
        if name.split(".")[0]
        in ("localcloud", "spine", "stacks", "data_prep", "gates", "lambda", "tests")
    }
    assert {name for name in rooms if not name.startswith("localcloud.sagemaker")} == set()
    listed = requirements(PACKAGE / "requirements.in")
    needed = {name.partition(".")[0] for name in names - rooms}
    assert {_DISTRIBUTIONS.get(name, name) for name in needed} == {
        re.split(r"[<=>]", line)[0] for line in listed
    }
    assert listed <= requirements(ROOT / "requirements.in")


@pytest.mark.process
def test_it_runs_alone_in_an_empty_folder(
    s3_url: str, cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy without the project around it trains a model, which an endpoint of it serves."""
    (tmp_path / "localcloud").mkdir()
    # A package, so that the project's own, installed beside it, does not come before.
    (tmp_path / "localcloud" / "__init__.py").touch()
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, tmp_path / "localcloud" / "sagemaker", ignore=ignored)
    monkeypatch.setattr(client, "ROOT", tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    command = [
        sys.executable,
        "-c",
        "import localcloud.sagemaker.wire as wire; print(wire.__file__)",
    ]
    found = subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True, check=True)
    assert found.stdout.startswith(str(tmp_path))
    alone = client.start(s3_url, tmp_path)
    try:
        assert alone.train("alone")["TrainingJobStatus"] == "Completed"
        alone.create_model("alone", job="alone")
        alone.create_endpoint("alone", model="alone")
        assert alone.wait_for_endpoint("alone")["EndpointStatus"] == "InService"
        assert 0 < float(alone.invoke("alone", "1,2,3,4,5,6")["Body"].read()) < 1
        children = client.descendants(alone.process.pid)
        shown = Path(f"/proc/{children[0]}/environ")
        assert not shown.exists() or f"PYTHONPATH={tmp_path}" in shown.read_text()
    finally:
        client.stop(alone)
