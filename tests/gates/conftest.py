"""What the gates judge."""

import pytest

from gates.assembly import Assembly


@pytest.fixture(scope="session")
def assembly(dev: Assembly) -> Assembly:
    """The development stage."""
    return dev
