"""How the tests spread over processes (`pytest -n 2`, which `make test` runs)."""

import pytest
from xdist.scheduler import LoadScopeScheduling

# The folders whose tests wait for processes of their own, those that take longest first: what is
# left for the end should be short. Session fixtures (a deployed cloud, a synthesized app) are made
# once in each process, so a folder stays in one; the clients are half of all that is end to end.
_LONGEST_FIRST = (
    "tests/e2e/test_clients.py",
    "tests/e2e/",
    "tests/reliability/",
    "tests/localcloud/sagemaker/",
    "tests/stacks/",
    "tests/localcloud/stepfunctions/",
    "tests/localcloud/",
    "tests/gates/",
    "tests/spine/",
    "tests/security/",
    "tests/fuzz/",
)


def _group(nodeid: str) -> tuple[int, str]:
    """What stays together, with its place in the order: a folder of the list, or a file."""
    path = nodeid.split("::")[0]
    for rank, start in enumerate(_LONGEST_FIRST):
        if path.startswith(start):
            return rank, start
    return len(_LONGEST_FIRST), path


class _FolderScheduling(LoadScopeScheduling):  # type: ignore[misc] # xdist is untyped
    # pytest-xdist's own groups (`--dist loadgroup`) have no effect with pytest 9.2: it names
    # tests anew, and pytest no longer reads the attribute that it sets.
    def _split_scope(self, nodeid: str) -> str:
        return _group(nodeid)[1]


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    """Hand whole groups to processes, in the order of collection."""
    config.option.loadscopereorder = False
    return _FolderScheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes longest first."""
    items.sort(key=lambda item: _group(item.nodeid)[0])
