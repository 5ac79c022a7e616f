"""How a role is given what it may do: statement by statement, each wildcard with its reason."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from spine.shipped import load
from stacks.checks import acknowledge

# In a run's folder, whose name is not known beforehand: what lies below it.
_IN_RUNS = re.compile(r"(?P<bucket>.*)/runs/\*(?:/(?P<folder>[^/*]+)(?P<below>/.*)?)?")
_READING = ("s3:GetObject",)
_WRITING = ("s3:PutObject", "s3:DeleteObject")


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

    A `*` of a pattern crosses slashes: what may write `runs/*/train/*` may write
    `runs/x/model/train/y`. So the folders of runs that a role has nothing to do with are denied.

    Raises:
        ValueError: A resource has a wildcard and the statement gives no reason, or there is no role
            of this app.
    """
    if not isinstance(role, iam.Role):
        raise ValueError(f"{role} is no role of this app: nothing can be granted to it")  # noqa: TRY004
    permissions = list(permissions)
    for statement in _closed_folders(permissions):
        role.add_to_policy(statement)
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


def _closed_folders(permissions: list[Permission]) -> Iterator[iam.PolicyStatement]:
    """Deny the folders of runs in which a role neither reads nor writes, or does not write."""
    written = _folders(permissions, _WRITING)
    for actions, known in (
        (_READING, _folders(permissions, _READING) | written),
        (_WRITING, written),
    ):
        granted = {
            action: found
            for permission in permissions
            for action in permission.actions
            if action in actions
            for found in map(_IN_RUNS.fullmatch, permission.on)
            if found
        }
        # What is granted in the whole of `runs/` is closed nowhere.
        if not granted or None in known:
            continue
        bucket = next(iter(granted.values()))["bucket"]
        others = [each for each in load("common.folders").FOLDERS if each not in known]
        yield iam.PolicyStatement(
            effect=iam.Effect.DENY,
            actions=list(granted),
            resources=[f"{bucket}/runs/*/{each}/*" for each in others],
        )


def _folders(permissions: list[Permission], actions: tuple[str, ...]) -> set[str | None]:
    """The folders of runs in which these are granted; None where it is in all of them."""
    return {
        found["folder"]
        for permission in permissions
        if set(actions) & set(permission.actions)
        for found in map(_IN_RUNS.fullmatch, permission.on)
        if found
    }


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
