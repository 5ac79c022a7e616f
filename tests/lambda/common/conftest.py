"""What is fetched from."""

from collections.abc import Iterator

import pytest

from tests.fetching import Site, serving


@pytest.fixture
def site() -> Iterator[Site]:
    """A server on a free loopback port."""
    with serving() as found:
        yield found
