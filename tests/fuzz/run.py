"""Fuzz the preparation of data files, on several processes, and count: `make fuzz`.

    .venv/bin/python tests/fuzz/run.py [--target small] [--runs 5000000] [--processes 2]

Inputs that reached new code are kept in build/fuzz, beside the count of executions of this very
code: a run that was stopped goes on where it was, and a change of `data_prep` counts from nothing.
Stops at the first finding, which is left in build/fuzz; give its path to target.py to repeat it.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]


class Target(NamedTuple):
    """What is fuzzed, and within what memory.

    Attributes:
        megabytes: Most resident memory; of `large`, pyarrow and numpy take 120 by being imported.
        runs: Executions in one process before they are counted.
        longest: Longest input, in bytes.
    """

    megabytes: int
    runs: int
    longest: int


TARGETS = {"small": Target(150, 100_000, 2048), "large": Target(250, 10_000, 2048)}


class FindingError(Exception):
    """An input that was met with something else than a result or a refusal."""


class Count:
    """How many executions there were, by the code that was executed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        digest = hashlib.sha256()
        for source in sorted((ROOT / "data_prep").rglob("*.py")):
            digest.update(source.read_bytes())
        self._code = digest.hexdigest()[:16]
        self._all: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}

    @property
    def runs(self) -> int:
        """Of the code as it is."""
        return self._all.get(self._code, 0)

    @property
    def total(self) -> int:
        """Of this code and of what it was before."""
        return sum(self._all.values())

    def add(self, runs: int) -> None:
        """Count some more."""
        self._all[self._code] = self.runs + runs
        self._path.write_text(json.dumps(self._all, indent=2) + "\n")


def fuzz(name: str, folder: Path, runs: int) -> tuple[int, int]:
    """Run one process; return its executions and its peak megabytes.

    Raises:
        FindingError: It found something.
    """
    target = TARGETS[name]
    command = [sys.executable, str(ROOT / "tests" / "fuzz" / "target.py"), name]
    command += [str(folder / "corpus"), f"-runs={runs}", f"-max_len={target.longest}"]
    command += [f"-rss_limit_mb={target.megabytes}", "-timeout=20", "-print_final_stats=1"]
    command += [f"-artifact_prefix={folder}/"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    executions = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    peak = re.search(r"peak_rss_mb: +(\d+)", done.stderr)
    if done.returncode or executions is None or peak is None:
        raise FindingError(f"{' '.join(command)}\n{(done.stdout + done.stderr)[-4000:]}")
    return int(executions[1]), int(peak[1])


def main() -> None:
    """Fuzz until there were enough executions."""
    parser = argparse.ArgumentParser(description="Fuzz the preparation of data files.")
    parser.add_argument("--target", choices=TARGETS, default="small")
    parser.add_argument("--runs", type=int, default=5_000_000, help="executions of this code")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "fuzz")
    arguments = parser.parse_args()
    folder: Path = arguments.folder / arguments.target
    folder.mkdir(parents=True, exist_ok=True)
    count = Count(folder / "count.json")
    most = peak = 0
    began, before = time.monotonic(), count.runs
    try:
        with ThreadPoolExecutor(arguments.processes) as pool:
            while (left := arguments.runs - count.runs) > 0:
                each = min(TARGETS[arguments.target].runs, -(-left // arguments.processes))
                started = [
                    pool.submit(fuzz, arguments.target, folder, each)
                    for _ in range(arguments.processes)
                ]
                for future in started:
                    executed, peak = future.result()
                    most = max(most, peak)
                    count.add(executed)
                speed = (count.runs - before) / (time.monotonic() - began)
                print(
                    f"{arguments.target}: {count.runs:,} executions of this code, {count.total:,} "
                    f"in all; {speed:,.0f} a second; at most {most} MB",
                    flush=True,
                )
    except FindingError as finding:
        raise SystemExit(f"FOUND\n{finding}") from finding
    print(f"{arguments.target}: {count.runs:,} executions of this code and no finding")


if __name__ == "__main__":
    main()
