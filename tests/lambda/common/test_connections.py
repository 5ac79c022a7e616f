"""Connections end with their deadline."""

import socket
import time

import pytest

from spine.shipped import load

connections = load("common.connections")


def test_a_wait_takes_what_is_left_at_most() -> None:
    """And never more than one wait may."""
    now = iter([0.0, 7.0, 9.5, 10.0, 10.0])
    deadline = connections.Deadline(end=10.0, each=4.0, clock=lambda: next(now))
    assert [deadline.left() for _ in range(3)] == [4.0, 3.0, 0.5]
    with pytest.raises(TimeoutError):
        deadline.left()
    assert deadline.is_over


def test_a_server_that_never_answers_tls_is_given_up() -> None:
    """The connection and the handshake together take no longer than the time-out."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        connection = connections.PinnedConnection("data.example", "127.0.0.1", 0.2)
        connection.port = silent.getsockname()[1]
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            connection.connect()
        assert time.monotonic() - began < 3
        assert connection.sock is None


def test_the_resolver_gives_addresses_or_fails_by_name() -> None:
    """A numeric host resolves to itself without a network, and a name that cannot be one fails."""
    assert connections.resolved_within(5, connections.resolve, "127.0.0.1") == ["127.0.0.1"]
    for name in ("a" * 64 + ".example", "a..b"):
        with pytest.raises(OSError, match=r".+"):
            connections.resolved_within(5, connections.resolve, name)
