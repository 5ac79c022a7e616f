"""The lock files: `make lock` compiles each from its `.in` file, `--check` compares the two.

The functions' locks resolve within the project's own lock, so a function on AWS and the same
function on the local cloud import the same versions.
"""

import argparse
import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from stacks.bundling import BUNDLES, PYTHON_VERSION, ROOT

_UV = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes"]
# The registry is the reader's business, not the lock file's.
_UV += ["--no-emit-index-url", "--custom-compile-command", "make lock"]
_OLDEST_PYTHON = "--python-version=3.11"
_WITHIN_THE_PROJECTS = "--constraint=requirements.txt"
# Their package.json pins exact versions.
NPM = (ROOT, ROOT / "gates")
_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(?P<version>[^\s;]+)")


@dataclass(frozen=True)
class Lock:
    """One lock file.

    Attributes:
        source: Its `.in` file, from the project's root.
        options: What uv is told beside the two files.
    """

    source: str
    options: tuple[str, ...] = (_OLDEST_PYTHON,)

    @property
    def target(self) -> str:
        """The lock file, from the project's root."""
        return str(Path(self.source).with_suffix(".txt"))


def locks() -> Iterator[Lock]:
    """The project's lock files, the tools' beside them, and one for each function that has any."""
    yield Lock("requirements.in")
    yield Lock("requirements-dev.in")
    yield Lock("tests/sdk/requirements-2.in")
    yield Lock(
        "tests/sdk/requirements-3.in",
        (_OLDEST_PYTHON, "--override=tests/sdk/overrides-3.txt"),
    )
    yield Lock("gates/checkov/requirements.in")
    for name in ("build", "requirements"):
        spark = f"localcloud/sagemaker/containers/spark/{name}.in"
        yield Lock(spark, (_OLDEST_PYTHON, _WITHIN_THE_PROJECTS))
    for bundle in BUNDLES.values():
        source = bundle.lock.with_suffix(".in").relative_to(ROOT)
        if (ROOT / source).exists():
            yield Lock(str(source), (f"--python-version={PYTHON_VERSION}", _WITHIN_THE_PROJECTS))


def main(arguments: list[str] | None = None) -> int:
    """Compile every lock file, or with `--check` print which do not match; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, change nothing, no network")
    if parser.parse_args(arguments).check:
        found = [problem for lock in locks() for problem in problems(lock)]
        found += [problem for folder in NPM for problem in npm_problems(folder)]
        for problem in found:
            print(problem, file=sys.stderr)
        return 1 if found else 0
    for lock in locks():
        command = [*_UV, *lock.options, lock.source, f"--output-file={lock.target}"]
        subprocess.run(command, check=True, cwd=ROOT)  # noqa: S603 (our own words only)
        print(lock.target)
    return 0


def problems(lock: Lock, root: Path = ROOT) -> list[str]:
    """Where a lock file does not hold what its `.in` file asks for, in sentences.

    uv writes below each version who asked for it, so that what was taken out of the `.in` file
    shows, too. Nothing is resolved: whether a newer version is there is not looked for.
    """
    text = (root / lock.source).read_text()
    asked = _asked(text)
    locked, direct = _pins((root / lock.target).read_text(), lock.source)
    found = [
        f"lacks {name}, which {lock.source} asks for" for name in asked if name not in direct
    ] + [
        f"holds {name} for {lock.source}, which does not ask for it"
        for name in sorted(direct - asked.keys())
    ]
    found += [
        f"holds {name} {version}, {lock.source} asks for {asked[name]}"
        for name in sorted(direct & asked.keys())
        for version in sorted(locked[name])
        if not asked[name].contains(version, prereleases=True)
    ]
    if _WITHIN_THE_PROJECTS in lock.options or "-c requirements.txt" in text:
        projects, _ = _pins((root / "requirements.txt").read_text(), "requirements.in")
        found += [
            f"holds {name} {version}, requirements.txt holds {', '.join(sorted(projects[name]))}"
            for name, versions in locked.items()
            for version in sorted(versions - projects.get(name, versions))
        ]
    return [f"{lock.target}: {problem}; run `make lock`" for problem in found]


def npm_problems(folder: Path) -> list[str]:
    """Where npm's lock file does not hold what `package.json` asks for, in sentences."""
    asked = json.loads((folder / "package.json").read_text()).get("devDependencies", {})
    locked = json.loads((folder / "package-lock.json").read_text())["packages"]
    found = (
        [] if asked == locked[""].get("devDependencies", {}) else ["was made for other versions"]
    )
    found += [
        f"does not hold {name} {version}, which package.json asks for"
        for name, version in asked.items()
        if locked.get(f"node_modules/{name}", {}).get("version") != version
    ]
    place = f"{folder.name}/package-lock.json" if folder != ROOT else "package-lock.json"
    return [f"{place}: {problem}; run `npm install` there" for problem in found]


def _asked(text: str) -> dict[str, SpecifierSet]:
    """The packages that an `.in` file names."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    wanted = [Requirement(line) for line in lines if line and not line.startswith("-")]
    return {canonicalize_name(each.name): each.specifier for each in wanted}


def _pins(text: str, source: str) -> tuple[dict[str, set[str]], set[str]]:
    """The versions in a lock file, by name, and the names that its `.in` file asked for."""
    versions: dict[str, set[str]] = defaultdict(set)
    direct: set[str] = set()
    name = ""
    for line in text.splitlines():
        if pin := _PIN.match(line):
            name = canonicalize_name(pin["name"])
            versions[name].add(pin["version"])
        elif line.lstrip(" #").removeprefix("via ") == f"-r {source}":
            direct.add(name)
    return dict(versions), direct


if __name__ == "__main__":
    sys.exit(main())
