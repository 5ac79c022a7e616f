"""The fuzzer runs, briefly; `make fuzz` runs it for long."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from data_prep import formats
from tests.data_prep.formats.samples import SAMPLES
from tests.fuzz import inputs
from tests.support import ROOT

pytestmark = pytest.mark.process

RUNS = {"small": 3000, "large": 150}
MEGABYTES = {"small": 150, "large": 250}


def fuzz(target: str, runs: int, folder: Path) -> str:
    """Run the fuzzer and return what it printed."""
    command = [sys.executable, str(ROOT / "tests" / "fuzz" / "run.py"), "--target", target]
    command += ["--runs", str(runs), "--processes", "1", "--folder", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris has no wheel for this machine"
)
@pytest.mark.parametrize("target", RUNS)
def test_no_input_is_met_with_anything_but_a_result_or_a_refusal(
    target: str, tmp_path: Path
) -> None:
    """Some inputs, led by coverage: no uncaught exception, little memory, and all are counted."""
    found = re.search(
        r"([\d,]+) executions of this code.* at most (\d+) MB", fuzz(target, RUNS[target], tmp_path)
    )
    assert found is not None
    assert int(found[1].replace(",", "")) >= RUNS[target]
    assert int(found[2]) < MEGABYTES[target]
    again = fuzz(target, RUNS[target], tmp_path)
    assert again == f"{target}: {found[1]} executions of this code and no finding\n"


def test_the_fuzzer_begins_with_a_file_of_every_format() -> None:
    """By each of its names; binary ones only where their libraries are allowed."""
    for binary in (False, True):
        seeds = list(map(inputs.decoded, inputs.seeds(SAMPLES, binary=binary)))
        found = {(each.name, each.content) for each in seeds}
        for each in formats.FORMATS.values():
            sample = SAMPLES[each.name]()
            assert ((f"x{each.suffixes[0]}", sample) in found) == (each.is_text or binary)
    assert {each.wanted.task for each in seeds} == {"binary", "multiclass", "regression"}
    for each in formats.FORMATS.values():
        assert {f"x{suffix}" for suffix in each.suffixes} <= set(inputs.NAMES)
