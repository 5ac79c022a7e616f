"""The documentation's tables of behaviours, beside the tests they name."""

import re

import pytest

from tests.localcloud.sagemaker.cloud import ROOT
from tests.localcloud.sagemaker.test_fidelity import ROW, names_in

_LINES = (ROOT / "docs" / "stepfunctions-fidelity.md").read_text().splitlines()
ROWS = [match for line in _LINES if (match := ROW.fullmatch(line))]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["test"])
def test_every_test_named_exists(row: re.Match[str]) -> None:
    """A behaviour in a table is held by a test of that name in that file."""
    assert row["test"] in names_in(row["file"])


def test_no_row_is_overlooked() -> None:
    """Every line that names a test is read as a row, each of another behaviour."""
    assert len(ROWS) == sum("::test_" in line for line in _LINES)
    assert len({row["behaviour"] for row in ROWS}) == len(ROWS)
