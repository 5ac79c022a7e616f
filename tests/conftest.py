"""How the tests spread over processes (`pytest -n 2 --dist loadgroup`, which `make test` runs)."""

from pathlib import Path

import pytest

_TESTS = Path(__file__).parent

# The folders whose tests wait for processes of their own, those that take longest first: what is
# left for the end should be short. Session fixtures (a deployed cloud, a synthesized app) are made
# once in each process, so a folder stays in one.
_LONGEST_FIRST = (
    "e2e",
    "reliability",
    "local/sagemaker",
    "local/states",
    "stacks",
    "local/cloud",
    "gates",
    "local/cli",
    "security",
    "fuzz",
)


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups in its own hook of this name
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep each folder of `_LONGEST_FIRST`, and each other file, in one process."""
    ranked = []
    for place, item in enumerate(items):
        path = item.path.relative_to(_TESTS).as_posix()
        rank, group = next(
            (
                (rank, folder)
                for rank, folder in enumerate(_LONGEST_FIRST)
                if path.startswith(f"{folder}/")
            ),
            (len(_LONGEST_FIRST), path),
        )
        item.add_marker(pytest.mark.xdist_group(group))
        ranked.append((rank, place, item))
    items[:] = [item for _, _, item in sorted(ranked, key=lambda each: each[:2])]
