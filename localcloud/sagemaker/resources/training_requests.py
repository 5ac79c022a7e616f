"""Requests for CreateTrainingJob: checks beyond the service model, and what is shown of them."""

from pathlib import Path
from typing import Any

from localcloud.sagemaker import algorithms
from localcloud.sagemaker.errors import ApiError, invalid, not_available
from localcloud.sagemaker.resources import Request, only, value_of
from localcloud.sagemaker.storage import parse_uri

# What a job may take when its request does not say.
LONGEST_SECONDS = 86_400
# Where a container finds its folders on AWS.
BASE = "/opt/ml/"
CHECKPOINTS = "/opt/ml/checkpoints"
_MOST_HOSTS = 20
_QUOTA_GB = 1024
_SUPPORTED = (
    "TrainingJobName",
    "HyperParameters",
    "AlgorithmSpecification.TrainingImage",
    "AlgorithmSpecification.TrainingInputMode",
    "AlgorithmSpecification.EnableSageMakerMetricsTimeSeries",
    # The built-in algorithms' own definitions apply whatever is given here, as on AWS.
    "AlgorithmSpecification.MetricDefinitions",
    "RoleArn",
    "InputDataConfig.ChannelName",
    "InputDataConfig.DataSource.S3DataSource.S3DataType",
    "InputDataConfig.DataSource.S3DataSource.S3Uri",
    "InputDataConfig.DataSource.S3DataSource.S3DataDistributionType",
    "InputDataConfig.ContentType",
    "InputDataConfig.CompressionType",
    "InputDataConfig.RecordWrapperType",
    "InputDataConfig.InputMode",
    "OutputDataConfig.KmsKeyId",
    "OutputDataConfig.S3OutputPath",
    "OutputDataConfig.CompressionType",
    "ResourceConfig.InstanceType",
    "ResourceConfig.InstanceCount",
    "ResourceConfig.VolumeSizeInGB",
    "ResourceConfig.VolumeKmsKeyId",
    "ResourceConfig.KeepAlivePeriodInSeconds",
    "VpcConfig",
    "StoppingCondition",
    "Tags",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    # These observe a job without changing its model. Rules, which may stop it, are refused.
    "DebugHookConfig",
    "ProfilerConfig",
    "ProfilerRuleConfigurations",
    "TensorBoardOutputConfig",
    "Environment",
    "CheckpointConfig.S3Uri",
    "CheckpointConfig.LocalPath",
    "RetryStrategy",
    "SessionChainingConfig",
    "InfraCheckConfig",
)


def check(request: Request) -> None:
    """The checks beyond the service model, and what is not offered here.

    Raises:
        ApiError: The request is refused.
    """
    name = "CreateTrainingJob"
    only(name, request, _SUPPORTED)
    for member in ("AlgorithmSpecification", "ResourceConfig", "InputDataConfig"):
        if member not in request:
            raise invalid(f"{name}: {member} is required for the algorithms available locally.")
    algorithm = request["AlgorithmSpecification"]
    if "TrainingImage" not in algorithm:
        raise invalid(f"{name}: AlgorithmSpecification.TrainingImage is required.")
    value_of(name, "TrainingInputMode", algorithm["TrainingInputMode"], ["File", "FastFile"])
    value_of(
        name,
        "OutputDataConfig.CompressionType",
        request["OutputDataConfig"].get("CompressionType"),
        ["GZIP"],
    )
    _check_channels(request["InputDataConfig"])
    resources = request["ResourceConfig"]
    for member in ("InstanceType", "InstanceCount", "VolumeSizeInGB"):
        if not resources.get(member):
            raise invalid(f"{name}: ResourceConfig.{member} is required and must be 1 or more.")
    if resources["InstanceCount"] > _MOST_HOSTS:
        raise not_available(
            f"ResourceConfig.InstanceCount {resources['InstanceCount']} of {name}",
            f"Use {_MOST_HOSTS} or fewer: each is a process on this machine.",
        )
    check_volume(name, resources["VolumeSizeInGB"], "training")
    _check_stopping(request)
    _check_checkpoints(request)
    location(request["OutputDataConfig"]["S3OutputPath"])


def check_volume(operation: str, size: int, use: str) -> None:
    """The quota of a new account, which a raised one would not let a person see here.

    Raises:
        ApiError: The volume is larger.
    """
    if size > _QUOTA_GB:
        raise ApiError(
            "ResourceLimitExceeded",
            f"{operation}: a volume of {size} GB is asked for, and the account-level service limit"
            f" for the size of an EBS volume of a {use} instance is {_QUOTA_GB} GB. Please use AWS"
            " Service Quotas to request an increase for this quota.",
        )


def _check_channels(channels: list[dict[str, Any]]) -> None:
    names = [channel["ChannelName"] for channel in channels]
    if len(set(names)) != len(names):
        raise invalid("Channel names in InputDataConfig must be unique.")
    for channel in channels:
        place = f"InputDataConfig {channel['ChannelName']}"
        source = channel["DataSource"].get("S3DataSource")
        if source is None:
            raise invalid(f"{place}: DataSource.S3DataSource is required.")
        for path, value, offered in (
            ("S3DataType", source["S3DataType"], ["S3Prefix", "ManifestFile"]),
            # AWS decompresses in Pipe mode only.
            ("CompressionType", channel.get("CompressionType"), ["None"]),
            ("RecordWrapperType", channel.get("RecordWrapperType"), ["None"]),
            ("InputMode", channel.get("InputMode"), ["File", "FastFile"]),
        ):
            value_of("CreateTrainingJob", f"{place}: {path}", value, offered)
        location(source["S3Uri"])


def _check_stopping(request: Request) -> None:
    condition = request.get("StoppingCondition", {})
    longest = condition.get("MaxWaitTimeInSeconds")
    if request.get("EnableManagedSpotTraining"):
        if longest is None or longest < condition.get("MaxRuntimeInSeconds", LONGEST_SECONDS):
            raise invalid(
                "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to "
                "MaxRuntimeInSeconds"
            )
    elif longest is not None:
        raise invalid(
            "MaxWaitTimeInSeconds is only allowed when EnableManagedSpotTraining is set to true."
        )


def _check_checkpoints(request: Request) -> None:
    config = request.get("CheckpointConfig")
    if config is None:
        return
    location(config["S3Uri"])
    path = config.get("LocalPath", CHECKPOINTS)
    if not path.startswith(BASE) or ".." in Path(path).parts:
        raise not_available(
            f"CheckpointConfig.LocalPath {path!r} of CreateTrainingJob",
            f"Use a path below {BASE}: a container here has no other folders of its own.",
        )


def location(uri: str) -> Any:
    """The place in S3 that a URI names.

    Raises:
        ApiError: It is none.
    """
    try:
        return parse_uri(uri)
    except ValueError as error:
        raise invalid(str(error)) from error


def described(request: Request, image: algorithms.Image) -> dict[str, Any]:
    """Members of a request with the defaults that a description shows, which clients rely on.

    Source: answers of DescribeTrainingJob, the CLI's output as people show it; SDK 2's
    `Estimator.attach` reads KmsKeyId without asking whether it is there.
    """
    channels = []
    for channel in request["InputDataConfig"]:
        source = {"S3DataDistributionType": "FullyReplicated"} | channel["DataSource"][
            "S3DataSource"
        ]
        defaults = {"CompressionType": "None", "RecordWrapperType": "None"}
        channels.append({**defaults, **channel, "DataSource": {"S3DataSource": source}})
    return {
        "AlgorithmSpecification": {
            "EnableSageMakerMetricsTimeSeries": False,
            **request["AlgorithmSpecification"],
            "MetricDefinitions": list(image.algorithm.definitions),
        },
        "InputDataConfig": channels,
        "OutputDataConfig": {
            "KmsKeyId": "",
            "CompressionType": "GZIP",
            **request["OutputDataConfig"],
        },
    }
