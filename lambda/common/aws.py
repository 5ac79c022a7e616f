"""AWS clients: one for each service, built on first use and kept while the function stays warm."""

from functools import cache
from typing import TYPE_CHECKING, Any, Literal, overload

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient
    from mypy_boto3_stepfunctions import SFNClient

# Standard mode backs off with jitter on throttling and on 5xx answers; with five attempts a call
# gives up after about half a minute, well inside any function's time-out.
_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 5}, connect_timeout=5)
# A call that hangs is asked again before the function that waits for it runs out of time.
_HANGING = {"sagemaker": Config(read_timeout=10), "stepfunctions": Config(read_timeout=10)}


@overload
def client(service: Literal["s3"]) -> "S3Client": ...
@overload
def client(service: Literal["sagemaker"]) -> "SageMakerClient": ...
@overload
def client(service: Literal["sagemaker-runtime"]) -> "SageMakerRuntimeClient": ...
@overload
def client(service: Literal["stepfunctions"]) -> "SFNClient": ...
@overload
def client(service: Literal["lambda"]) -> "LambdaClient": ...
@overload
def client(service: Literal["dynamodb", "application-autoscaling"]) -> Any: ...  # without stubs
def client(service: str) -> object:
    """Return the one client of a service, with boto3's standard retries.

    Region, credentials and `AWS_ENDPOINT_URL*` come from the environment, as boto3 reads them.
    """
    return _build(service)


@cache
def _build(service: str) -> object:
    # boto3.client is overloaded by literal service names, and this one is a variable.
    factory: Any = boto3.client
    built: object = factory(service, config=_CONFIG.merge(_HANGING.get(service, Config())))
    return built
