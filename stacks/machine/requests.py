"""Requests that make something in SageMaker, by the table of what runs make there."""

from typing import Any

from spine.shipped import load
from stacks.settings import Settings

# So many characters hold a run's name and its attempt (lambda/common/names.py).
_LONG_NAME = 63


def kind_of(noun: str) -> Any:
    """The row of what runs make in SageMaker, by what the API calls it, such as `TrainingJob`.

    Raises:
        KeyError: The table has no such row.
    """
    found = load("common.kinds").of_action(f"create{noun}")
    if found is None:
        raise KeyError(f"lambda/common/kinds.py has no row {noun}")
    return found


def run_name(kind: Any) -> str:
    """An expression: what the run's own is called, or what the names of its attempts begin with."""
    return "$plan.run.name" if kind.longest_name >= _LONG_NAME else "$plan.run.short_name"


def attempt(kind: Any) -> str:
    """An expression that names an attempt: the names of failed and lost jobs stay taken.

    What follows the run's name cannot repeat: it is when the state was entered, or entered again by
    a redrive, in milliseconds since the run began, and the count of the retries since, in seven
    digits to the base 36 (`lambda/common/names.py`). A state is entered once at a time. They
    begin again at zero after 90 days. Counters would not do: a Parallel that is entered again in
    one redrive begins its own anew.

    A job whose creation lost its answer runs on under its own name; the clean-up stops it.
    """
    execution = "$states.context.Execution"
    entered = (
        f"$max([$toMillis($states.context.State.EnteredTime), $toMillis({execution}.RedriveTime)])"
    )
    since = f"{entered} - $toMillis({execution}.StartTime)"
    digits = f"$formatBase(({since}) * 10 + $states.context.State.RetryCount, 36)"
    return f"{run_name(kind)} & '-' & $substring('000000' & {digits}, -7)"


def secured(kind: Any, request: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """A request with what the kind and the settings ask of every request of the kind.

    Its containers get no network where SageMaker can do without, what its instances tell each other
    is encrypted, and keys and VPC are those of the settings.
    """
    for path in filter(None, (kind.network_isolation, kind.traffic_encryption)):
        request = _with(request, path, value=True)
    if settings.network and kind.vpc:
        vpc = {
            "Subnets": list(settings.network.subnets),
            "SecurityGroupIds": list(settings.network.security_groups),
        }
        request = _with(request, kind.vpc, value=vpc)
    if settings.encryption_key:
        for path in kind.kms_keys:
            # Not every request has every part that could be encrypted.
            request = _with(request, path, value=settings.encryption_key, added=False)
    return request


def _with(request: Any, path: str, *, value: Any, added: bool = True) -> Any:
    """A request with a member set, in every item of a list.

    Args:
        request: Or a part of it.
        path: As in the table of kinds.
        value: Of the member.
        added: Whether the part that the member belongs to is added where it is missing.
    """
    if isinstance(request, list):
        return [_with(each, path, value=value, added=added) for each in request]
    name, dot, rest = path.partition(".")
    if not dot:
        return {**request, name: value}
    if name not in request and not added:
        return request
    return {**request, name: _with(request.get(name, {}), rest, value=value, added=added)}
