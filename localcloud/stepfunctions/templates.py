"""State machines in CloudFormation's templates: checked as the API checks them, logs as asked."""

from collections.abc import Callable
from typing import Any

from ministack.services.cloudformation import provisioners

from localcloud import hooks
from localcloud.stepfunctions import validation

_PROVISIONERS = "ministack.services.cloudformation.provisioners"
_MACHINE = f"{_PROVISIONERS}:_RESOURCE_HANDLERS.AWS/StepFunctions/StateMachine"


@hooks.around(
    f"{_MACHINE}.create",
    reason="a template's invalid definition is accepted, its logging configuration lost",
)
def _created(
    create: Callable[..., Any], logical_id: str, props: dict[str, Any], stack_name: str
) -> Any:
    _refuse_invalid(props)
    return create(logical_id, _with_api_logging(props), stack_name)


@hooks.around(f"{_MACHINE}.update", reason="a template's invalid definition is accepted")
def _updated(
    update: Callable[..., Any],
    physical_id: str,
    old_props: dict[str, Any],
    new_props: dict[str, Any],
    stack_name: str,
    logical_id: str | None = None,
) -> Any:
    _refuse_invalid(new_props)
    old, new = _with_api_logging(old_props), _with_api_logging(new_props)
    return update(physical_id, old, new, stack_name, logical_id)


@hooks.uses(
    f"{_PROVISIONERS}:_sfn_definition",
    reason="reads the definition a template declares",
    parameters=("props",),
)
def _refuse_invalid(props: dict[str, Any]) -> None:
    """Fail a stack whose state machine is invalid, before the machine is touched."""
    found = validation.problems(
        provisioners._sfn_definition(props), props.get("StateMachineType", "STANDARD")
    )
    if found:
        text = ", ".join(map(str, found))
        raise ValueError(f"Invalid State Machine Definition: '{text}'")


def _with_api_logging(props: dict[str, Any]) -> dict[str, Any]:
    """A template's logging configuration with the API's member names (MiniStack keeps its own)."""
    if "LoggingConfiguration" not in props:
        return props
    return props | {"LoggingConfiguration": _camel(props["LoggingConfiguration"])}


def _camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: _camel(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_camel(item) for item in value]
    # A template's booleans may arrive as texts.
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value
