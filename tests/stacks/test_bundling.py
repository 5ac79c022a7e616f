"""Functions ship their own code and exactly the packages they import, within Lambda's limit."""

import ast
import hashlib
import platform
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stacks.bundling import (
    BUNDLES,
    LIMIT_BYTES,
    Architecture,
    Bundle,
    BundleMissingError,
    size_of,
)
from tests.support import ROOT

pytestmark = pytest.mark.process

# Lambda's runtime brings it.
RUNTIME = {"boto3", "botocore", "urllib3"}
# Where a distribution's name is not its module's.
MODULES = {"scikit-learn": "sklearn"}


def imported(bundle: Bundle) -> set[str]:
    """The top-level modules its code imports that are neither ours nor the standard library's."""
    found = set()
    for path in bundle.sources():
        if path.suffix != ".py":
            continue
        for node in _running(ast.parse((ROOT / path).read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                found.add(node.module.split(".")[0])
    # pydantic brings pydantic_core, which defines its errors.
    return found - set(sys.stdlib_module_names) - RUNTIME - {"data_prep", "pydantic_core"}


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """Every node that runs: what stands under `if TYPE_CHECKING` does not."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield from _running(child)


@pytest.mark.parametrize("name", BUNDLES)
def test_a_function_locks_what_it_imports(name: str) -> None:
    """Nothing is missing on AWS, and nothing is shipped in vain."""
    bundle = BUNDLES[name]
    source = bundle.lock.with_suffix(".in")
    asked = set(source.read_text().split()) if source.exists() else set()
    assert imported(bundle) == {MODULES.get(each, each) for each in asked}


@pytest.mark.parametrize("name", [name for name in BUNDLES if BUNDLES[name].lock.exists()])
def test_pip_builds_a_bundle_that_lambda_takes(name: str) -> None:
    """The real wheels for Lambda's platform, our code beside them, under the unzipped limit."""
    bundle = BUNDLES[name]
    bundle.build("x86_64")
    folder = bundle.stage("x86_64")
    assert 0 < size_of(folder) < LIMIT_BYTES
    assert (folder / "lambda" / name / "handler.py").exists()
    assert not list(folder.rglob("__pycache__"))
    libraries = {path.name for path in folder.rglob("*.so")}
    assert libraries
    assert not [each for each in libraries if "cpython" in each and "cpython-313" not in each]


@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_preparation_starts_small(architecture: Architecture) -> None:
    """The function that carries pyarrow stays below 170 MB on both architectures."""
    bundle = BUNDLES["prepare"]
    bundle.build(architecture)
    assert size_of(bundle.stage(architecture)) < 170e6


def test_a_bundle_is_built_the_same_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two builds from one lock file have the same files with the same bytes."""
    digests = []
    bundle = BUNDLES["prepare"]
    built = bundle.build("x86_64")
    monkeypatch.setattr("stacks.bundling.BUILD", tmp_path)
    for folder in (built, bundle.build("x86_64")):
        digest = hashlib.sha256()
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
        digests.append(digest.hexdigest())
    assert digests[0] == digests[1]


_WORKS = """
import io
import data_prep.bulk, data_prep.formats.parquet
from data_prep import Limits, Wanted, prepare
import pyarrow as pa, pyarrow.parquet as pq
rows = [(n * 0.5, n % 7, "xy"[n % 2]) for n in range(200)]
text = "a,b,class\\n" + "".join("%r,%r,%s\\n" % row for row in rows)
sink = io.BytesIO()
pq.write_table(pa.table(dict(zip(("a", "b", "class"), map(list, zip(*rows))))), sink)
made = [
    prepare(io.BytesIO(content), name=name, wanted=Wanted(positive="x"), limits=limits).files
    for content, name, limits in (
        (text.encode(), "t.csv", Limits()),
        (text.encode(), "t.csv", Limits(small_bytes=0)),
        (sink.getvalue(), "t.parquet", Limits(small_bytes=0)),
    )
]
assert made[0] == made[1] == made[2]
"""


def test_the_trimmed_bundle_works_under_lambdas_python(tmp_path: Path) -> None:
    """From nothing but its bundle and Python 3.13, the function prepares text and Parquet alike."""
    python = lambdas_python()
    if python is None:
        pytest.skip("Python 3.13, Lambda's, is not on this machine")
    if platform.machine() != "x86_64" or sys.platform != "linux":
        pytest.skip("the bundle built here is for x86_64 Linux")
    bundle = BUNDLES["prepare"]
    bundle.build("x86_64")
    command = [python, "-I", "-B", "-c", f"import sys; sys.path.insert(0, sys.argv[1])\n{_WORKS}"]
    done = subprocess.run(
        [*command, str(bundle.stage("x86_64"))], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def lambdas_python() -> str | None:
    """Find a Python 3.13 that starts, on the PATH or among pyenv's."""
    found = [shutil.which("python3.13") or ""]
    found += map(str, Path.home().glob(".pyenv/versions/3.13*/bin/python3.13"))
    for candidate in filter(None, found):
        done = subprocess.run([candidate, "--version"], capture_output=True, text=True, check=False)
        if done.returncode == 0 and done.stdout.startswith("Python 3.13"):
            return candidate
    return None


def test_a_local_bundle_is_our_code_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The local cloud takes packages from the project's environment."""
    monkeypatch.setattr("stacks.bundling.BUILD", tmp_path)
    folder = BUNDLES["evaluate"].stage(None)
    assert {path.name for path in folder.iterdir()} == {"lambda"}
    assert not list(folder.rglob("requirements*"))


def test_bundles_staged_at_the_same_moment_do_not_meet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is second finds the first one's folder and uses it."""
    monkeypatch.setattr("stacks.bundling.BUILD", tmp_path)
    both = threading.Barrier(2, timeout=30)
    copy = shutil.copyfile

    def copy_together(source: Path, target: Path) -> Path:
        if source.name == "handler.py":
            both.wait()
        return copy(source, target)

    monkeypatch.setattr("shutil.copyfile", copy_together)
    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(BUNDLES["predict"].stage, (None, None))
    assert first == second
    assert (first / "lambda/predict/handler.py").is_file()
    assert list(first.parent.iterdir()) == [first]


def test_synthesis_for_aws_asks_for_missing_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Synthesis never reaches for the network itself; it says what to run."""
    monkeypatch.setattr("stacks.bundling.BUILD", tmp_path)
    with pytest.raises(BundleMissingError, match=r"'plan'.*python -m stacks\.bundling"):
        BUNDLES["plan"].stage("x86_64")
    assert not list((tmp_path / "functions").iterdir())


def test_a_bundle_is_known_by_its_content() -> None:
    """Architecture and packages count; the same tree gives the same digest."""
    bundle = BUNDLES["plan"]
    digests = {bundle.digest(None), bundle.digest("x86_64"), bundle.digest("arm64")}
    assert len(digests) == 3
    assert bundle.digest("arm64") in digests


def test_prepare_ships_the_pure_room_beside_its_handler() -> None:
    """`data_prep` goes with the one function that uses it."""
    shipped = {path.parts[0] for path in BUNDLES["prepare"].sources()}
    assert shipped == {"lambda", "data_prep"}
    assert {path.parts[0] for path in BUNDLES["plan"].sources()} == {"lambda"}
