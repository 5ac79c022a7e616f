"""What functions with libraries cost before they work: their bundles' sizes, and their imports.

    .venv/bin/python -m benchmarks.cold_start [--runs N]

Builds the bundles for both architectures as `make bundle` does, and imports them, unzipped and
without `.pyc` files as Lambda gets them, with Python 3.13, in new processes. boto3 is not in them:
Lambda's runtime brings it.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import NamedTuple

from stacks.bundling import BUNDLES, PYTHON_VERSION, Architecture, size_of

ARCHITECTURES: tuple[Architecture, ...] = ("x86_64", "arm64")
# Lambda's name of what `platform.machine` calls this machine.
MACHINES: dict[str, Architecture] = {
    "AMD64": "x86_64",
    "x86_64": "x86_64",
    "aarch64": "arm64",
    "arm64": "arm64",
}


class Function(NamedTuple):
    """A function, and what is promised of it.

    Attributes:
        bundle: What it ships.
        megabytes: Unzipped, at most.
        seconds: Of the processor for its imports, at most.
        imports: Modules, and what needs them.
    """

    bundle: str
    megabytes: int
    seconds: float
    imports: dict[str, str]


FUNCTIONS = (
    Function(
        bundle="prepare",
        megabytes=170,
        seconds=0.4,
        imports={
            "data_prep": "a small file needs no more",
            "data_prep.bulk": "for large files: numpy and pyarrow",
            "data_prep.bulk, data_prep.formats.parquet": "for Parquet",
        },
    ),
    Function(
        bundle="evaluate",
        megabytes=65,
        seconds=0.5,
        imports={"numpy, jinja2": "all that it needs beside boto3"},
    ),
)
_TIMED = """
import sys, time
sys.path.insert(0, sys.argv[1])
passed, busy = time.perf_counter(), time.process_time()
import {modules}
print(time.perf_counter() - passed, time.process_time() - busy)
"""


def find_python() -> str | None:
    """Return Lambda's Python, from the PATH or among pyenv's."""
    found = [shutil.which(f"python{PYTHON_VERSION}") or ""]
    found += map(str, Path.home().glob(f".pyenv/versions/{PYTHON_VERSION}*/bin/python"))
    for candidate in filter(None, found):
        command = [candidate, "--version"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode == 0 and f" {PYTHON_VERSION}." in done.stdout:
            return candidate
    return None


def measure(python: str, folder: Path, modules: str, runs: int) -> tuple[float, float]:
    """Import modules in new processes; return median seconds, passed and of the processor."""
    command = [python, "-I", "-B", "-c", _TIMED.format(modules=modules), str(folder)]
    # As `lambda/prepare/run.py` sets it.
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    figures = []
    for run in range(runs + 1):
        done = subprocess.run(  # noqa: S603
            command, check=True, capture_output=True, text=True, env=environment
        )
        if run:  # the first fills the page cache
            figures.append(tuple(map(float, done.stdout.split())))
    return median(each[0] for each in figures), median(each[1] for each in figures)


def main() -> None:
    """Measure and print; fail when more is taken than is promised."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.cold_start", description="The cold starts of functions."
    )
    parser.add_argument("--runs", type=int, default=7, help="timed imports of each (default 7)")
    runs = parser.parse_args().runs
    python = find_python()
    here = MACHINES.get(platform.machine())
    if python is None or here is None or sys.platform != "linux":
        raise SystemExit(f"Imports need Linux and Python {PYTHON_VERSION}, Lambda's.")
    too_much: list[str] = []
    for each in FUNCTIONS:
        bundle = BUNDLES[each.bundle]
        for architecture in ARCHITECTURES:
            bundle.build(architecture)
            size = size_of(bundle.stage(architecture)) / 1e6
            promised = f"(promised: {each.megabytes})"
            print(f"{each.bundle} for {architecture}: {size:.0f} MB unzipped {promised}")
            too_much += [f"{each.bundle}, {architecture}"] if size >= each.megabytes else []
        folder = bundle.stage(here)
        for modules, what in each.imports.items():
            passed, busy = measure(python, folder, modules, runs)
            print(f"import {modules}: {passed:.3f} s, {busy:.3f} s of the processor ({what})")
            too_much += [modules] if busy >= each.seconds else []
    if too_much:
        raise SystemExit(f"More than promised: {', '.join(too_much)}")


if __name__ == "__main__":
    main()
