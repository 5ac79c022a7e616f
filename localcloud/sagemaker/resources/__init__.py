"""One module a kind of resource: its operations, and the life of what it starts.

A module defines a class that derives from `Resource`; each method marked with `operation` answers
the operation of that name, given the checked request. Adding a kind is adding a module.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from localcloud.sagemaker.errors import invalid, not_available
from localcloud.sagemaker.jobs import Platform
from localcloud.sagemaker.records import Kind, Record

Request = dict[str, Any]
Handler = Callable[[Request], dict[str, Any]]
_Method = TypeVar("_Method", bound=Callable[..., dict[str, Any]])


def operation(method: _Method) -> _Method:
    """Marks a method as an operation: `create_training_job` answers `CreateTrainingJob`."""
    method.__dict__["operation"] = "".join(word.capitalize() for word in method.__name__.split("_"))
    return method


class Resource:
    """The operations of one kind of resource."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.store = platform.store

    def operations(self) -> dict[str, Handler]:
        """Handlers by operation name."""
        methods = (getattr(self, name) for name in dir(type(self)) if not name.startswith("_"))
        return {method.operation: method for method in methods if hasattr(method, "operation")}

    def listing(
        self, kind: Kind, request: Request, member: str, *, ascending: bool = False
    ) -> dict[str, Any]:
        """Answers a List operation whose output holds its items in `member`."""
        items, token = self.store.page(kind, request, ascending=ascending)
        return {member: items, "NextToken": token}

    def stop(
        self, kind: Kind, request: Request, then: Callable[[Record], None] | None = None
    ) -> dict[str, Any]:
        """Answers a Stop operation: tells the job of that name to stop, once.

        Args:
            kind: A kind of job.
            request: Names it.
            then: Done under the same lock once the job shows as Stopping, before it is told.

        Raises:
            ApiError: There is no such job, or it has ended.
        """
        assert kind.status is not None  # noqa: S101 - every job has a state
        with self.store.lock:
            record = self.store.get(kind, request[kind.name_member])
            status = record.members[kind.status]
            if status == "Stopping":
                return {}
            if status != "InProgress":
                raise invalid(
                    f"The request was rejected because the {kind.noun} is in status {status}."
                )
            self.store.update(record, **{kind.status: "Stopping"})
            if then is not None:
                then(record)
            record.runtime.stop()
        return {}


def load(platform: Platform) -> dict[str, Handler]:
    """The handlers of every module of this package."""
    handlers: dict[str, Handler] = {}
    for found in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{found.name}")
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Resource) and value is not Resource:
                handlers |= value(platform).operations()
    return handlers


def only(name: str, request: Mapping[str, Any], supported: Iterable[str]) -> None:
    """Refuses members that would change what happens and that nothing here acts on.

    Args:
        name: The operation, for the message.
        request: A checked request.
        supported: Dotted paths of the members that are acted on, or that change nothing that
            can be seen here. A path stands for all below it; items of lists have no index.

    Raises:
        ApiError: Another member is given.
    """
    allowed = frozenset(supported)
    _only(name, request, "", allowed)


def _only(name: str, value: Any, path: str, allowed: frozenset[str]) -> None:
    if path in allowed:
        return
    if isinstance(value, dict):
        for key, item in value.items():
            if item is not None:
                _only(name, item, f"{path}.{key}" if path else key, allowed)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for item in value:
            _only(name, item, path, allowed)
    # An empty list or a switch that is off asks for nothing.
    elif value not in ([], False):
        raise not_available(f"{path} of {name}", "Leave it out.")


def value_of(name: str, path: str, value: Any, offered: Iterable[Any]) -> None:
    """Refuses a value of a member that is valid on AWS and not offered here.

    Raises:
        ApiError: `value` is given and not among `offered`.
    """
    options = list(offered)
    if value is not None and value not in options:
        raise not_available(
            f"{path} {value!r} of {name}", f"Use {' or '.join(map(repr, options))}."
        )
