"""docs/reliability.md is true of the tests: each named one exists."""

import ast
import functools
import re

import pytest

from tests.support import ROOT

TEXT = (ROOT / "docs" / "reliability.md").read_text()
ROWS = re.findall(r"^\| \d+ \|.*$", TEXT, re.MULTILINE)
NAMED = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", TEXT)


def test_there_are_enough_failure_modes_each_with_a_proof() -> None:
    """Numbered without a gap, each with all four columns and a test."""
    assert len(ROWS) >= 50
    for number, row in enumerate(ROWS, start=1):
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert cells[0] == str(number)
        assert all(cells)
        assert re.fullmatch(r"`tests/[\w/]+\.py::\w+`", cells[-1]), row


@pytest.mark.parametrize(("path", "name"), sorted(set(NAMED)))
def test_every_named_test_exists(path: str, name: str) -> None:
    """As a function, or as the class that a stateful test is collected by."""
    assert (ROOT / path).is_file()
    assert not name or name in _tests_of(path)


@functools.cache
def _tests_of(path: str) -> set[str]:
    body = ast.parse((ROOT / path).read_text()).body
    functions = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    classes = {
        node.target.id
        for node in body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    return functions | classes


def test_every_alarm_is_explained() -> None:
    """Whoever gets one finds what to do."""
    source = (ROOT / "stacks" / "monitoring.py").read_text()
    alarms = re.findall(r'_alarm\(\s*f?"([\w{}]+)"', source)
    assert len(alarms) >= 5
    for name in alarms:
        for shown in (name.replace("{name}", each) for each in ("Start", "Sweep")):
            assert f"{shown}" in TEXT
