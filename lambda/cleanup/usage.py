"""Who serves with a run's configuration or model, beside the run."""

import threading
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ..common import kinds
from ..common.kinds import Kind
from .resources import described, listed

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

# Of the clocks that stamp what is made.
_TOLERANCE = timedelta(minutes=1)
# Since when a listing shows what may use something: an endpoint can be given another configuration
# at any time, a configuration is never changed.
_SINCE = {"Endpoint": "LastModifiedTimeAfter"}


class Usage:
    """Finds who uses something, whoever made it and whatever it is called.

    SageMaker deletes a configuration under a live endpoint and a model under a configuration, and
    says nothing; the endpoint goes on billing, and can no longer be scaled (API reference,
    DeleteEndpointConfig). No listing tells who uses what. What uses a thing was made, or changed,
    after it: only that is described, each once in the life of this object. Whoever was found is
    asked again at the time of the question; who came after the listing is not noticed.
    """

    def __init__(self, sagemaker: "SageMakerClient") -> None:
        self._sagemaker = sagemaker
        self._since: dict[Kind, datetime] = {}
        self._used: dict[Kind, dict[str, set[str]]] = {}
        self._lock = threading.Lock()

    def of(self, kind: Kind, name: str, created: datetime) -> str | None:
        """Say who uses it, or return None.

        Args:
            kind: Of what is asked for.
            name: What it is called.
            created: When it was made.
        """
        user = kinds.user_of(kind)
        if user is None:
            return None
        with self._lock:
            users = self._users(user, created)
        for each, used in users.items():
            if name in used and name in (self._uses(user, each) or ()):
                return f"it is used by the {user.resource_type} {each}"
        return None

    def _users(self, user: Kind, created: datetime) -> dict[str, set[str]]:
        known = self._used.setdefault(user, {})
        since = created - _TOLERANCE
        if user not in self._since or since < self._since[user]:
            asked: dict[str, Any] = {_SINCE.get(user.noun, "CreationTimeAfter"): since}
            for each in listed(self._sagemaker, user, **asked):
                if each.name not in known:
                    known[each.name] = self._uses(user, each.name) or set()
            self._since[user] = since
        return known

    def _uses(self, user: Kind, name: str) -> set[str] | None:
        found = described(self._sagemaker, user, name)
        if found is None:
            return None
        return {value for path in user.uses for value in _at(found, path.split("."))}


def _at(value: Any, path: list[str]) -> list[str]:
    """What stands at a path; through a list, at that of every item."""
    if isinstance(value, list):
        return [found for each in value for found in _at(each, path)]
    if not path:
        return [str(value)]
    return _at(value[path[0]], path[1:]) if isinstance(value, dict) and path[0] in value else []
