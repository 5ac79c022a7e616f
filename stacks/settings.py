"""What may differ between two deployments of Spine, checked before anything is synthesized.

The defaults of each stage stand in `cdk.json` under `stages`. `cdk deploy -c stage=prod` picks one,
and `-c name=value` overrides one of its plain settings (not the lists and objects).
"""

import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import botocore.session
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    create_model,
    model_validator,
)

from spine.shipped import load
from stacks import images

# The days CloudWatch Logs accepts, up to a year (PutRetentionPolicy API reference).
LogRetention = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365]


class SettingsError(ValueError):
    """A setting in `cdk.json` or on the command line cannot be used; says which and why."""


def _stage(value: str) -> str:
    # Names of SageMaker resources are built from it, and the longest leaves it eight characters.
    if not re.fullmatch(r"[a-z][a-z0-9]{1,7}", value):
        raise ValueError(
            "must be 2 to 8 lower-case letters and digits, starting with a letter, "
            "since SageMaker names are built from it"
        )
    return value


def _region(value: str) -> str:
    found = images.load()
    for algorithm in load("algorithms").ALGORITHMS.values():
        regions = found["registries"][found["registry"][algorithm.name]]
        if value not in regions:
            raise ValueError(
                f"is not a region with SageMaker's {algorithm.title} image. Choose one of:"
                f" {', '.join(regions)}"
            )
    return value


def _version_of(algorithm: Any) -> Callable[[str], str]:
    def check(value: str) -> str:
        versions = images.load()["tags"][algorithm.name]
        if value not in versions:
            raise ValueError(
                f"is not a version of SageMaker's {algorithm.title} image. Choose one of:"
                f" {', '.join(versions)}"
            )
        return value

    return check


@cache
def _instance_types() -> frozenset[str]:
    """The instance types that can train, serve and transform, from botocore's SageMaker model."""
    model = botocore.session.get_session().get_service_model("sagemaker")
    shapes = ("TrainingInstanceType", "ProductionVariantInstanceType", "TransformInstanceType")
    # botocore's types know only the base class of shapes.
    enums = (getattr(model.shape_for(shape), "enum") for shape in shapes)  # noqa: B009
    return frozenset(name for enum in enums for name in enum)


def _instance_type(value: str) -> str:
    if value not in _instance_types():
        raise ValueError("is not a SageMaker instance type (they look like ml.m5.large)")
    return value


def _host(value: str) -> str:
    label = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
    if not re.fullmatch(
        rf"(?=.{{4,253}}$)({label}\.)+([a-z]{{2,63}}|xn--[a-z0-9-]{{1,59}})", value
    ):
        raise ValueError("must be a plain lower-case host name such as archive.ics.uci.edu")
    return value


def _bucket(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", value):
        raise ValueError("must be the name of an S3 bucket, without s3:// and without a prefix")
    return value


def _schedule(value: str) -> str:
    if not re.fullmatch(r"rate\(\d+ (minute|hour|day)s?\)|cron\([^()]+\)", value):
        raise ValueError("must look like rate(1 day) or cron(0 3 * * ? *)")
    return value


class _Model(BaseModel):
    # Command-line overrides arrive as text, so "7" may stand for 7; unknown names are refused.
    model_config = ConfigDict(frozen=True, extra="forbid")


class Incoming(_Model):
    """Runs started by a file that arrives under `incoming/` in the bucket."""

    enabled: bool = True
    input: dict[str, Any] = {}


class Network(_Model):
    """The VPC that training jobs and models are bound to.

    Attributes:
        subnets: Where their interfaces stand; a route to S3 (a gateway endpoint) must lead out.
        security_groups: Of these interfaces; instances of one job must reach each other.
    """

    subnets: Annotated[
        tuple[Annotated[str, Field(pattern=r"^subnet-[0-9a-f]{8,17}$")], ...],
        Field(min_length=1, max_length=16),
    ]
    security_groups: Annotated[
        tuple[Annotated[str, Field(pattern=r"^sg-[0-9a-f]{8,17}$")], ...],
        Field(min_length=1, max_length=5),
    ]


class Schedule(_Model):
    """Runs started by the clock."""

    enabled: bool = False
    expression: Annotated[str, AfterValidator(_schedule)] = "rate(1 day)"
    input: dict[str, Any] = {}


if TYPE_CHECKING:

    class _Versions(_Model):
        pass

else:
    # A setting for each algorithm: the version of its image, for training and serving alike.
    _Versions = create_model(
        "_Versions",
        __base__=_Model,
        **{
            algorithm.version_setting: (
                Annotated[str, AfterValidator(_version_of(algorithm))],
                algorithm.image.default,
            )
            for algorithm in load("algorithms").ALGORITHMS.values()
        },
    )


class Settings(_Versions):
    """One deployment of Spine; beside what is named here, it has the version of each algorithm.

    Attributes:
        stage: Names the stacks and everything that runs create (`spine-<stage>-...`).
        account: Twelve digits; with `region`, binds the stacks to one place. Both or neither.
        region: Where to deploy; neither makes a template for whatever place the CLI points at.
        functions: `aws` ships each function with the packages it imports, built for Lambda;
            `local` ships our own code only, since the local cloud runs functions in the project's
            own environment.
        architecture: Of the functions.
        instance_types: What runs may ask for; IAM refuses the rest.
        source_hosts: https hosts that training files may come from.
        source_buckets: Buckets, beside Spine's own, that training files may come from.
        removal: Whether `cdk destroy` also deletes the bucket and its data, or retains them.
        run_retention_days: After this many days S3 deletes a run's folder.
        log_retention_days: The same for logs.
        run_timeout_hours: The longest an execution may take.
        alarm_topic_arn: An SNS topic that the alarms notify; without, they only show.
        permissions_boundary: ARN of a managed policy that bounds every role of the stacks.
        encryption_key: ARN of a customer-managed KMS key, for the data bucket, the logs, the queues
            and records, the state machine, and the volumes and output of SageMaker. Its own policy
            must let CloudWatch Logs use it (docs/security.md). SageMaker refuses it for instance
            types with local storage.
        largest_volume_gb: Of an instance of a processing or training job: what SageMaker's quotas
            (1,024 GB in a new account) allow; runs that need more are refused.
        network: The VPC for training jobs and models; SageMaker's own when left out.
    """

    stage: Annotated[str, AfterValidator(_stage)] = "dev"
    account: Annotated[str, Field(pattern=r"^\d{12}$")] | None = None
    region: Annotated[str, AfterValidator(_region)] | None = None
    functions: Literal["aws", "local"] = "aws"
    architecture: Literal["x86_64", "arm64"] = "x86_64"
    instance_types: tuple[Annotated[str, AfterValidator(_instance_type)], ...] = Field(
        ("ml.m4.xlarge", "ml.m5.large", "ml.m5.xlarge", "ml.m5.2xlarge", "ml.m5.4xlarge"),
        min_length=1,
    )
    source_hosts: tuple[Annotated[str, AfterValidator(_host)], ...] = ("archive.ics.uci.edu",)
    source_buckets: tuple[Annotated[str, AfterValidator(_bucket)], ...] = ()
    removal: Literal["destroy", "retain"] = "retain"
    run_retention_days: Annotated[int, Field(ge=1, le=3650)] = 90
    log_retention_days: LogRetention = 30
    run_timeout_hours: Annotated[int, Field(ge=1, le=168)] = 24
    alarm_topic_arn: (
        Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:sns:[^:]+:\d{12}:.+$")] | None
    ) = None
    permissions_boundary: (
        Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::(\d{12}|aws):policy/[\w+=,.@/-]+$")]
        | None
    ) = None
    encryption_key: (
        Annotated[
            str, Field(pattern=r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]{1,64}$")
        ]
        | None
    ) = None
    largest_volume_gb: Annotated[int, Field(ge=30, le=16_384)] = 1024
    network: Network | None = None
    incoming: Incoming = Incoming()
    schedule: Schedule = Schedule()

    @model_validator(mode="after")
    def _account_and_region_together(self) -> Self:
        if (self.account is None) != (self.region is None):
            raise ValueError("account and region go together: give both, or neither")
        return self

    @model_validator(mode="after")
    def _inputs_can_run(self) -> Self:
        """Hold the triggers' inputs to the rules of the state that would read them."""
        parse = load("plan.execution_input").parse
        rules = load("plan.rules").Rules(
            bucket=self.prefix,
            hosts=frozenset(self.source_hosts),
            buckets=frozenset(self.source_buckets),
            instances=load("plan.instances").known(),
            allowed=frozenset(self.instance_types),
            versions={
                each.name: self.version(each) for each in load("algorithms").ALGORITHMS.values()
            },
        )
        arrived = {"uri": f"s3://{self.prefix}/incoming/file"}
        source = self.incoming.input.get("source", {})
        inputs = {
            "incoming.input": {
                **self.incoming.input,
                "source": {**source, **arrived} if isinstance(source, dict) else source,
            }
        }
        if self.schedule.enabled or self.schedule.input:
            inputs["schedule.input"] = self.schedule.input
        for name, given in inputs.items():
            try:
                parse(given, rules)
            except load("plan.refusal").InvalidInputError as error:
                raise ValueError(f"{name}: {error}") from error
        return self

    def version(self, algorithm: Any) -> str:
        """The version of an algorithm's image."""
        return str(getattr(self, algorithm.version_setting))

    @property
    def prefix(self) -> str:
        """What the name of everything a run creates starts with."""
        return f"spine-{self.stage}"

    @classmethod
    def from_context(cls, context: Callable[[str], object]) -> Self:
        """Read the settings of the stage that the context picks.

        Args:
            context: Looks a key up in the CDK context; None when it is not there.

        Raises:
            SettingsError: Naming each setting, its value, and what it may be.
        """
        stages = context("stages")
        stages = stages if isinstance(stages, dict) else {}
        stage = context("stage") or "dev"
        if stage not in stages:
            raise SettingsError(
                f"stage: {stage!r} has no entry under `stages` in cdk.json. "
                f"Choose one of: {', '.join(stages) or '(none)'}, or add it"
            )
        overrides = {
            name: value for name in cls.model_fields if (value := context(name)) is not None
        }
        try:
            return cls.model_validate({**stages[stage], **overrides, "stage": stage})
        except ValidationError as error:
            raise SettingsError(_sentences(error)) from None


def _sentences(error: ValidationError) -> str:
    lines = []
    for problem in error.errors():
        name = ".".join(str(part) for part in problem["loc"]) or "settings"
        reason = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            reason = f"is not a setting. Known: {', '.join(Settings.model_fields)}"
        shown = f"{problem['input']!r} " if problem["loc"] else ""
        lines.append(f"{name}: {shown}{reason}")
    return "\n".join(lines)
