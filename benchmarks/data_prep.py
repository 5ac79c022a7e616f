"""Preparing data: the notebook's code beside ours, as whole processes.

    .venv/bin/python -m benchmarks.data_prep [--million] [--runs N]

Prints seconds and peak memory, medians of interleaved runs, at 310, 10,000 and 100,000 rows, and
checks that both write the same bytes. Each process imports what it needs, reads one ARFF file and
writes the four CSV files, so imports count, as they do when a function starts cold.
"""

import sys
from pathlib import Path

NAMES = ("train/train.csv", "test/test.csv", "validate/validate.csv", "batch-in/batch-in.csv")
COLUMNS = 6


def notebook(source: Path, folder: Path) -> None:
    """Prepare with scipy, pandas and scikit-learn, as the notebook does."""
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
        part.to_csv(folder / name, header=False, index=False)


def spine(source: Path, folder: Path) -> None:
    """Prepare with `data_prep`."""
    from data_prep import prepare

    with source.open("rb") as file:
        prepared = prepare(file, name=source.name)
        prepared.write_to(lambda name: (folder / name).open("wb"))


ENGINES = {"notebook": notebook, "spine": spine}


def generate(path: Path, rows: int) -> None:
    """Write an ARFF file of six columns with eight decimals, a third of the rows Normal."""
    import random

    draw = random.Random(rows)  # noqa: S311 (the same file each time)
    with path.open("w", encoding="utf-8") as file:
        file.write("@relation benchmark\n")
        file.writelines(f"@attribute x{at} numeric\n" for at in range(COLUMNS))
        file.write("@attribute class {Abnormal, Normal}\n@data\n")
        for row in range(rows):
            normal = row % 3 == 0
            values = [round(draw.gauss(40 if normal else 55, 15), 8) for _ in range(COLUMNS)]
            file.write(f"{','.join(map(repr, values))},{'Normal' if normal else 'Abnormal'}\n")


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


def measure(engine: str, source: Path, folder: Path) -> tuple[float, float]:
    """Run one engine in a new process; return its seconds and its peak megabytes."""
    import subprocess
    import time

    for name in NAMES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "benchmarks.data_prep", engine, str(source), str(folder)]
    start = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    return time.perf_counter() - start, float(done.stdout)


def compare(rows: int, runs: int, folder: Path) -> str:
    """Return the table's line for one size."""
    from statistics import median

    source = folder / "data.arff"
    generate(source, rows)
    measured: dict[str, list[tuple[float, float]]] = {engine: [] for engine in ENGINES}
    for run in range(runs + 1):
        for engine, figures in measured.items():
            figure = measure(engine, source, folder / engine)
            if run:  # the first compiles modules and fills the page cache
                figures.append(figure)
    for name in NAMES:
        if (folder / "notebook" / name).read_bytes() != (folder / "spine" / name).read_bytes():
            raise SystemExit(f"{name} differs at {rows} rows")
    (theirs, their_peak), (ours, our_peak) = (
        (median(seconds for seconds, _ in figures), median(peak for _, peak in figures))
        for figures in measured.values()
    )
    return (
        f"{rows:>9,} {theirs:>11.3f} {their_peak:>6.0f} {ours:>9.3f} {our_peak:>6.0f}"
        f" {theirs / ours:>8.1f}x {their_peak / our_peak:>6.1f}x"
    )


def main() -> None:
    """Measure and print the table."""
    import argparse
    import tempfile

    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.data_prep",
        description="The notebook's data preparation beside ours.",
    )
    parser.add_argument("--million", action="store_true", help="also a million rows (minutes)")
    parser.add_argument("--runs", type=int, default=5, help="timed runs of each (default 5)")
    arguments = parser.parse_args()
    print("     rows  notebook s     MB   spine s     MB    faster  smaller")
    for rows in (310, 10_000, 100_000) + ((1_000_000,) if arguments.million else ()):
        with tempfile.TemporaryDirectory() as folder:
            print(compare(rows, arguments.runs, Path(folder)), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in ENGINES:
        ENGINES[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
        print(peak_megabytes())
    else:
        main()
