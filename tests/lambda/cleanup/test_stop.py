"""Removing the stack stops its executions first."""

from typing import Any

import pytest

from spine.shipped import load
from tests.fake_sagemaker import FakeStepFunctions
from tests.leftovers import Remaining, arn, request
from tests.support import client_error

stop = load("cleanup.stop")
waiting = load("cleanup.backoff")


class Machine:
    """A state machine whose executions take `needed` stops to end."""

    def __init__(self, *names: str, needed: int = 1, gone: bool = False) -> None:
        self.left = dict.fromkeys(map(arn, names), needed)
        self.gone = gone
        self.stops: list[str] = []

    def list_executions(self, **request: Any) -> Any:
        """Two a page."""
        if self.gone:
            raise client_error("StateMachineDoesNotExist", "Gone.", "ListExecutions")
        assert (request["stateMachineArn"], request["statusFilter"]) == ("machine", "RUNNING")
        running = [name for name, left in self.left.items() if left > 0]
        at = int(request.get("nextToken", 0))
        more = {"nextToken": str(at + 2)} if at + 2 < len(running) else {}
        return {"executions": [{"executionArn": each} for each in running[at : at + 2]], **more}

    def stop_execution(self, **request: Any) -> Any:
        """One that ended by itself is refused."""
        name = request["executionArn"]
        self.stops.append(name)
        self.left[name] -= 1
        if name.endswith("ended"):
            raise client_error("ValidationException", "Execution is not running", "StopExecution")
        return {}


@pytest.mark.parametrize("needed", [1, 3])
def test_deleting_the_stack_stops_what_runs(
    clients: FakeStepFunctions,
    monkeypatch: pytest.MonkeyPatch,
    answers: tuple[str, list[dict[str, Any]]],
    needed: int,
) -> None:
    """All pages, those that ended meanwhile too, until none is running."""
    url, received = answers
    machine = Machine("one", "two", "three", "ended", needed=needed)
    monkeypatch.setattr(stop.aws, "client", lambda _: machine)
    properties: Any = {"StateMachineArn": "machine"}
    for kind in ("Create", "Update"):
        stop.handler(request(kind, url, ResourceProperties=properties), Remaining(300))
        assert machine.stops == []
    stop.handler(request("Delete", url, ResourceProperties=properties), Remaining(300))
    assert [each["Status"] for each in received] == ["SUCCESS"] * 3
    assert len(machine.stops) == 4 * needed


def test_one_round_stops_what_is_on_every_page() -> None:
    """Two a page, three pages: no further round is needed."""
    machine = Machine("one", "two", "three", "four", "five")
    with pytest.raises(stop.StillRunningError):
        stop.stop_all(machine, "machine", backoff=waiting.Backoff(0))
    assert set(machine.stops) == set(machine.left)


def test_the_function_answers_before_its_time_is_up(
    clients: FakeStepFunctions,
    monkeypatch: pytest.MonkeyPatch,
    answers: tuple[str, list[dict[str, Any]]],
) -> None:
    """However many run: the clock is looked at before each call."""
    url, received = answers
    machine = Machine(*(f"run-{number}" for number in range(1000)))
    monkeypatch.setattr(stop.aws, "client", lambda _: machine)
    properties: Any = {"StateMachineArn": "machine"}
    time_left = Remaining(300, lambda: 1.0 * len(machine.stops))
    stop.handler(request("Delete", url, ResourceProperties=properties), time_left)
    assert 100 < len(machine.stops) < 300 - 60
    assert received[0]["Status"] == "FAILED"
    assert "StillRunningError" in received[0]["Reason"]


def test_executions_that_do_not_stop_fail_the_deletion(clients: FakeStepFunctions) -> None:
    """By name; a machine that is gone has none."""
    wait = waiting.Backoff(10, lambda _: None)
    with pytest.raises(stop.StillRunningError, match=arn("one")):
        stop.stop_all(Machine("one", needed=99), "machine", backoff=wait)
    stop.stop_all(Machine("one", gone=True), "machine", backoff=wait)
