"""The AWS clients that the interpreter's tasks call with, all pointed at the gateway."""

import functools
import threading
from collections.abc import Callable
from typing import Any

import boto3
from botocore import xform_name
from botocore.client import BaseClient
from botocore.config import Config

from localcloud import hooks

# The names that aws-sdk integrations use (those of the AWS SDK for Java 2) where botocore's differ.
_BOTOCORE_NAMES = {
    "cloudwatchevents": "events",
    "cloudwatchlogs": "logs",
    "cognitoidentityprovider": "cognito-idp",
    "databasemigration": "dms",
    "eventbridge": "events",
    "elasticloadbalancingv2": "elbv2",
    "sagemakerfeaturestoreruntime": "sagemaker-featurestore-runtime",
    "sagemakermetrics": "sagemaker-metrics",
    "sagemakerruntime": "sagemaker-runtime",
    "sfn": "stepfunctions",
    "states": "stepfunctions",
}

# One account's functions run at most 15 minutes; nothing a task calls takes longer.
_READ_SECONDS = 15 * 60 + 10
_lock = threading.Lock()
_endpoint_url = ""
_session_of: Callable[[str, str], dict[str, str]] | None = None


def configure(*, endpoint_url: str) -> None:
    """Set where the gateway is."""
    global _endpoint_url  # noqa: PLW0603 - one gateway a process
    _endpoint_url = endpoint_url


def sign_as_roles(session_of: Callable[[str, str], dict[str, str]]) -> None:
    """Have every task act under its state machine's role, whose policies then decide.

    Args:
        session_of: The variables of a session's credentials, by the role's ARN and a name.
    """
    global _session_of  # noqa: PLW0603 - one gateway a process
    _session_of = session_of


@hooks.replaces(
    "moto.stepfunctions.parser.asl.utils.boto_client:boto_client_for",
    reason="builds an uncached client for moto's own server on every task",
    imported_by="moto.stepfunctions",
)
def client_for(region: str, service: str, state_credentials: Any = None) -> BaseClient:
    """A client of the gateway, with its own key or, where permissions are enforced, as the role.

    Args:
        region: The region the task runs in.
        service: botocore's name of the service, or that of an aws-sdk integration.
        state_credentials: The role the task uses.
    """
    signed_as = str(getattr(state_credentials, "role_arn", "")) if _session_of else ""
    return _client(region or "us-east-1", botocore_name(service), signed_as)


def offers(service: str, action: str) -> bool:
    """Tell whether an aws-sdk integration's service and action (`describeEndpoint`) exist."""
    name = botocore_name(service)
    if name not in _session().get_available_services():
        return False
    return xform_name(action) in client_for("us-east-1", name).meta.method_to_api_mapping


def botocore_name(service: str) -> str:
    """Map the service name of an integration to botocore's."""
    return _BOTOCORE_NAMES.get(service, service)


def _credentials(signed_as: str) -> dict[str, str]:
    """boto3's arguments; none for the gateway's own key, which is in the environment."""
    if not (_session_of and signed_as.startswith("arn:")):
        return {}
    variables = _session_of(signed_as, "StepFunctions")
    return {name.lower(): value for name, value in variables.items()}


@functools.cache
def _client(region: str, service: str, signed_as: str) -> BaseClient:
    with _lock:  # a session is not safe for threads while it builds a client
        client: BaseClient = _session().client(
            service,
            region_name=region,
            endpoint_url=_endpoint_url,
            **_credentials(signed_as),
            config=Config(
                # A request SageMaker would not understand must fail here rather than lose a field.
                parameter_validation=service.startswith("sagemaker"),
                # Retrying is the state machine's decision.
                retries={"total_max_attempts": 1},
                read_timeout=_READ_SECONDS,
                max_pool_connections=64,
                s3={"addressing_style": "path"},
            ),
        )
    return client


@functools.cache
def _session() -> Any:  # the stubs of boto3 know a service's client by the literal name only
    return boto3.session.Session()
