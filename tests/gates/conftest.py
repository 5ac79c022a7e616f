"""The development stage, synthesized once for all gates."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gates.assembly import Assembly, synthesize


@pytest.fixture(scope="session")
def assembly() -> Iterator[Assembly]:
    """What `app.py` makes of the development stage."""
    with tempfile.TemporaryDirectory() as folder:
        yield synthesize(Path(folder), functions="local")
