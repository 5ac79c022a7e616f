"""Loading what ships, from wherever the command line runs."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.process
def test_what_ships_is_found_from_any_folder(tmp_path: Path) -> None:
    """The installed command has the project on no path, and another `lambda` may be at hand."""
    (tmp_path / "lambda").mkdir()
    code = (
        "import sys; sys.path.insert(0, ''); from spine.shipped import load;"
        "load('prepare.run'); print(load('common.names').run_id('Nightly', 'arn'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("nightly-")
