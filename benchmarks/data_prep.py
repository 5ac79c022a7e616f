"""Preparing data: the notebook's code beside ours, as whole processes.

    .venv/bin/python -m benchmarks.data_prep [--rows 310 10000 100000] [--runs N]
    .venv/bin/python -m benchmarks.data_prep --rows 1000000 5000000 --runs 3
    .venv/bin/python -m benchmarks.data_prep --alone --rows 5000000 20000000 --chart cost.svg

Prints seconds that passed, seconds of the processor and peak memory, medians of interleaved runs,
and checks that both write the same rows: the same bytes while they are shuffled in memory, and
beyond that the same rows in each file. Each process imports what it needs, reads one ARFF file and
writes the four CSV files, so imports count, as they do when a function starts cold.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

NAMES = ("train/train.csv", "test/test.csv", "validate/validate.csv", "batch-in/batch-in.csv")
COLUMNS = 6
# Larger files are written in the order of the file (`data_prep.Limits.exact_bytes`).
SHUFFLED = 192 << 20
# Rows from which on a run to warm up makes no difference.
WARM = 1_000_000


def notebook(source: Path, folder: Path) -> None:
    """Prepare with scipy, pandas and scikit-learn, as the notebook does."""
    import io

    import pandas as pd
    from scipy.io import arff
    from sklearn.model_selection import train_test_split

    frame = pd.DataFrame(arff.loadarff(str(source))[0])
    # The notebook's `replace` leaves objects under pandas 3; `map` gives its numbers.
    frame["class"] = frame["class"].map({b"Abnormal": 1, b"Normal": 0}).astype("int64")
    frame = frame[["class", *(name for name in frame.columns if name != "class")]]
    train, rest = train_test_split(frame, test_size=0.2, random_state=42, stratify=frame["class"])
    test, validate = train_test_split(rest, test_size=0.5, random_state=42, stratify=rest["class"])
    parts = (train, test, validate, test.drop(columns="class"))
    for name, part in zip(NAMES, parts, strict=True):
        # Into memory first, for `put_object`.
        text = io.StringIO()
        part.to_csv(text, header=False, index=False)
        (folder / name).write_bytes(text.getvalue().encode())


def spine(source: Path, folder: Path) -> None:
    """Prepare with `data_prep`, as `lambda/prepare/run.py` does."""
    import os

    from data_prep import prepare

    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

    with source.open("rb") as file:
        prepared = prepare(file, name=source.name)
        prepared.write_to(lambda name: (folder / name).open("wb"))


ENGINES = {"notebook": notebook, "spine": spine}


class Cost(NamedTuple):
    """What a process took: seconds that passed, seconds of the processor, and megabytes."""

    seconds: float
    busy: float
    peak: float


def generate(path: Path, rows: int) -> None:
    """Write an ARFF file of six columns with eight decimals, a third of the rows Normal."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.csv as csv

    draw = np.random.default_rng(rows)
    names = [f"x{at}" for at in range(COLUMNS)]
    with path.open("wb") as file:
        file.write(b"@relation benchmark\n")
        file.writelines(f"@attribute {name} numeric\n".encode() for name in names)
        file.write(b"@attribute class {Abnormal, Normal}\n@data\n")
        for start in range(0, rows, 500_000):
            normal = np.arange(start, min(rows, start + 500_000)) % 3 == 0
            columns = [
                pa.array(np.round(draw.normal(np.where(normal, 40, 55), 15), 8)) for _ in names
            ]
            label = pa.array(np.where(normal, "Normal", "Abnormal").astype(object))
            csv.write_csv(
                pa.table([*columns, label], [*names, "class"]),
                file,
                csv.WriteOptions(include_header=False, quoting_style="none"),
            )


def peak_megabytes() -> float:
    """Return this process's peak resident memory.

    Linux's own figure where there is one: `ru_maxrss` of a child starts at what its parent had.
    """
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # bytes on macOS


def measure(engine: str, source: Path, folder: Path) -> Cost:
    """Run one engine in a new process."""
    import os
    import resource
    import subprocess
    import sysconfig
    import time

    for name in NAMES:
        # A run's folder is new: to overwrite a file, its old blocks are freed first.
        (folder / name).unlink(missing_ok=True)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
    # Without what packages hook into a developer's interpreter (`.pth` files), as functions start.
    command = [sys.executable, "-S", "-m", "benchmarks.data_prep", engine]
    command += [str(source), str(folder)]
    environment = {**os.environ, "PYTHONPATH": sysconfig.get_paths()["platlib"]}
    # Installed packages are compiled; ours must be allowed to be.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run(  # noqa: S603
        command, check=True, capture_output=True, text=True, env=environment
    )
    passed = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(passed, busy, float(done.stdout))


def compare(rows: int, runs: int, folder: Path, engines: list[str]) -> dict[str, Cost]:
    """Return the medians for one size."""
    from statistics import median

    source = folder / "data.arff"
    generate(source, rows)
    measured: dict[str, list[Cost]] = {engine: [] for engine in engines}
    for run in range(runs + 1):
        for engine, costs in measured.items():
            if run == 0 and rows > WARM:
                continue
            costs.append(measure(engine, source, folder / engine))
            if run == 0:  # it compiles modules and fills the page cache
                costs.clear()
    for name in NAMES if len(engines) > 1 else ():
        one, other = ((folder / engine / name).read_bytes() for engine in engines)
        if one != other and not (
            source.stat().st_size > SHUFFLED
            and sorted(one.split(b"\n")) == sorted(other.split(b"\n"))
        ):
            raise SystemExit(f"{name} differs at {rows} rows")
    return {
        engine: Cost(*(median(figures) for figures in zip(*costs, strict=True)))
        for engine, costs in measured.items()
    }


def line(rows: int, costs: dict[str, Cost]) -> str:
    """Return the table's line for one size."""
    text = f"{rows:>10,}"
    for cost in costs.values():
        text += f" {cost.seconds:>9.3f} {cost.busy:>9.3f} {cost.peak:>6.0f}"
    if len(costs) > 1:
        theirs, ours = costs.values()
        faster, fewer = theirs.seconds / ours.seconds, theirs.busy / ours.busy
        text += f" {faster:>7.1f}x {fewer:>7.1f}x {theirs.peak / ours.peak:>7.1f}x"
    return text


def chart(costs: dict[int, Cost]) -> str:
    """Draw the seconds over the rows, as SVG; the dashes are cost in proportion."""
    width, height, left, bottom = 640, 320, 64, 264
    most_rows = max(costs)
    most_seconds = max(cost.busy for cost in costs.values()) * 1.15

    def place(rows: int, seconds: float) -> tuple[float, float]:
        right, top = width - 110, 24
        return (
            left + rows / most_rows * (right - left),
            bottom - seconds / most_seconds * (bottom - top),
        )

    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
            ' font-family="sans-serif" font-size="12" fill="#333">'
            "<title>Seconds to prepare a file, by its rows</title>"
        ),
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<path d="M{left} 24V{bottom}H{width - 110}" fill="none" stroke="#999"/>',
        f'<text x="{left}" y="16">seconds of the processor, and peak megabytes</text>',
        f'<text x="{left}" y="{height - 16}">rows</text>',
    ]
    (x, y), (x0, y0) = place(most_rows, costs[most_rows].busy), place(0, 0)
    parts.append(f'<path d="M{x0} {y0}L{x:.0f} {y:.0f}" stroke="#bbb" stroke-dasharray="4"/>')
    points = {rows: place(rows, cost.busy) for rows, cost in sorted(costs.items())}
    path = "L".join(f"{x:.0f} {y:.0f}" for x, y in points.values())
    parts.append(f'<path d="M{path}" fill="none" stroke="#06c" stroke-width="2"/>')
    for rows, (x, y) in points.items():
        cost = costs[rows]
        parts += [
            f'<circle cx="{x:.0f}" cy="{y:.0f}" r="4" fill="#06c"/>',
            f'<text x="{x + 8:.0f}" y="{y + 14:.0f}">{cost.busy:.1f} s, {cost.peak:.0f} MB</text>',
            f'<text x="{x:.0f}" y="{bottom + 18}" text-anchor="middle">{rows / 1e6:g} M</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])


def main() -> None:
    """Measure and print the table."""
    import argparse
    import tempfile

    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.data_prep",
        description="The notebook's data preparation beside ours.",
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[310, 10_000, 100_000])
    parser.add_argument("--runs", type=int, default=5, help="timed runs of each (default 5)")
    parser.add_argument("--alone", action="store_true", help="without the notebook's code")
    parser.add_argument("--chart", type=Path, help="draw Spine's costs to this SVG file")
    arguments = parser.parse_args()
    engines = ["spine"] if arguments.alone else list(ENGINES)
    print(f"{'':10}" + "".join(f" {engine:>26}" for engine in engines))
    print(
        "      rows"
        + "         s processor     MB" * len(engines)
        + "   faster   processor  smaller" * (len(engines) - 1)
    )
    found: dict[int, Cost] = {}
    for rows in arguments.rows:
        with tempfile.TemporaryDirectory() as folder:
            costs = compare(rows, arguments.runs, Path(folder), engines)
        found[rows] = costs["spine"]
        print(line(rows, costs), flush=True)
    if arguments.chart:
        arguments.chart.write_text(chart(found), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in ENGINES:
        ENGINES[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
        print(peak_megabytes())
    else:
        main()
