"""The states of one machine, made one by one, and what the machine's role must be allowed for them.

Tasks are `CustomState`s: CDK's own SageMaker tasks bring broad grants and stray roles, know no spot
training, and put no tags on models and endpoints.

Everything is JSONata. `$plan` holds the checked input with names and S3 places, and variables carry
what later states need, so that the failure path still knows the run after any error.
"""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Aws
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.base import SpineStack
from stacks.machine.grants import ANY_RUN, Grants, of_runs
from stacks.machine.requests import attempt, kind_of, run_name, secured
from stacks.permissions import allow
from stacks.storage import Storage

# 2 + 4 + 8 + 16 + 30 + 30 s at most, with full jitter: 90 s for the service to recover. The
# time-out of the client is Step Functions' own, for an invocation whose answer does not come.
_LAMBDA_RETRY = {
    "ErrorEquals": [
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.ClientExecutionTimeoutException",
        "Lambda.SdkClientException",
        "Lambda.TooManyRequestsException",
    ],
    "IntervalSeconds": 2,
    "BackoffRate": 2,
    "MaxAttempts": 6,
    "MaxDelaySeconds": 30,
    "JitterStrategy": "FULL",
}

# 5 + 10 + 20 + 40 + 60 s at most: 135 s for the network. Only what Step Functions names apart
# stands here; what it does not, `retrying` tells apart.
_CREATION_RETRY = {
    "ErrorEquals": ["SageMaker.SdkClientException"],
    "IntervalSeconds": 5,
    "BackoffRate": 2,
    "MaxAttempts": 5,
    "MaxDelaySeconds": 60,
    "JitterStrategy": "FULL",
}

# 3 + 6 + 12 + 24 s at most: 45 s. These calls (describe, list and add tags) carry nothing a person
# typed, so what SageMaker answers is throttling, or its own failure.
_SAGEMAKER_RETRY = {
    "ErrorEquals": ["SageMaker.SageMakerException", "SageMaker.SdkClientException"],
    "IntervalSeconds": 3,
    "BackoffRate": 2,
    "MaxAttempts": 4,
    "MaxDelaySeconds": 30,
    "JitterStrategy": "FULL",
}

# 1 + 2 + 4 s at most.
_OBJECT_RETRY = {
    "ErrorEquals": ["S3.S3Exception", "S3.SdkClientException"],
    "IntervalSeconds": 1,
    "BackoffRate": 2,
    "MaxAttempts": 3,
    "MaxDelaySeconds": 10,
    "JitterStrategy": "FULL",
}

_TAGS = {
    "spine:run": "{% $plan.run.id %}",
    "spine:execution": "{% $plan.run.execution_tag %}",
}
_ROLE_MEMBERS = ("RoleArn", "ExecutionRoleArn")


class Tasks(Construct):
    """Makes the task states of one machine; it is the scope of all of its states.

    Attributes:
        label: Of the machine, as its pipeline has it.
        variables: What the machine's steps want assigned from the start, with the first values.
        output: What its steps add to the run's output.
        grants: What the machine's role must be allowed for the states made so far.
    """

    def __init__(
        self,
        stack: SpineStack,
        construct_id: str,
        *,
        storage: Storage,
        label: str,
        variables: Mapping[str, Any],
        output: Mapping[str, Any],
    ) -> None:
        """Begin a machine without states.

        Args:
            stack: The machine's.
            construct_id: Stable.
            storage: Holds the runs.
            label: See the class.
            variables: See the class.
            output: See the class.
        """
        super().__init__(stack, construct_id)
        self._stack = stack
        self._storage = storage
        self.label = label
        self.variables = variables
        self.output = output
        self.grants = Grants(stack)

    def function(
        self,
        name: str,
        function: lambda_.Function,
        *,
        payload: dict[str, Any],
        comment: str,
        retries: tuple[dict[str, Any], ...] = (),
        **rest: Any,
    ) -> sfn.CustomState:
        """Invoke a function; `rest` are further members of the state, such as `Assign`."""
        self.grants.invocation(function.function_arn)
        timeout = function.timeout
        assert timeout is not None  # noqa: S101 (narrows the type; every function of ours sets it)
        return self.task(
            name,
            "lambda:invoke",
            Comment=comment,
            Arguments={"FunctionName": function.function_arn, "Payload": payload},
            # The function has its own limit; this one covers an invocation that never answers.
            TimeoutSeconds=int(timeout.to_seconds()) + 30,
            Retry=[_LAMBDA_RETRY, *retries],
            **rest,
        )

    def creation(
        self,
        name: str,
        noun: str,
        *,
        arguments: dict[str, Any],
        timeout: int | str = 60,
        **rest: Any,
    ) -> sfn.CustomState:
        """Make something in SageMaker: named after the run, tagged, and secured by its kind.

        Args:
            name: Of the state.
            noun: What the API calls it, such as `TrainingJob`; its end is waited for where
                Step Functions offers it.
            arguments: The request but for what every request of its kind has in common.
            timeout: In seconds, or an expression.
            rest: Further members of the state.
        """
        kind = kind_of(noun)
        own_name = attempt(kind) if kind.is_job else run_name(kind)
        self.grants.creation(kind, role_arn=_role_of(arguments))
        return self.task(
            name,
            f"sagemaker:{kind.action}{'.sync' if kind.events_rule else ''}",
            Arguments={
                kind.name_member: f"{{% {own_name} %}}",
                **secured(kind, arguments, self._stack.settings),
                "Tags": self._tags(),
            },
            TimeoutSeconds=timeout,
            Retry=[_CREATION_RETRY],
            **rest,
        )

    def call(
        self, name: str, operation: str, noun: str, *, arguments: dict[str, Any], **rest: Any
    ) -> sfn.CustomState:
        """Another operation on what the run has made, such as `DescribeEndpoint`."""
        self.grants.also(of_runs(self._stack, kind_of(noun), operation))
        return self.task(
            name,
            f"aws-sdk:sagemaker:{operation[0].lower()}{operation[1:]}",
            Arguments=arguments,
            TimeoutSeconds=60,
            Retry=[_SAGEMAKER_RETRY],
            **rest,
        )

    def put(self, name: str, key: str, body: Any, *, pattern: str, **rest: Any) -> sfn.CustomState:
        """Write a small object of the run, whose keys follow a pattern, as JSON."""
        arguments = {"Key": key, "Body": body, "ContentType": "application/json"}
        return self._object(name, "PutObject", arguments, pattern=pattern, **rest)

    def get(self, name: str, key: str, *, pattern: str, **rest: Any) -> sfn.CustomState:
        """Read a small object of the run, whose keys follow a pattern."""
        return self._object(name, "GetObject", {"Key": key}, pattern=pattern, **rest)

    def task(self, name: str, resource: str, **members: Any) -> sfn.CustomState:
        """Any task, by the members of its state; grants nothing."""
        state = {
            "Type": "Task",
            "Resource": f"arn:{Aws.PARTITION}:states:::{resource}",
            **members,
        }
        return sfn.CustomState(self, name, state_json=state)

    def arn(self, noun: str) -> str:
        """An expression: the ARN of the run's own endpoint, endpoint config or model."""
        kind = kind_of(noun)
        place = f"arn:{Aws.PARTITION}:sagemaker:{Aws.REGION}:{Aws.ACCOUNT_ID}"
        return f"{{% '{place}:{kind.resource_type}/' & {run_name(kind)} %}}"

    def _object(
        self, name: str, action: str, arguments: dict[str, Any], *, pattern: str, **rest: Any
    ) -> sfn.CustomState:
        self.grants.also(
            allow(
                f"s3:{action}",
                on=self._storage.objects(pattern, to=self._stack),
                because=ANY_RUN,
            ),
            *self._stack.with_key("kms:Decrypt", "kms:GenerateDataKey", via="s3"),
        )
        return self.task(
            name,
            f"aws-sdk:s3:{action[0].lower()}{action[1:]}",
            Arguments={"Bucket": "{% $plan.bucket %}", **arguments},
            TimeoutSeconds=60,
            Retry=[_OBJECT_RETRY],
            **rest,
        )

    def _tags(self) -> list[dict[str, str]]:
        tags = {"spine:stage": self._stack.settings.stage, **_TAGS}
        return [{"Key": key, "Value": value} for key, value in tags.items()]


def _role_of(request: Mapping[str, Any]) -> str | None:
    """The role that a request names, be it in a part of it."""
    given: list[str] = [request[name] for name in _ROLE_MEMBERS if name in request]
    parts = (each for each in request.values() if isinstance(each, Mapping))
    return next(iter([*given, *filter(None, map(_role_of, parts))]), None)
