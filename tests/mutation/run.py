"""Change the code a little, thousands of times, and see whether its tests notice: `make mutation`.

    .venv/bin/python tests/mutation/run.py [--room start] [--file names] [--sample 300]

Prints the score of each room and every mutant that lived; fails below 90 %. `--sample` tries so
many of a room's mutants, picked at random but the same ones each time: the score of 300 is within
4 points of the whole room's, in a fraction of its hours. What is known stays in
build/mutation: a run that was stopped goes on where it was. It counts from nothing when the room's
code or tests change; with `--survivors`, only those that lived are tried again, and what was killed
before counts as killed. What behaves as the code does stands in equivalent.txt.
"""

import argparse
import hashlib
import json
import re
import sys
import time
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
# Run by its path: another package called tests may be installed beside this project.
sys.path.insert(0, str(ROOT))
sys.modules["tests"] = types.ModuleType("tests")
sys.modules["tests"].__path__ = [str(ROOT / "tests")]

from tests.mutation import equivalent, mutants, policies, running  # noqa: E402 (found by the above)
from tests.mutation.rooms import ROOMS, Room  # noqa: E402

POLICIES = "policies"
LOWEST_SCORE = 90.0


class Tried(NamedTuple):
    """A mutant, and how it is tried.

    Attributes:
        key: The same for the same mutant.
        change: What was changed, on one line.
        shown: The same for somebody who has to find a test for it.
        run: Gives 0 if nobody notices.
    """

    key: str
    change: str
    shown: str
    run: Callable[[], int]


class Results:
    """What is known of a room's mutants, kept as it comes.

    Args:
        path: One JSON object a line.
        state: Of the code and the tests; what was found in another state is not known any more.
        trusted: Whether a mutant that was killed in another state counts as killed.
    """

    def __init__(self, path: Path, state: str, *, trusted: bool) -> None:
        self._path = path
        self._state = state
        self._known: dict[str, str] = {}
        for line in path.read_text().splitlines() if path.exists() else ():
            found = json.loads(line)
            lived = found["outcome"] == "survived"
            if found["state"] == state or (trusted and not lived):
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


def of_code(room: Room, wanted: str) -> list[Tried]:
    """The mutants of a room's files whose paths match."""

    def tried(mutant: mutants.Mutant) -> Tried:
        put, files = running.in_place_of(mutant.path, mutant.source), room.tests_of(mutant.path)

        def run() -> int:
            put()
            return running.run_tests(files)

        return Tried(mutant.key, mutant.change, mutant.diff, run)

    sources = (each for each in room.sources() if re.search(wanted, each))
    return [tried(mutant) for source in sources for mutant in mutants.of_file(source)]


def of_policies(kept: Path, wanted: str) -> list[Tried]:
    """The mutants of the synthesized policies whose descriptions match."""

    def tried(mutant: policies.PolicyMutant) -> Tried:
        return Tried(
            mutant.key, mutant.change, mutant.change, lambda: policies.noticed(mutant, kept)
        )

    found = policies.of_assembly(policies.synthesized(kept, functions="local"))
    return [tried(mutant) for mutant in found if re.search(wanted, mutant.change)]


def state(*paths: str) -> str:
    """The state of files."""
    digest = hashlib.sha256()
    for path in sorted({*paths, "tests/support.py"}):
        digest.update((ROOT / path).read_bytes())
    return digest.hexdigest()[:16]


def score(
    name: str,
    found: Sequence[Tried],
    results: Results,
    unchanged: Callable[[], int],
    processes: int,
    sample: int | None = None,
) -> float:
    """Try what is not known, print what lived, and return the share that was killed, in percent.

    Args:
        name: The room's.
        found: Its mutants.
        results: What is known of them.
        unchanged: What the code as it is must pass.
        processes: How many are tried at a time.
        sample: How many of them count, if not all.
    """
    known = equivalent.read()
    counted = [each for each in found if each.change not in known]
    if sample is not None:
        # Keys are digests, so their order is one by chance that stays as it is.
        chosen = {each.key for each in sorted(counted, key=lambda each: each.key)[:sample]}
        counted = [each for each in counted if each.key in chosen]
    jobs = [running.Job(each.key, each.run) for each in counted if results.of(each.key) is None]
    _say(f"{name}: {len(found)} mutants, {len(counted)} count, {len(jobs)} to try")
    if jobs:
        seconds = running.warm_up(unchanged)
        began = time.monotonic()
        outcomes = running.outcomes(jobs, processes, seconds)
        for number, (key, outcome) in enumerate(outcomes, start=1):
            results.add(key, outcome)
            if number % 25 == 0:
                left = (time.monotonic() - began) / number * (len(jobs) - number)
                _say(f"{name}: {number} of {len(jobs)} tried, about {left / 60:.0f} minutes left")
    lived = [each for each in counted if results.of(each.key) == "survived"]
    for each in lived:
        _say(f"\n{each.shown}")
    killed = len(counted) - len(lived)
    share = 100 * killed / len(counted) if counted else 100.0
    _say(f"\n{name}: {killed} of {len(counted)} mutants killed, {share:.1f} %")
    return share


def _say(text: str) -> None:
    print(text, flush=True)


def main() -> int:
    """Try the mutants of the rooms asked for; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--room", choices=(*ROOMS, POLICIES), action="append", help="all if not")
    parser.add_argument("--file", default="", help="only what matches this regular expression")
    parser.add_argument("--sample", type=int, help="only so many of a room's mutants, by chance")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--survivors", action="store_true", help="try again only what lived")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "mutation")
    arguments = parser.parse_args()
    folder: Path = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    low = []
    for name in arguments.room or (*ROOMS, POLICIES):
        unchanged: Callable[[], int]
        if name == POLICIES:
            seen = state(*policies.TESTS, *(f"gates/{each}" for each in policies.GATE))
            kept = folder / "synthesized" / state(*policies.sources())
            found = of_policies(kept, arguments.file)
            unchanged = _policies_unchanged(kept)
        else:
            room = ROOMS[name]
            seen = state(*room.sources(), *room.all_tests())
            found = of_code(room, arguments.file)
            unchanged = _tests_unchanged(room)
        results = Results(folder / f"{name}.jsonl", seen, trusted=arguments.survivors)
        share = score(name, found, results, unchanged, arguments.processes, arguments.sample)
        if share < LOWEST_SCORE:
            low.append(name)
    for name in low:
        _say(f"{name}: below {LOWEST_SCORE:.0f} %")
    return 1 if low else 0


def _tests_unchanged(room: Room) -> Callable[[], int]:
    return lambda: running.run_tests(room.all_tests())


def _policies_unchanged(kept: Path) -> Callable[[], int]:
    return lambda: policies.noticed(None, kept)


if __name__ == "__main__":
    sys.exit(main())
