"""The fuzzer runs, briefly; `make fuzz` runs it for long."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT

RUNS = 3000


@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris has no wheel for this machine"
)
def test_no_input_is_met_with_anything_but_a_result_or_a_refusal(tmp_path: Path) -> None:
    """Some thousand inputs, led by coverage: no uncaught exception, and little memory."""
    command = [sys.executable, str(ROOT / "tests" / "fuzz" / "target.py"), str(tmp_path / "corpus")]
    command += [f"-runs={RUNS}", "-seed=1", "-max_len=4096", "-rss_limit_mb=150", "-timeout=20"]
    command += [f"-artifact_prefix={tmp_path}/"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-3000:]
    found = re.search(r"Done (\d+) runs", done.stderr)
    assert found is not None
    assert int(found[1]) >= RUNS
