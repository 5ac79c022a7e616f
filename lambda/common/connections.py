"""Connections on which nothing outlasts its deadline, whatever the server does or leaves.

A time-out of a socket begins anew with every byte that arrives. Here each wait, for the name, the
connection, TLS, a header or the body, is for what is left of one time at most.
"""

import http.client
import io
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """When everything must have ended.

    Attributes:
        end: That moment, by the clock.
        each: Most seconds of one wait.
        clock: Seconds that never go back.
    """

    end: float
    each: float
    clock: Callable[[], float] = time.monotonic

    def left(self) -> float:
        """Return how many seconds the next wait may take.

        Raises:
            TimeoutError: None.
        """
        left = min(self.each, self.end - self.clock())
        if left <= 0:
            raise TimeoutError("the time is up")
        return left

    @property
    def is_over(self) -> bool:
        """Whether it is past."""
        return self.clock() >= self.end


class PinnedConnection(http.client.HTTPSConnection):
    """A TLS connection to an address, for a host whose certificate it must show."""

    def __init__(self, host: str, address: str, timeout: float) -> None:
        context = ssl.create_default_context()
        super().__init__(host, timeout=timeout, context=context)
        self._address = address
        self._tls = context
        self._seconds = timeout

    def connect(self) -> None:
        """Open the connection to the address given, whatever the host's name now resolves to.

        Raises:
            TimeoutError: It and TLS together took longer than the time-out.
        """
        deadline = Deadline(end=time.monotonic() + self._seconds, each=self._seconds)
        plain = socket.create_connection((self._address, self.port), deadline.left())
        try:
            # Python holds a handshake as a whole to the time-out.
            plain.settimeout(deadline.left())
            self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise


class TimedSocket:
    """As much of a connected socket as `http.client` uses, held to a deadline."""

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self._socket = connected
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        """Send everything."""
        self._socket.settimeout(self._deadline.left())
        self._socket.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return what reads the answer."""
        return io.BufferedReader(_TimedReader(self._socket, self._deadline))

    def close(self) -> None:
        """Close it, once what reads the answer is closed."""
        self._socket.close()


class _TimedReader(io.RawIOBase):
    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self._socket = connected
        self._deadline = deadline
        self._file = connected.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        self._socket.settimeout(self._deadline.left())
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


def resolve(host: str) -> list[str]:
    """Return the addresses of a host.

    Raises:
        OSError: It has none, or the resolver does not answer.
    """
    found = socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def resolved_within(
    seconds: float, resolver: Callable[[str], Iterable[str]], host: str
) -> list[str]:
    """Return the addresses of a host; the system's resolver takes no time-out of its own.

    Raises:
        OSError: It has none, or they are not known in time.
    """
    answers: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(list(resolver(host)))
        except OSError as error:
            answers.put(error)
        except ValueError:
            # Of a name that cannot be one: an empty label, one of more than 63 characters.
            answers.put(OSError(f"{host} is not a host's name"))

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"the addresses of {host} are not known within {seconds:g} s") from None
    if isinstance(answer, OSError):
        raise answer
    return answer
