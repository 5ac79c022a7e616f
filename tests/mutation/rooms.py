"""What `make mutation` changes, room by room, and the tests that must notice."""

import dataclasses
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclasses.dataclass(frozen=True)
class Room:
    """Files that are changed, and the tests of them, as patterns from the project's folder."""

    files: tuple[str, ...]
    tests: tuple[str, ...]

    def sources(self) -> list[str]:
        """The files, from the project's folder."""
        return _found(self.files)

    def tests_of(self, source: str) -> list[str]:
        """The tests in a source's mirrored place, or those of the whole room if it has none.

        What only the tests of other files notice counts as not noticed: they may change.
        """
        path = Path(source)
        own = str(Path("tests") / path.with_name(f"test_{path.name}"))
        return [own] if own in self.all_tests() else self.all_tests()

    def all_tests(self) -> list[str]:
        """The files of tests, from the project's folder."""
        return _found(self.tests)


def _found(patterns: tuple[str, ...]) -> list[str]:
    return [
        str(path.relative_to(ROOT)) for pattern in patterns for path in sorted(ROOT.glob(pattern))
    ]


ROOMS = {
    "cleanup": Room(files=("lambda/cleanup/*.py",), tests=("tests/lambda/cleanup/test_*.py",)),
    "start": Room(files=("lambda/start/*.py",), tests=("tests/lambda/start/test_*.py",)),
    # All that is common but what fetches, whose tests take ten times as long as the others.
    "common": Room(files=("lambda/common/[!f]*.py",), tests=("tests/lambda/common/test_[!f]*.py",)),
    "fetch": Room(
        files=("lambda/common/fetch*.py",), tests=("tests/lambda/common/test_fetch*.py",)
    ),
    "check": Room(
        files=("data_prep/check.py",),
        tests=("tests/data_prep/test_check.py", "tests/data_prep/test_refusals.py"),
    ),
}
