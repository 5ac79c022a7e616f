"""Service integrations: requests in the SDK's shapes, answers as JSON, errors by AWS's names.

moto leaves out LocalStack's conversion between what a state machine writes (member names in Pascal
case, whatever the service's own case; objects where the service takes bytes) and botocore's shapes,
and hands botocore's dates and streams on as they are.
"""

import datetime as dt
import json
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import (
    CustomErrorName,
)
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent
from moto.stepfunctions.parser.asl.eval.environment import Environment

from localcloud import hooks
from localcloud.stepfunctions.clients import client_for

_SERVICES = "moto.stepfunctions.parser.asl.component.state.exec.state_task.service"

# The service part of an aws-sdk integration's error names: the class prefix in the SDK for Java 2.
_ERROR_NAMES = {
    "cloudformation": "CloudFormation",
    "cloudwatch": "CloudWatch",
    "cloudwatchlogs": "CloudWatchLogs",
    "dynamodb": "DynamoDb",
    "ecr": "Ecr",
    "eventbridge": "EventBridge",
    "iam": "Iam",
    "kms": "Kms",
    "lambda": "Lambda",
    "s3": "S3",
    "sagemaker": "SageMaker",
    "sagemakerruntime": "SageMakerRuntime",
    "scheduler": "Scheduler",
    "secretsmanager": "SecretsManager",
    "sfn": "Sfn",
    "sns": "Sns",
    "sqs": "Sqs",
    "ssm": "Ssm",
    "sts": "Sts",
}


@hooks.edits(
    f"{_SERVICES}.state_task_service_aws_sdk:_SERVICE_ERROR_NAMES",
    reason="knows the error names of two services only",
)
def _with_error_names(names: dict[str, str]) -> dict[str, str]:
    return names | _ERROR_NAMES


def jsonable(value: Any, *, epoch_millis: bool = False) -> Any:
    """An SDK's answer as JSON.

    Args:
        value: What botocore returned.
        epoch_millis: Dates as milliseconds since 1970, as `.sync` integrations give them;
            otherwise as ISO 8601 texts, as aws-sdk integrations do.
    """
    if isinstance(value, dt.datetime):
        if epoch_millis:
            return round(value.timestamp() * 1000)
        utc = value.astimezone(dt.UTC)
        return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, dict):
        return {
            key: jsonable(item, epoch_millis=epoch_millis)
            for key, item in value.items()
            if key != "ResponseMetadata"
        }
    if isinstance(value, (list, tuple)):
        return [jsonable(item, epoch_millis=epoch_millis) for item in value]
    if hasattr(value, "read"):
        value = value.read()
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def failure(
    task: Any, env: Environment, *, error: str, cause: str, name: Any = None
) -> FailureEvent:
    """The failure of a task, as history, Retry and Catch see it."""
    details: Any = {
        "taskFailedEventDetails": {
            "resource": task._get_sfn_resource(),
            "resourceType": task._get_sfn_resource_type(),
            "error": error,
            "cause": cause,
        }
    }
    return FailureEvent(
        env=env,
        error_name=name or CustomErrorName(error),
        event_type=HistoryEventType.TaskFailed,
        event_details=details,
    )


def not_startable(task: Any, env: Environment, error: ParamValidationError) -> FailureEvent:
    """The failure of a task whose request does not fit the service's model."""
    problems = "; ".join(line for line in error.kwargs["report"].splitlines() if line)
    cause = f"The Parameters could not be used to start the Task: [{problems}]"
    return failure(task, env, error="States.Runtime", cause=cause)


@hooks.replaces(
    f"{_SERVICES}.state_task_service:StateTaskService._normalise_parameters",
    reason="requests are not brought into the service's shapes",
    overridden_by=("StateTaskServiceApiGateway", "StateTaskServiceLambda", "StateTaskServiceSfn"),
)
def _to_request(
    self: Any,
    parameters: Any,
    boto_service_name: str | None = None,
    service_action_name: str | None = None,
) -> None:
    """Bring a task's parameters into the operation's shape, in place."""
    operation = _operation(self, boto_service_name, service_action_name)
    if operation and operation.input_shape and isinstance(parameters, dict):
        converted = _to_shape(parameters, operation.input_shape)
        parameters.clear()
        parameters.update(converted)


@hooks.replaces(
    f"{_SERVICES}.state_task_service:StateTaskService._normalise_response",
    reason="answers hold dates and streams instead of JSON, members in the service's case",
    overridden_by=("StateTaskServiceApiGateway", "StateTaskServiceSqs"),
)
def _to_json(
    self: Any,
    response: Any,
    boto_service_name: str | None = None,
    service_action_name: str | None = None,
) -> None:
    """Bring a task's answer into JSON with members in Pascal case, in place."""
    operation = _operation(self, boto_service_name, service_action_name)
    if operation and isinstance(response, dict):
        converted = _pascal(jsonable(response), operation.output_shape)
        response.clear()
        response.update(converted)


def _operation(task: Any, service: str | None, action: str | None) -> OperationModel | None:
    """The model of the operation a task calls; None for what botocore does not know."""
    client = client_for("us-east-1", task._get_boto_service_name(service))
    method = xform_name(action or task.resource.api_action)
    operation = client.meta.method_to_api_mapping.get(method)
    return client.meta.service_model.operation_model(operation) if operation else None


def _to_shape(value: Any, shape: Shape) -> Any:
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        members = {name.lower(): name for name in shape.members}
        converted = {}
        for key, item in value.items():
            name: str = members.get(str(key).lower()) or key
            member = shape.members.get(name)
            converted[name] = item if member is None else _to_shape(item, member)
        return converted
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_to_shape(item, shape.member) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: _to_shape(item, shape.value) for key, item in value.items()}
    if shape.type_name == "blob" and not isinstance(value, bytes):
        # What is not bytes is stored as its JSON text: s3:putObject with an object as Body.
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    if shape.type_name == "string" and isinstance(value, (dict, list)):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return value


def _pascal(value: Any, shape: Shape | None) -> Any:
    """Member names of structures with a capital; keys of maps are data and stay."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        return {
            key[:1].upper() + key[1:]: _pascal(item, shape.members.get(key))
            for key, item in value.items()
        }
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_pascal(item, shape.member) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: _pascal(item, shape.value) for key, item in value.items()}
    return value


@hooks.around(
    f"{_SERVICES}.state_task_service_aws_sdk:StateTaskServiceAwsSdk._from_error",
    reason="errors that botocore raises itself become States.Runtime",
)
def _with_client_errors(
    from_error: Any, self: Any, env: Environment, ex: Exception
) -> FailureEvent:
    """Name the errors that never reach the service as AWS does."""
    if isinstance(ex, ParamValidationError):
        return not_startable(self, env, ex)
    if isinstance(ex, BotoCoreError) and not isinstance(ex, ClientError):
        service = self._normalise_service_error_name(self.resource.api_name)
        return failure(self, env, error=f"{service}.SdkClientException", cause=str(ex))
    if isinstance(ex, ClientError):
        ex.response["ResponseMetadata"].setdefault("RequestId", "")  # moto takes it as given
    found: FailureEvent = from_error(self, env, ex)
    return found
