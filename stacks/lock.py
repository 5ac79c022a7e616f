"""Compile every lock file from its `.in` file: `make lock`.

The functions' locks resolve within the project's own lock, so a function on AWS and the same
function on the local cloud import the same versions.
"""

import subprocess
import sys

from stacks.bundling import BUNDLES, PYTHON_VERSION, ROOT

_UV = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes"]
# The registry is the reader's business, not the lock file's.
_UV += ["--no-emit-index-url", "--custom-compile-command", "make lock"]
_OLDEST_PYTHON = "--python-version=3.11"


def main() -> None:
    """Compile the project's locks, the tools' beside it, and one for each function."""
    for name in ("requirements", "requirements-dev"):
        _compile(f"{name}.in", f"{name}.txt", _OLDEST_PYTHON)
    clients = "tests/sdk"
    _compile(f"{clients}/requirements-2.in", f"{clients}/requirements-2.txt", _OLDEST_PYTHON)
    options = [_OLDEST_PYTHON, f"--override={clients}/overrides-3.txt"]
    _compile(f"{clients}/requirements-3.in", f"{clients}/requirements-3.txt", *options)
    scanner = "gates/checkov/requirements"
    _compile(f"{scanner}.in", f"{scanner}.txt", _OLDEST_PYTHON)
    for name in ("build", "requirements"):
        spark = f"localcloud/sagemaker/containers/spark/{name}"
        _compile(f"{spark}.in", f"{spark}.txt", _OLDEST_PYTHON, "--constraint=requirements.txt")
    for bundle in BUNDLES.values():
        source = bundle.lock.with_suffix(".in").relative_to(ROOT)
        if (ROOT / source).exists():
            limits = [f"--python-version={PYTHON_VERSION}", "--constraint=requirements.txt"]
            _compile(str(source), str(source.with_suffix(".txt")), *limits)


def _compile(source: str, target: str, *options: str) -> None:
    command = [*_UV, *options, source, f"--output-file={target}"]
    subprocess.run(command, check=True, cwd=ROOT)  # noqa: S603 (our own words only)
    print(target)


if __name__ == "__main__":
    main()
