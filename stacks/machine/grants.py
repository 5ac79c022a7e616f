"""What a machine's role may do: what its states ask for, noted as they are made."""

from collections.abc import Iterator
from typing import Any

from stacks.base import SpineStack
from stacks.permissions import Permission, allow

ANY_RUN = (
    "What a run makes is known beforehand by the stage's name prefix and the run's folder only."
)


class Grants:
    """Collects the permissions of one machine."""

    def __init__(self, stack: SpineStack) -> None:
        self._stack = stack
        self._functions: dict[str, None] = {}
        self._created: dict[str, Any] = {}
        self._adopted: dict[str, Any] = {}
        self._roles: dict[str, None] = {}
        self._others: list[Permission] = []

    def invocation(self, function_arn: str) -> None:
        """A state invokes a function."""
        self._functions[function_arn] = None

    def creation(self, kind: Any, *, role_arn: str | None) -> None:
        """A state makes one of these, under a role of SageMaker's."""
        self._created[kind.noun] = kind
        if role_arn is not None:
            self._roles[role_arn] = None

    def adoption(self, kind: Any) -> None:
        """A state asks whose one of these is."""
        self._adopted[kind.noun] = kind

    def also(self, *permissions: Permission) -> None:
        """Whatever else a state needs."""
        self._others += permissions

    def permissions(self) -> Iterator[Permission]:
        """All statements of the role."""
        stack = self._stack
        if self._functions:
            yield allow("lambda:InvokeFunction", on=list(self._functions))
        for kind in self._created.values():
            conditions = creation_conditions(kind, stack.settings.instance_types)
            yield of_runs(stack, kind, kind.operation("Create"), when=conditions)
            if kind.events_rule:
                # What it is waited for by, and stopped by when the run is.
                yield of_runs(stack, kind, kind.operation("Describe"), kind.operation("Stop"))
        for kind in self._adopted.values():
            yield of_runs(stack, kind, "ListTags")
        yield from self._others
        for kind in self._created.values():
            # At creation, and later on an endpoint that is kept.
            yield of_runs(stack, kind, "AddTags")
        for role_arn in self._roles:
            yield allow(
                "iam:PassRole",
                on=[role_arn],
                when={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
            )
        rules = [kind.events_rule for kind in self._created.values() if kind.events_rule]
        if rules:
            # How Step Functions learns that a job it waits for has ended.
            yield allow(
                "events:DescribeRule",
                "events:PutRule",
                "events:PutTargets",
                on=stack.arns("events", *(f"rule/{rule}" for rule in rules)),
            )
        if any(kind.kms_keys for kind in self._created.values()):
            yield from stack.volumes()


def of_runs(
    stack: SpineStack, kind: Any, *operations: str, when: dict[str, Any] | None = None
) -> Permission:
    """Actions of SageMaker on one kind of what this stage's runs make."""
    return allow(
        *(f"sagemaker:{operation}" for operation in operations),
        on=stack.arns("sagemaker", f"{kind.resource_type}/{stack.settings.prefix}-*"),
        when=when,
        because=ANY_RUN,
    )


def creation_conditions(kind: Any, instance_types: tuple[str, ...]) -> dict[str, Any]:
    """Without a network where SageMaker can do without, on instances of the settings only."""
    conditions: dict[str, Any] = {}
    if kind.instance_types:
        conditions["ForAllValues:StringEquals"] = {"sagemaker:InstanceTypes": list(instance_types)}
    if kind.network_isolation:
        conditions["Bool"] = {"sagemaker:NetworkIsolation": "true"}
    return conditions
