"""The mutants, and how they are tried: the tool that asks the tests must itself be sound."""

import importlib.util
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gates.assembly import Assembly
from tests.mutation import equivalent, mutants, policies, running
from tests.mutation.rooms import ROOMS

SOURCE = '''"""A module."""

import os
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import ast

Kind = Literal["a", "b"]
LIMIT = 400 * 24


@staticmethod
def decorated(size: int = 1) -> str:
    """Its docstring."""
    if size > LIMIT:
        raise ValueError("this is too much")
    print("name", len("xy"))
    return "key"
'''


@pytest.fixture
def changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the mutants of the module change."""
    (tmp_path / "module.py").write_text(SOURCE)
    monkeypatch.setattr(mutants, "ROOT", tmp_path)
    return [each.change.removeprefix("module.py: ") for each in mutants.of_file("module.py")]


def test_everything_that_runs_is_changed(changes: list[str]) -> None:
    """Constants of the module and decorated functions, which mutmut's own command leaves out."""
    assert {
        "LIMIT = 400 * 24 -> LIMIT = 401 * 24",
        "LIMIT = 400 * 24 -> LIMIT = 400 / 24",
        "LIMIT = 400 * 24 -> LIMIT = None",
        "if size > LIMIT: -> if size >= LIMIT:",
        "if size > LIMIT: -> if not (size > LIMIT):",
        'raise ValueError("this is too much") -> pass',
        'raise ValueError("this is too much") -> raise ValueError("THIS IS TOO MUCH")',
        'return "key" -> return "XXkeyXX"',
    } <= set(changes)


def test_what_decides_nothing_at_run_time_is_left_alone(changes: list[str]) -> None:
    """Annotations, imports, docstrings, names for type checkers."""
    text = "\n".join(changes)
    assert not any(part in text for part in ("Literal", "TYPE_CHECKING", "ITS DOCSTRING", "import"))
    assert '"XXthis' not in text
    assert "xyXX" not in text


def test_a_mutant_is_known_by_its_file_and_its_change(changes: list[str]) -> None:
    """The same in every run, so that a run can go on; no two mutants are one."""
    first, again = mutants.of_file("module.py"), mutants.of_file("module.py")
    assert [each.key for each in first] == [each.key for each in again]
    assert len({each.key for each in first}) == len(first) == len(changes)
    assert first[0].diff.startswith("--- a/module.py\n+++ b/module.py\n")


def test_every_room_has_sources_and_tests() -> None:
    """A source's own tests are tried on it, where it has any."""
    for room in ROOMS.values():
        assert room.sources()
        assert room.all_tests()
    assert ROOMS["start"].tests_of("lambda/start/handler.py") == [
        "tests/lambda/start/test_handler.py"
    ]
    assert ROOMS["cleanup"].tests_of("lambda/cleanup/none.py") == ROOMS["cleanup"].all_tests()


def test_what_counts_as_equivalent_is_still_a_mutant() -> None:
    """Each line of the list names a change that the tool makes, with a reason of some words."""
    listed = equivalent.read()
    paths = {change.partition(": ")[0] for change in listed}
    found = {each.change for path in paths for each in mutants.of_file(path)}
    assert listed.keys() <= found
    assert all(len(reason.split()) >= 4 for reason in listed.values())


def test_a_line_without_a_reason_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reads the list must be able to contradict."""
    (tmp_path / "list").write_text("a.py: x -> y\n")
    monkeypatch.setattr(equivalent, "LIST", tmp_path / "list")
    with pytest.raises(ValueError, match="give the reason"):
        equivalent.read()


@pytest.fixture
def loader() -> Iterator[None]:
    """Python's loader, as it was."""
    cls = importlib.machinery.SourceFileLoader
    original = cls.get_code
    yield
    cls.get_code = original  # type: ignore[method-assign]


def test_a_module_is_loaded_from_the_mutants_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loader: None
) -> None:
    """The file stays as it is."""
    path = tmp_path / "module_under_change.py"
    path.write_text("ANSWER = 1\n")
    monkeypatch.setattr(running, "ROOT", tmp_path)
    running.in_place_of(path.name, "ANSWER = 2\n")()
    specification = importlib.util.spec_from_file_location("module_under_change", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    assert module.ANSWER == 2
    assert path.read_text() == "ANSWER = 1\n"


@pytest.mark.process
def test_each_outcome_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Noticed, not noticed, crashed, and never ended."""
    monkeypatch.setattr(running, "_SPARE_SECONDS", 1.0)

    def crash() -> int:
        raise RuntimeError

    def loop() -> int:
        time.sleep(60)
        return 0

    jobs = [
        running.Job("noticed", lambda: 1),
        running.Job("not noticed", lambda: 0),
        running.Job("crashed", crash),
        running.Job("endless", loop),
    ]
    assert dict(running.outcomes(jobs, processes=2, seconds=0.1)) == {
        "noticed": "killed",
        "not noticed": "survived",
        "crashed": "killed",
        "endless": "too slow",
    }


def test_policies_are_changed_statement_by_statement(dev: Assembly) -> None:
    """One change each, and never none."""
    found = list(policies.of_assembly(dev))
    changed = {each.change for each in found}
    assert len(changed) == len(found)
    assert all(each.templates != dev.templates for each in found)
    start = "triggers/StartRoleDefaultPolicy Properties.PolicyDocument.Statement"
    assert any(each.startswith(start) and "without dynamodb:UpdateItem" in each for each in changed)
    for said in ("widened", "as *", "anybody may", "without the condition on", "denies nothing"):
        assert any(said in each for each in changed), said
