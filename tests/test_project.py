"""The files around the code tell the truth: documents, versions, workflows, lock files."""

import ast
import importlib
import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import ROOT

_LISTED = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
    cwd=ROOT,
    check=True,
    capture_output=True,
    text=True,
).stdout.split("\0")
FILES = [path for name in _LISTED if name and (path := ROOT / name).is_file()]
DOCUMENTS = [path for path in FILES if path.suffix == ".md"]
LOCKS = [
    path
    for path in FILES
    if path.name == "package-lock.json"
    or (path.suffix == ".txt" and path.with_suffix(".in").is_file())
]
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "check.yml").read_text())


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _targets_named(text: str) -> set[str]:
    """The targets of `make` in the code of a document: in its blocks, and between backticks."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    code = blocks + re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.S | re.M))
    return {
        target
        for each in code
        for command in re.findall(r"(?:^|&& )make((?: [a-z]+)+)", each, re.MULTILINE)
        for target in command.split()
    }


def _anchors(path: Path) -> set[str]:
    """The anchors that GitHub gives to a document's headings."""
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=_shown)
def test_every_link_leads_somewhere(path: Path) -> None:
    """What a document links to in the project is there, the heading too."""
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        place, _, anchor = link.partition("#")
        target = (path.parent / place).resolve() if place else path
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target), link


def test_every_target_of_make_that_is_named_exists() -> None:
    """No document, workflow or script tells anyone to run a target that the Makefile lacks."""
    known = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {target for path in DOCUMENTS for target in _targets_named(path.read_text())}
    assert {"run", "test", "check", "setup", "hooks", "lock"} <= named
    assert named <= known


def test_every_document_is_in_the_index() -> None:
    """Whoever reads the index finds every document, and every decision in the list of decisions."""
    index = (ROOT / "docs" / "README.md").read_text()
    for path in (ROOT / "docs").glob("*.md"):
        assert path.name == "README.md" or f"({path.name})" in index, path
    decisions = ROOT / "docs" / "decisions"
    numbered = sorted(decisions.glob("[0-9]*.md"))
    for number, path in enumerate(numbered, 1):
        assert path.name.startswith(f"{number:04d}-")
        assert path.read_text().startswith(f"# {number}. ")
        assert f"[{number}]({path.name})" in (decisions / "README.md").read_text()


def test_the_version_is_one() -> None:
    """The newest release of the changelog is the project's version, and nothing says another."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    sections = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert sections[0] == "[Unreleased]"
    assert re.fullmatch(rf"\[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d", sections[1])
    for folder in (ROOT, ROOT / "gates"):
        assert "version" not in json.loads((folder / "package.json").read_text())


def _steps() -> list[dict[str, Any]]:
    return [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]


def test_actions_are_pinned_by_commit() -> None:
    """No tag that can be moved decides what code runs; the version stands beside the commit."""
    text = (ROOT / ".github" / "workflows" / "check.yml").read_text()
    used = re.findall(r"uses: (.+)$", text, re.MULTILINE)
    assert used
    assert len(used) == sum("uses" in step for step in _steps())
    for action in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)


def test_the_workflow_may_only_read() -> None:
    """A stranger's pull request runs code here: its token only reads, and is not kept."""
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert not any("permissions" in job for job in WORKFLOW["jobs"].values())
    checkouts = [each for each in _steps() if each.get("uses", "").startswith("actions/checkout@")]
    assert len(checkouts) == len(WORKFLOW["jobs"])
    assert all(each["with"]["persist-credentials"] is False for each in checkouts)
    # YAML 1.1 reads the key `on` as true.
    assert "pull_request_target" not in WORKFLOW[True]


def test_everything_that_checks_runs_the_same_parts() -> None:
    """What `make check` refuses, neither CI nor the workflow lets pass."""
    makefile = (ROOT / "Makefile").read_text()
    (parts,) = re.findall(r"^check:.*\n\t@for part in ([a-z ]+);", makefile, re.MULTILINE)
    assert {"format", "lint", "types", "gates", "test"} == set(parts.split())
    ran = {step["run"].removeprefix("make ") for step in _steps() if "run" in step}
    assert set(parts.split()) <= ran
    script = (ROOT / ".ci" / "run").read_text()
    loops = re.findall(r"for name in ([a-z ]+); do", script)
    assert loops == ["format lint types gates"] * 2
    assert "part test make test " in script


def test_the_workflow_tests_every_python_that_is_supported() -> None:
    """The matrix, the classifiers and the bounds of the package name the same versions."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    tested = WORKFLOW["jobs"]["test"]["strategy"]["matrix"]["python"]
    prefix = "Programming Language :: Python :: 3."
    assert [f"{prefix}{version.removeprefix('3.')}" for version in tested] == [
        each for each in project["classifiers"] if each.startswith(prefix)
    ]
    assert project["requires-python"] == f">={tested[0]},<3.{int(tested[-1][2:]) + 1}"


@pytest.mark.parametrize("path", LOCKS, ids=_shown)
def test_no_lock_file_names_a_registry(path: Path) -> None:
    """Where packages come from is the business of whoever installs them."""
    text = path.read_text()
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links|\"resolved\"", text)


def test_who_only_runs_installs_no_copyleft_from_npm() -> None:
    """Licences in the root's lock are permissive; the evaluator's is in that of the gates."""

    def licences(folder: Path) -> set[str]:
        packages = json.loads((folder / "package-lock.json").read_text())["packages"]
        return {each["license"] for place, each in packages.items() if place}

    assert licences(ROOT) == {"Apache-2.0"}
    assert "AGPL-3.0-or-later" in licences(ROOT / "gates")


def test_no_file_names_the_machine_it_was_written_on() -> None:
    """No path of this checkout, and none of the home of who runs the tests, is in the project."""
    places = [str(ROOT).encode(), f"{Path.home()}/".encode()]
    found = [_shown(path) for path in FILES if any(each in path.read_bytes() for each in places)]
    assert found == []


def _cdk_modules_with_types() -> list[str]:
    """The modules of the CDK that mypy reads, as `pyproject.toml` lists them."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    (listed,) = (
        each["module"] for each in settings["overrides"] if each.get("follow_imports") == "normal"
    )
    return [str(name) for name in listed]


def test_the_types_of_every_cdk_module_that_is_imported_are_checked() -> None:
    """One that is missing in the list would be `Any`, silently."""
    imported = set()
    for path in (path for path in FILES if path.suffix == ".py"):
        text = path.read_text()
        for node in ast.walk(ast.parse(text)) if "aws_cdk" in text else ():
            if isinstance(node, ast.Import):
                imported |= {each.name for each in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
    # Of the CDK itself, a name in lower case is a module.
    used = {name for name in imported if re.fullmatch(r"aws_cdk(\.[a-z_0-9]+)*", name)}
    assert {"aws_cdk", "aws_cdk.aws_s3"} <= used
    assert used <= set(_cdk_modules_with_types())


@pytest.mark.process  # the CDK starts Node where it is imported
def test_what_the_classes_of_these_modules_inherit_from_is_checked_too() -> None:
    """A class with a base that is `Any` has every attribute, a misspelt one too."""
    listed = _cdk_modules_with_types()
    assert listed.pop() == "aws_cdk.interfaces.*"
    bases = {
        base.__module__
        for name in listed
        for each in vars(importlib.import_module(name)).values()
        if isinstance(each, type)
        for base in each.__mro__
        if base.__module__.startswith("aws_cdk.")
    }
    assert {name for name in bases if not name.startswith("aws_cdk.interfaces")} <= set(listed)
