"""Calls end in time and give way to throttling."""

import pytest

from spine.shipped import load
from tests.leftovers import Remaining
from tests.support import client_error

pacing = load("cleanup.pacing")


class Service:
    """Answers, or raises what it is given."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.calls = 0

    def ask(self, *, question: str) -> str:
        """Answer."""
        self.calls += 1
        if self.error:
            raise self.error
        return question


def test_no_call_is_begun_when_the_time_is_up() -> None:
    """The clock is looked at before each."""
    left = iter([0.1, 0.0])
    service = Service()
    client = pacing.paced(service, lambda: next(left))
    assert client.ask(question="q") == "q"
    with pytest.raises(pacing.OutOfTimeError):
        client.ask(question="q")
    assert service.calls == 1


@pytest.mark.parametrize("code", ["ThrottlingException", "Throttling", "TooManyRequestsException"])
def test_throttled_calls_wait_longer_each_time_until_one_is_answered(code: str) -> None:
    """Then as at first; never beyond the time there is."""
    slept: list[float] = []
    service = Service()
    left = [100.0]
    client = pacing.paced(service, lambda: left[0], slept.append)

    def throttled(times: int) -> None:
        service.error = client_error(code, "Rate exceeded", "Ask")
        for _ in range(times):
            with pytest.raises(Exception, match="Rate exceeded"):
                client.ask(question="q")
        service.error = None

    throttled(6)
    assert slept == [1, 2, 4, 8, 15, 15]
    client.ask(question="q")
    left[0] = 0.5
    throttled(1)
    assert slept[6:] == [0.5]


def test_other_errors_are_raised_at_once() -> None:
    """Waiting would not help."""
    slept: list[float] = []
    service = Service()
    service.error = client_error("AccessDeniedException", "no", "Ask")
    with pytest.raises(Exception, match="no"):
        pacing.paced(service, lambda: 1.0, slept.append).ask(question="q")
    assert slept == []


def test_calls_end_with_a_margin_before_lambda_ends_the_function() -> None:
    """Lambda counts in milliseconds, the margin is in seconds."""
    assert pacing.seconds_left(Remaining(900), margin=120) == 780
    assert pacing.seconds_left(Remaining(60), margin=120) == -60
