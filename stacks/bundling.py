"""The functions' packages: our own code, and for Lambda the third-party packages each one imports.

`python -m stacks.bundling` (the `build` command of `cdk.json`, so `cdk deploy` runs it first) has
pip download wheels for Lambda's platform into `build/`; there is no Docker and nothing to compile.
A function's packages are locked in `lambda/<name>/requirements.txt`, hashes included. Synthesis
then only copies, so it needs no network and gives the same template every time.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal

from stacks import images

Architecture = Literal["x86_64", "arm64"]

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
PYTHON_VERSION = "3.13"

# "The deployment package size (unzipped), including layers", AWS Lambda quotas.
LIMIT_BYTES = 250 * 1024 * 1024

# What pip may choose: Lambda runs python3.13 on Amazon Linux 2023, whose glibc is 2.34.
_PLATFORMS: dict[Architecture, tuple[str, ...]] = {
    "x86_64": ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
    "arm64": ("manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64"),
}

# Never imported by a running function. Not on the list, though they look idle: the shared libraries
# in *.libs (stripping them breaks OpenBLAS).
_UNUSED_FOLDERS = ("tests", "__pycache__", "numpy/f2py")
_UNUSED_SUFFIXES = (".pyc", ".pyi", ".pyx", ".pxd", ".h", ".c", ".cpp")
# Of single packages, by patterns below the bundle. pyarrow's own libraries name each other as
# needed (readelf -d), substrait, dataset and acero among them, so those stay; what goes is what
# only optional modules load, and copies of a library under other names than it is loaded by.
_UNUSED_PATTERNS = (
    "pyarrow/include",
    "pyarrow/src",
    "pyarrow/*.pxi",
    "pyarrow/includes",
    "pyarrow/lib*_flight*",
    "pyarrow/libarrow_s3*",
    "pyarrow/libarrow_python.so",
    "pyarrow/libarrow_python.so.*.*.*",
    "pyarrow/_azurefs*",
    "pyarrow/_dataset_orc*",
    "pyarrow/_flight*",
    "pyarrow/_gcsfs*",
    "pyarrow/_hdfs*",
    "pyarrow/_orc*",
    "pyarrow/_pyarrow_cpp_tests*",
    "pyarrow/_s3fs*",
    "pyarrow/_substrait*",
    "numpy/*/lib/*.a",
)
# Part of every vendor folder's identity: a change to the lists above makes new folders.
_TRIM = repr((_UNUSED_FOLDERS, _UNUSED_SUFFIXES, _UNUSED_PATTERNS))


class BundleMissingError(RuntimeError):
    """A function's third-party packages have not been built for this lock file."""


class BundleTooLargeError(RuntimeError):
    """A function would not fit into Lambda."""


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """What one function ships.

    Attributes:
        name: Its folder under `lambda/`.
        packages: Folders of our own code, beside `lambda/<name>` and `lambda/common`.
        locked: The function whose lock it shares; it has its own when left out.
        python: The version that its third-party packages are built for.
    """

    name: str
    packages: tuple[str, ...] = ()
    locked: str | None = None
    python: str = PYTHON_VERSION

    @property
    def lock(self) -> Path:
        """Its third-party packages; the file does not exist where there are none."""
        return ROOT / "lambda" / (self.locked or self.name) / "requirements.txt"

    def sources(self) -> Iterator[Path]:
        """Our own files, relative to the project, in a stable order."""
        for folder in (f"lambda/{self.name}", "lambda/common", *self.packages):
            for path in sorted((ROOT / folder).rglob("*")):
                if (
                    path.is_file()
                    and path.suffix != ".pyc"
                    and not path.name.startswith("requirements")
                ):
                    yield path.relative_to(ROOT)

    def digest(self, architecture: Architecture | None) -> str:
        """Identify the content: our code, and with an architecture the packages built for it."""
        digest = hashlib.sha256()
        for path in self.sources():
            digest.update(f"{path.as_posix()}\0".encode() + (ROOT / path).read_bytes() + b"\0")
        if architecture is not None and self.lock.exists():
            digest.update(self._vendor_digest(architecture).encode())
        return digest.hexdigest()

    def _vendor_digest(self, architecture: Architecture) -> str:
        platform = f"{self.python} {_PLATFORMS[architecture]} {_TRIM}"
        return hashlib.sha256(self.lock.read_bytes() + platform.encode()).hexdigest()

    def vendor(self, architecture: Architecture) -> Path:
        """Where its third-party packages for an architecture lie once built."""
        return (
            BUILD
            / "vendor"
            / f"{self.name}-{architecture}-{self._vendor_digest(architecture)[:16]}"
        )

    def stage(self, architecture: Architecture | None) -> Path:
        """Lay out the folder that CDK uploads.

        Args:
            architecture: With the third-party packages built for it; None for our code alone.

        Raises:
            BundleMissingError: The packages have not been built yet.
        """
        digest = self.digest(architecture)
        target = BUILD / "functions" / f"{self.name}-{digest[:16]}"
        if target.exists():
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            content = Path(scratch) / "content"
            content.mkdir()
            if architecture is not None and self.lock.exists():
                if not self.vendor(architecture).exists():
                    raise BundleMissingError(
                        f"The packages of function {self.name!r} are not built for {architecture}. "
                        f"Run: python -m stacks.bundling --architecture {architecture}"
                    )
                shutil.copytree(self.vendor(architecture), content, dirs_exist_ok=True)
            for path in self.sources():
                (content / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / path, content / path)
            # What Python runs when it is given the archive.
            main = content / "lambda" / self.name / "__main__.py"
            if main.exists():
                shutil.copyfile(main, content / main.name)
            _publish(content, target)
        return target

    def build(self, architecture: Architecture) -> Path:
        """Have pip install the third-party packages for Lambda, unless they already lie there.

        Raises:
            BundleTooLargeError: Packages and code together exceed Lambda's limit.
            subprocess.CalledProcessError: pip failed; it has said why on standard error.
        """
        vendor = self.vendor(architecture)
        if not vendor.exists():
            vendor.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=vendor.parent) as scratch:
                content = Path(scratch) / "content"
                self._pip(architecture, content)
                _trim(content)
                _publish(content, vendor)
        size = size_of(vendor) + sum((ROOT / path).stat().st_size for path in self.sources())
        if size > LIMIT_BYTES:
            raise BundleTooLargeError(
                f"Function {self.name!r} is {size:,} bytes unzipped for {architecture}; "
                f"Lambda takes {LIMIT_BYTES:,}. Shorten {self.lock.with_suffix('.in')}"
            )
        return vendor

    def _pip(self, architecture: Architecture, target: Path) -> None:
        platforms = [f"--platform={platform}" for platform in _PLATFORMS[architecture]]
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        command += ["--no-compile", "--no-deps", "--require-hashes", "--only-binary=:all:"]
        command += [f"--python-version={self.python}", "--implementation=cp", *platforms]
        command += [f"--target={target}", f"--requirement={self.lock}"]
        subprocess.run(command, check=True)  # noqa: S603 (our own words only)


# boto3 comes with Lambda's runtime.
BUNDLES = {
    bundle.name: bundle
    for bundle in (
        Bundle(name="plan", packages=("lambda/algorithms",)),
        Bundle(name="prepare", packages=("lambda/algorithms", "data_prep")),
        Bundle(name="predict", packages=("lambda/algorithms",)),
        Bundle(name="evaluate", packages=("lambda/algorithms",)),
        Bundle(name="cleanup"),
        Bundle(name="publish"),
        Bundle(name="start"),
    )
}
# The code of the prepare function once more, for processing jobs: SageMaker's instances have an
# x86_64 processor, and its images this Python and boto3.
JOB = Bundle(
    name="prepare_job",
    packages=("lambda/prepare", "lambda/algorithms", "data_prep"),
    locked="prepare",
    python=images.PREPARATION_PYTHON,
)
JOB_ARCHITECTURE: Architecture = "x86_64"


def _publish(content: Path, target: Path) -> None:
    """Rename a complete folder into place, so that an interrupted copy is never taken for one."""
    try:
        content.rename(target)
    except OSError:
        # Another process was quicker; the name holds the content's digest, so theirs is the same.
        if not target.is_dir():
            raise


def size_of(folder: Path) -> int:
    """The bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _trim(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder).as_posix()
        if path.is_dir() and any(f"/{relative}".endswith(f"/{name}") for name in _UNUSED_FOLDERS):
            shutil.rmtree(path)
        elif path.is_file() and path.suffix in _UNUSED_SUFFIXES:
            path.unlink()
    for pattern in _UNUSED_PATTERNS:
        for path in sorted(folder.glob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
    # Command-line entry points have no use in a function.
    shutil.rmtree(folder / "bin", ignore_errors=True)


def main() -> None:
    """Build every function's packages, saying how large each is."""
    parser = argparse.ArgumentParser(
        prog="python -m stacks.bundling",
        description="Build the functions' packages for AWS Lambda, by pip, without Docker.",
    )
    parser.add_argument(
        "--architecture", choices=list(_PLATFORMS), help="default: those the stages in cdk.json use"
    )
    chosen = parser.parse_args().architecture
    wanted = [*product([chosen] if chosen else _in_use(), BUNDLES.values())]
    for architecture, bundle in (*wanted, (JOB_ARCHITECTURE, JOB)):
        if bundle.lock.exists() and not bundle.vendor(architecture).exists():
            print(
                f"Building {bundle.name} for Python {bundle.python}, {architecture} ...", flush=True
            )
            size = size_of(bundle.build(architecture)) / 1e6
            print(f"{bundle.name}: {size:.0f} MB of third-party packages", flush=True)


def _in_use() -> list[Architecture]:
    stages = json.loads((ROOT / "cdk.json").read_text())["context"]["stages"]
    return sorted({stage.get("architecture", "x86_64") for stage in stages.values()})


if __name__ == "__main__":
    main()
