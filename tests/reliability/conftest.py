"""One deployed cloud for all tests of this folder, apart from that of the end-to-end tests."""

from collections.abc import Iterator

import pytest

from gates.assembly import Assembly
from tests.e2e.conftest import Deployment, deployed, spine


@pytest.fixture(scope="session")
def cloud_app(tmp_path_factory: pytest.TempPathFactory, dev: Assembly) -> Iterator[Deployment]:
    """The app on a cloud of its own: faults and aborts must not disturb the other tests."""
    home = tmp_path_factory.mktemp("reliability")
    try:
        yield deployed(home, dev)
    finally:
        assert spine(home, "down").returncode == 0
