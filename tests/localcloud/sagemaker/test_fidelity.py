"""The documentation's table of behaviours, beside the tests it names."""

import ast
import re
from functools import cache

import pytest

from tests.localcloud.sagemaker.cloud import ROOT

ROW = re.compile(
    r"\| (?P<behaviour>.+?) \| (?P<source>.+?) \| `(?P<file>[\w/.]+)::(?P<test>\w+)` \|"
)
_LINES = (ROOT / "docs" / "sagemaker-fidelity.md").read_text().splitlines()
ROWS = [match for line in _LINES if (match := ROW.fullmatch(line))]


@cache
def names_in(file: str) -> set[str]:
    """The names of a file's tests."""
    tree = ast.parse((ROOT / file).read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_fifty_behaviours_are_tied_to_sources() -> None:
    """The table has fifty rows or more, each of another behaviour."""
    behaviours = {row["behaviour"] for row in ROWS}
    assert len(behaviours) == len(ROWS)
    assert len(ROWS) >= 50


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["test"])
def test_every_test_named_exists(row: re.Match[str]) -> None:
    """A behaviour in the table is held by a test of that name in that file."""
    assert row["test"] in names_in(row["file"])


def test_no_row_is_overlooked() -> None:
    """Every line of the table that names a test is read as a row."""
    assert len(ROWS) == sum("::test_" in line for line in _LINES)
