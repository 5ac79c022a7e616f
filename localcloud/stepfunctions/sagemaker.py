"""Step Functions' own SageMaker integration (`states:::sagemaker:*`), which moto leaves out.

Supported as on AWS: https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html.
Jobs run with `.sync`: the task ends when the job does, a job of a task that is stopped, timed out
or given up for a failed sibling is stopped.
"""

import json
from collections.abc import Callable
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import (
    StatesErrorName,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import (
    ResourceCondition,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (  # noqa: E501
    StateTaskServiceCallback,
)
from moto.stepfunctions.parser.asl.eval.environment import Environment

from localcloud import hooks
from localcloud.stepfunctions.clients import client_for
from localcloud.stepfunctions.integrations import failure, jsonable, not_startable
from localcloud.stepfunctions.interruption import Interrupted, wait

_TASK = "moto.stepfunctions.parser.asl.component.state.exec.state_task"
_CALLBACK = f"{_TASK}.service.state_task_service_callback:StateTaskServiceCallback"

# All of the integration's actions; those that start a job have a .sync form.
_ACTIONS = frozenset(
    (
        "createEndpoint",
        "createEndpointConfig",
        "createHyperParameterTuningJob",
        "createLabelingJob",
        "createModel",
        "createProcessingJob",
        "createTrainingJob",
        "createTransformJob",
        "updateEndpoint",
    )
)
_JOBS = {action: action.removeprefix("create") for action in _ACTIONS if action.endswith("Job")}

# AWS learns of a job's end from an event; here it is asked for, slowly for jobs that take long.
_POLL_SECONDS = 0.1
_SLOWEST_POLL_SECONDS = 0.5
_SLOWDOWN = 1.05


@hooks.around(
    f"{_TASK}.service.state_task_service_factory:state_task_service_for",
    reason="no states:::sagemaker integration",
    imported_by=f"{_TASK}.state_task_factory",
)
def _service_for(service_for: Callable[..., Any], service_name: str) -> Any:
    """The task of a service's integration, SageMaker's among them."""
    return SageMakerTask() if service_name == "sagemaker" else service_for(service_name)


class SageMakerTask(StateTaskServiceCallback):
    """A task of the SageMaker integration."""

    def __init__(self) -> None:
        # moto's base class prepares a task token for .sync only where tokens are supported.
        patterns: Any = {ResourceCondition.Sync, ResourceCondition.WaitForTaskToken}
        super().__init__(supported_integration_patterns=patterns)

    def _validate_service_integration_is_supported(self) -> None:
        action, condition = self.resource.api_action, self.resource.condition
        known = action in _ACTIONS if condition is None else action in _JOBS
        if not known or condition not in {None, ResourceCondition.Sync}:
            raise ValueError(
                f"The resource provided {self.resource.resource_arn} is not recognized. "
                "The value is not a valid resource ARN, or the resource is not available in this "
                "region."
            )

    def _from_error(self, env: Environment, ex: Exception) -> FailureEvent:
        if isinstance(ex, ParamValidationError):
            return not_startable(self, env, ex)
        if isinstance(ex, ClientError):
            return self._refused(env, ex)
        if isinstance(ex, BotoCoreError):
            return failure(self, env, error="SageMaker.SdkClientException", cause=str(ex))
        found: FailureEvent = super()._from_error(env=env, ex=ex)
        return found

    def _refused(self, env: Environment, error: ClientError) -> FailureEvent:
        """The failure of a call SageMaker refused, named after the SDK for Java 1's exception."""
        code = error.response["Error"]["Code"]
        metadata = error.response["ResponseMetadata"]
        modelled = code in self._client(env).meta.service_model.shape_names
        exception = f"{code.removesuffix('Exception')}Exception" if modelled else None
        cause = (
            f"{error.response['Error']['Message']} (Service: AmazonSageMaker; "
            f"Status Code: {metadata['HTTPStatusCode']}; Error Code: {code}; "
            f"Request ID: {metadata.get('RequestId')}; Proxy: null)"
        )
        name = f"SageMaker.{exception or 'AmazonSageMakerException'}"
        return failure(self, env, error=name, cause=cause)

    def _client(self, env: Environment, state_credentials: Any = None) -> Any:
        return client_for(env.aws_execution_details.region, "sagemaker", state_credentials)

    def _eval_service_task(
        self,
        env: Environment,
        resource_runtime_part: Any,
        normalised_parameters: dict[str, Any],
        state_credentials: Any,
    ) -> None:
        del resource_runtime_part
        call = getattr(self._client(env, state_credentials), xform_name(self.resource.api_action))
        answer = call(**normalised_parameters)
        metadata = answer["ResponseMetadata"]
        env.stack.append(
            jsonable(answer, epoch_millis=True)
            | {
                "SdkHttpMetadata": {
                    "AllHttpHeaders": {
                        name: [value] for name, value in metadata.get("HTTPHeaders", {}).items()
                    },
                    "HttpHeaders": metadata.get("HTTPHeaders", {}),
                    "HttpStatusCode": metadata["HTTPStatusCode"],
                },
                "SdkResponseMetadata": {"RequestId": metadata.get("RequestId", "")},
            }
        )

    @hooks.overrides(
        f"{_CALLBACK}._after_eval_execution", reason="between a job's start and the wait for it"
    )
    def _after_eval_execution(
        self,
        env: Environment,
        resource_runtime_part: Any,
        normalised_parameters: dict[str, Any],
        state_credentials: Any,
    ) -> None:
        try:
            super()._after_eval_execution(
                env=env,
                resource_runtime_part=resource_runtime_part,
                normalised_parameters=normalised_parameters,
                state_credentials=state_credentials,
            )
        except Interrupted:
            if self.resource.condition == ResourceCondition.Sync:
                self._stop(env, normalised_parameters, state_credentials)
            raise

    def _normalise_response(self, *args: Any, **kwargs: Any) -> None:
        """Leave the answer as it is: JSON already, with times as this integration gives them."""

    @hooks.overrides(
        f"{_CALLBACK}._build_sync_resolver", reason="how a .sync integration says when it is done"
    )
    def _build_sync_resolver(
        self,
        env: Environment,
        resource_runtime_part: Any,
        normalised_parameters: dict[str, Any],
        state_credentials: Any,
    ) -> Callable[[], Any]:
        del resource_runtime_part
        env.stack.pop()
        client = self._client(env, state_credentials)
        job = _JOBS[self.resource.api_action]
        describe = getattr(client, xform_name(f"Describe{job}"))
        name = {f"{job}Name": normalised_parameters[f"{job}Name"]}

        def resolve() -> Any:
            found = jsonable(describe(**name), epoch_millis=True)
            status = found[f"{job}Status"]
            if status == "Completed":
                return found
            if status in {"Failed", "Stopped"}:
                typ = StatesErrorNameType.StatesTaskFailed
                raise FailureEventException(
                    failure(
                        self,
                        env,
                        error=typ.to_name(),
                        cause=json.dumps(found, separators=(",", ":")),
                        name=StatesErrorName(typ=typ),
                    )
                )
            return None

        return resolve

    @hooks.overrides(
        f"{_CALLBACK}._eval_sync", reason="asks twice a second and never stops the job"
    )
    def _eval_sync(
        self,
        env: Environment,
        sync_resolver: Callable[[], Any] | None,
        timeout_seconds: int | None,
        callback_endpoint: Any,
        heartbeat_endpoint: Any,
    ) -> Any:
        """Wait for the job; `Interrupted` when the task is over before it is."""
        del timeout_seconds, callback_endpoint, heartbeat_endpoint
        pause = _POLL_SECONDS
        while sync_resolver and env.is_running():
            result = sync_resolver()
            if result is not None:
                return result
            wait(env, pause)
            pause = min(pause * _SLOWDOWN, _SLOWEST_POLL_SECONDS)
        raise Interrupted

    def _stop(self, env: Environment, parameters: dict[str, Any], state_credentials: Any) -> None:
        """Stop the job of a task that is over: best effort, as AWS words it."""
        job = _JOBS[self.resource.api_action]
        stop = getattr(self._client(env, state_credentials), xform_name(f"Stop{job}"))
        try:
            stop(**{f"{job}Name": parameters[f"{job}Name"]})
        except ClientError:
            return  # it ended by itself
