"""Who uses a run's configuration or model, beside the run."""

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ..common import kinds
from ..common.kinds import Kind
from .resources import described, listed

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

# Of the clocks that stamp what is made.
_TOLERANCE = timedelta(minutes=1)


class Usage:
    """Finds who uses something, whoever made it and whatever it is called.

    SageMaker deletes a configuration under a live endpoint and a model under whatever uses it, and
    says nothing; the endpoint goes on billing, and can no longer be scaled (API reference,
    DeleteEndpointConfig). No listing tells who uses what. What uses a thing was made, or changed,
    after it: only that is described, each once in the life of this object. Whoever was found is
    asked again at the time of the question; who came after the listing is not noticed. Asked for
    the oldest things first, one listing of each kind of user serves for all.
    """

    def __init__(self, sagemaker: "SageMakerClient") -> None:
        self._sagemaker = sagemaker
        self._known: dict[tuple[Kind, Kind], _Users] = {}
        self._lock = threading.Lock()

    def of(self, kind: Kind, name: str, created: datetime) -> str | None:
        """Say who uses it, or return None.

        Args:
            kind: Of what is asked for.
            name: What it is called.
            created: When it was made.
        """
        for user in kinds.users_of(kind):
            with self._lock:
                found = self._users(kind, user, created).of.get(name, ())
            for each in found:
                if name in self._uses(kind, user, each):
                    return f"it is used by the {user.resource_type} {each}"
        return None

    def _users(self, kind: Kind, user: Kind, created: datetime) -> "_Users":
        known = self._known.setdefault((kind, user), _Users())
        since = created - _TOLERANCE
        if known.since is None or since < known.since:
            status = "InProgress" if user.is_job else None
            by = "LastModifiedTimeAfter" if user.may_change else "CreationTimeAfter"
            asked: dict[str, Any] = {by: since}
            for each in listed(self._sagemaker, user, status=status, **asked):
                if each.name not in known.described:
                    for used in self._uses(kind, user, each.name):
                        known.of[used] = (*known.of.get(used, ()), each.name)
                    known.described.add(each.name)
            known.since = since
        return known

    def _uses(self, kind: Kind, user: Kind, name: str) -> set[str]:
        """The names of the things of a kind that one uses at present."""
        found = described(self._sagemaker, user, name)
        if found is None or (user.is_job and found[user.status_member] != "InProgress"):
            return set()
        return {value for path in user.uses_of(kind) for value in _at(found, path.split("."))}


@dataclass
class _Users:
    """Those of one kind that use things of another.

    Attributes:
        since: Whoever was made, or changed, after it is known; None before the first listing.
        described: Their names.
        of: The users of each thing, by its name.
    """

    since: datetime | None = None
    described: set[str] = field(default_factory=set)
    of: dict[str, tuple[str, ...]] = field(default_factory=dict)


def _at(value: Any, path: list[str]) -> list[str]:
    """What stands at a path; through a list, at that of every item."""
    if isinstance(value, list):
        return [found for each in value for found in _at(each, path)]
    if not path:
        return [str(value)]
    return _at(value[path[0]], path[1:]) if isinstance(value, dict) and path[0] in value else []
