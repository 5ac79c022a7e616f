"""Several syntheses in one process are what one each would be."""

from pathlib import Path

import pytest

from gates.assembly import Assembly
from gates.variants import synthesize_all

pytestmark = pytest.mark.process


def test_each_variant_has_its_own_settings(dev: Assembly, tmp_path: Path) -> None:
    """None leaves anything to the next one, and the first is what a synthesis alone gives."""
    found = synthesize_all(tmp_path, {"later": {"run_retention_days": 7}, "defaults": {}})
    assert found["defaults"].templates == dev.templates
    assert found["later"].templates["pipeline"] == dev.templates["pipeline"]
    assert '"ExpirationInDays": 7' in found["later"].text("storage")


def test_a_setting_that_cannot_be_is_said(tmp_path: Path) -> None:
    """As by the app alone."""
    with pytest.raises(RuntimeError, match=r"xgboost_version: '9\.9-9' is not a version"):
        synthesize_all(tmp_path, {"wrong": {"xgboost_version": "9.9-9"}})
