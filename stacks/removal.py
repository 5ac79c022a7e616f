"""What happens when a deployment is removed: runs are stopped, and what they left is deleted.

CloudFormation deletes in reverse: first it stops what runs, then the machine goes, so that nothing
new begins, then what runs left.
"""

from collections.abc import Sequence

from aws_cdk import CustomResource, Duration
from aws_cdk import aws_iam as iam

from stacks.base import SpineStack
from stacks.functions import Function
from stacks.machine.state_machine import Machine
from stacks.permissions import allow
from stacks.steps.clean_up import cleaning


def remove_with(stack: SpineStack, machines: Sequence[Machine]) -> None:
    """Provision what the removal of the machines' stack calls."""
    leftovers = _leftovers(stack)
    for machine in machines:
        machine.node.add_dependency(leftovers)
    _stop(stack, machines)


def _leftovers(stack: SpineStack) -> CustomResource:
    tear_down = Function(
        stack,
        "TearDown",
        bundle="cleanup",
        module="teardown",
        description="deletes what runs left, when the stack is removed",
        permissions=cleaning(stack),
        environment={"NAME_PREFIX": stack.settings.prefix},
        timeout=Duration.minutes(15),
    )
    # What does not fit into one invocation is left to the next. In a policy of its own: the
    # function is made after that of its role.
    again = iam.Policy(
        stack,
        "TearDownAgain",
        statements=[
            iam.PolicyStatement(
                actions=["lambda:InvokeFunction"], resources=[tear_down.function_arn]
            )
        ],
    )
    if tear_down.role:
        again.attach_to_role(tear_down.role)
    leftovers = _when_removed("Leftovers", tear_down, timeout=Duration.hours(1))
    leftovers.node.add_dependency(again)
    return leftovers


def _stop(stack: SpineStack, machines: Sequence[Machine]) -> None:
    stop = Function(
        stack,
        "Stop",
        bundle="cleanup",
        module="stop",
        description="stops what runs, when the stack is removed",
        permissions=[
            allow("states:ListExecutions", on=[machine.state_machine_arn for machine in machines]),
            allow(
                "states:StopExecution",
                on=stack.arns(
                    "states",
                    *(f"execution:{machine.known_as}:*" for machine in machines),
                ),
                because="Executions of Spine's own machine, whatever their names.",
            ),
        ],
        environment={"NAME_PREFIX": stack.settings.prefix},
        timeout=Duration.minutes(5),
    )
    for machine in machines:
        _when_removed(
            "Running",
            stop,
            label=machine.label,
            timeout=Duration.minutes(5),
            properties={"StateMachineArn": machine.state_machine_arn},
        )


def _when_removed(
    name: str,
    function: Function,
    *,
    timeout: Duration,
    label: str = "",
    properties: dict[str, str] | None = None,
) -> CustomResource:
    """A resource whose deletion calls a function."""
    resource = CustomResource(
        function.stack,
        f"{label}{name}",
        resource_type=f"Custom::Spine{name}",
        service_token=function.function_arn,
        service_timeout=timeout,
        properties=properties,
    )
    # The policy must outlive the resource, or its function could no longer do anything.
    resource.node.add_dependency(function)
    return resource
