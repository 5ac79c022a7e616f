"""What the rules judge."""

import pytest

from gates.assembly import Assembly
from gates.machine import Machine, machines


@pytest.fixture(scope="session")
def machine(assembly: Assembly) -> Machine:
    """The pipeline's machine."""
    return next(each for each in machines(assembly) if each.name == "Machine")
