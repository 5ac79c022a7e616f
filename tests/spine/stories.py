"""Histories written by hand, as Step Functions words them (GetExecutionHistory API reference)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from spine.history import Event

BEGIN = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Story:
    """Writes a history event by event; each call returns the id of its event.

    `at` is the time of the next events, in seconds since the beginning. Unless told otherwise an
    event follows the one written before it.
    """

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.at = 0.0
        self.add("ExecutionStarted")

    def add(self, kind: str, *, after: int | None = None, **details: Any) -> int:
        """Write one event, with its details under the name the API gives them."""
        number = len(self.events) + 1
        key = kind
        for suffix in ("StateEntered", "StateExited"):
            if kind.endswith(suffix):
                key = suffix
        event = {
            "id": number,
            "previousEventId": number - 1 if after is None else after,
            "type": kind,
            "timestamp": BEGIN + timedelta(seconds=self.at),
            f"{key[0].lower()}{key[1:]}EventDetails": details,
        }
        self.events.append(event)
        return number

    def enter(self, name: str, *, kind: str = "Task", after: int | None = None) -> int:
        """Enter a state."""
        return self.add(f"{kind}StateEntered", after=after, name=name)

    def leave(self, name: str, *, kind: str = "Task", after: int | None = None) -> int:
        """Leave a state."""
        return self.add(f"{kind}StateExited", after=after, name=name)

    def task(
        self,
        name: str,
        *,
        seconds: float = 1.0,
        resource: str = "lambda:invoke",
        parameters: str = "{}",
        output: str = "{}",
        after: int | None = None,
    ) -> int:
        """Enter a task, run it, leave it."""
        self.enter(name, after=after)
        self.schedule(resource=resource, parameters=parameters)
        self.at += seconds
        self.add("TaskSucceeded", output=output)
        return self.leave(name)

    def schedule(self, *, resource: str = "lambda:invoke", parameters: str = "{}") -> int:
        """Schedule the task of the state entered last."""
        kind, _, action = resource.partition(":")
        self.add("TaskScheduled", resourceType=kind, resource=action, parameters=parameters)
        return self.add("TaskStarted")


def told(tell: Callable[[Story], object]) -> list[Event]:
    """The events of a story."""
    story = Story()
    tell(story)
    return list(story.events)
