"""How a role is given what it may do: statement by statement, each wildcard with its reason."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from stacks.checks import acknowledge


@dataclass(frozen=True, kw_only=True)
class Permission:
    """One statement: these actions on these resources, under these conditions.

    Attributes:
        because: Why no narrower resource will do; asked for where a resource has a wildcard.
    """

    actions: tuple[str, ...]
    on: list[str]
    when: dict[str, Any] = field(default_factory=dict)
    because: str | None = None


def allow(
    *actions: str, on: list[str], when: dict[str, Any] | None = None, because: str | None = None
) -> Permission:
    """Shorthand for a `Permission` that reads like one."""
    return Permission(actions=actions, on=on, when=when or {}, because=because)


def grant(role: iam.IRole | None, permissions: Iterable[Permission]) -> None:
    """Put the statements into the role's policy.

    Raises:
        ValueError: A resource has a wildcard and the statement gives no reason, or there is no role
            of this app.
    """
    if not isinstance(role, iam.Role):
        raise ValueError(f"{role} is no role of this app: nothing can be granted to it")  # noqa: TRY004
    for permission in permissions:
        role.add_to_policy(
            iam.PolicyStatement(
                actions=list(permission.actions),
                resources=permission.on,
                conditions=permission.when,
            )
        )
        for resource in permission.on:
            shown = _as_shown(Stack.of(role).resolve(resource))
            if "*" in shown:
                if permission.because is None:
                    raise ValueError(f"{permission.actions} on {shown}: give the reason (because=)")
                acknowledge(role, {f"AwsSolutions-IAM5[Resource::{shown}]": permission.because})


def _as_shown(value: Any) -> str:
    """Write a resolved ARN the way cdk-nag does in the ids of its findings."""
    match value:
        case str():
            return value
        case {"Fn::Join": [str() as separator, [*parts]]}:
            return separator.join(_as_shown(part) for part in parts)
        case {"Fn::ImportValue": name}:
            return _as_shown(name)
        case {"Fn::GetAtt": [str() as logical_id, str() as attribute]}:
            return f"<{logical_id}.{attribute}>"
        case {"Ref": str() as logical_id}:
            return f"<{logical_id}>"
        case _:
            # Where this is not cdk-nag's own way, its finding stays open and says so.
            return json.dumps(value)
