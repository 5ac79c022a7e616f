"""Calls that end in time: none is begun too late, and throttling slows all of them down."""

import time
from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

from botocore.exceptions import ClientError

from ..common.errors import SpineError

Client = TypeVar("Client")

_LONGEST_PAUSE = 15.0
# What AWS's services call it (SageMaker, Step Functions, Application Auto Scaling).
_THROTTLED = {"ThrottlingException", "Throttling", "TooManyRequestsException"}


class OutOfTimeError(SpineError):
    """The time for calls is up; what was done is done, and the same again goes on from there."""


class Context(Protocol):
    """What Lambda tells a function about its call."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the time left before Lambda ends the function."""


def seconds_left(context: Context, *, margin: float) -> float:
    """Return how long calls may go on in this invocation, with so many seconds to spare."""
    return context.get_remaining_time_in_millis() / 1000 - margin


def paced(
    client: Client, left: Callable[[], float], sleep: Callable[[float], None] | None = None
) -> Client:
    """Return a client that looks at the clock before each call.

    A call that was throttled although boto3 had repeated it is raised, after a pause that grows
    from one such call to the next.

    Args:
        client: A boto3 client.
        left: The seconds there are for calls; without any, a call raises OutOfTimeError.
        sleep: What pauses, in tests what moves the virtual clock.
    """
    return cast("Client", _Paced(client, left, sleep or time.sleep))


def is_throttled(error: Exception) -> bool:
    """Tell whether a service asks for fewer calls."""
    return isinstance(error, ClientError) and error.response["Error"]["Code"] in _THROTTLED


class _Paced:
    def __init__(
        self, client: object, left: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self._client = client
        self._left = left
        self._sleep = sleep
        self._pause = 1.0

    def __getattr__(self, method: str) -> Callable[..., Any]:
        call = getattr(self._client, method)

        def in_time(**request: Any) -> Any:
            if self._left() <= 0:
                raise OutOfTimeError("The time is up.")
            try:
                answer = call(**request)
            except ClientError as error:
                if is_throttled(error):
                    self._sleep(max(0.0, min(self._pause, self._left())))
                    self._pause = min(2 * self._pause, _LONGEST_PAUSE)
                raise
            self._pause = 1.0
            return answer

        return in_time
