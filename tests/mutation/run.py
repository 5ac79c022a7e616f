"""Change the code a little, thousands of times, and see whether its tests notice: `make mutation`.

    .venv/bin/python tests/mutation/run.py [--room start] [--file names] [--processes 2]

Prints the score of each room and every mutant that lived, as a diff; fails below 90 %. What is known
stays in build/mutation: a run that was stopped goes on where it was. It counts from nothing when the
room's code or tests change; with `--survivors`, only those that lived are tried again, and what was
killed counts as killed. Mutants that change nothing anybody could see stand in equivalent.txt.
"""

import argparse
import hashlib
import json
import re
import sys
import time
import types
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Run by its path: another package called tests may be installed beside this project.
sys.path.insert(0, str(ROOT))
sys.modules["tests"] = types.ModuleType("tests")
sys.modules["tests"].__path__ = [str(ROOT / "tests")]

from tests.mutation import equivalent, mutants, running  # noqa: E402 (found by the lines above)
from tests.mutation.rooms import ROOMS, Room  # noqa: E402

LOWEST_SCORE = 90.0


class Results:
    """What is known of a room's mutants, kept as it comes.

    Args:
        path: One JSON object a line.
        state: Of the code and the tests; what was found of another state is not known any more.
        trusted: Whether a mutant that was killed in another state counts as killed.
    """

    def __init__(self, path: Path, state: str, *, trusted: bool) -> None:
        self._path = path
        self._state = state
        self._known: dict[str, str] = {}
        for line in path.read_text().splitlines() if path.exists() else ():
            found = json.loads(line)
            alive = found["outcome"] == "survived"
            if found["state"] == state or (trusted and not alive):
                self._known[found["key"]] = found["outcome"]
            else:
                self._known.pop(found["key"], None)

    def of(self, key: str) -> str | None:
        """What became of a mutant, if that is known."""
        return self._known.get(key)

    def add(self, key: str, outcome: str) -> None:
        """Keep what became of a mutant."""
        self._known[key] = outcome
        line = json.dumps({"key": key, "outcome": outcome, "state": self._state})
        with self._path.open("a") as file:
            file.write(line + "\n")


def state(room: Room) -> str:
    """The state of a room's code and tests."""
    digest = hashlib.sha256()
    paths = [ROOT / each for each in (*room.sources(), *room.all_tests(), "tests/support.py")]
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def tried(name: str, room: Room, arguments: argparse.Namespace) -> Iterator[str]:
    """Try a room's mutants; yield those that lived, each as a diff, and last the score."""
    found = [
        mutant
        for source in room.sources()
        if re.search(arguments.file, source)
        for mutant in mutants.of_file(source)
    ]
    known = equivalent.read()
    counted = [each for each in found if each.change not in known]
    results = Results(arguments.folder / f"{name}.jsonl", state(room), trusted=arguments.survivors)
    jobs = [
        running.Job(each.key, room.tests_of(each.path), running.in_place_of(each.path, each.source))
        for each in counted
        if results.of(each.key) is None
    ]
    _say(
        f"{name}: {len(found)} mutants, {len(jobs)} to try, {len(found) - len(counted)} equivalent"
    )
    if jobs:
        seconds = running.warm_up(room.all_tests())
        began = time.monotonic()
        progress = running.outcomes(jobs, arguments.processes, seconds)
        for number, (key, outcome) in enumerate(progress, start=1):
            results.add(key, outcome)
            if number % 50 == 0:
                left = (time.monotonic() - began) / number * (len(jobs) - number)
                _say(f"{name}: {number} of {len(jobs)} tried, about {left / 60:.0f} minutes left")
    alive = [each for each in counted if results.of(each.key) == "survived"]
    for each in alive:
        yield f"\n{each.diff}\n{each.change}"
    killed = len(counted) - len(alive)
    score = 100 * killed / len(counted) if counted else 100.0
    arguments.scores[name] = score
    yield f"{name}: {killed} of {len(counted)} mutants killed, {score:.1f} %"


def _say(text: str) -> None:
    print(text, flush=True)


def main() -> int:
    """Try the mutants of the rooms asked for; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--room", choices=ROOMS, action="append", help="left out: all")
    parser.add_argument(
        "--file", default="", help="only files whose path has this regular expression"
    )
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--survivors", action="store_true", help="try again what lived, only that")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "mutation")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    arguments.scores = {}
    for name in arguments.room or ROOMS:
        for text in tried(name, ROOMS[name], arguments):
            _say(text)
    low = [name for name, score in arguments.scores.items() if score < LOWEST_SCORE]
    for name in low:
        _say(f"{name}: below {LOWEST_SCORE:.0f} %")
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
