"""What runs make in SageMaker: one row a kind, read by all that makes, tags, finds and removes it.

Pure. A further kind of job is one row here; a test walks the rows and asks every room for its part.
The columns are SageMaker's API, held to botocore's model of it and to IAM's list of resource types.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

Verb = Literal["Create", "Describe", "List", "Stop", "Delete"]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of resource.

    Paths lead from the creation's request to a member, with dots; a path through a list stands for
    every item of it.

    Attributes:
        noun: What the API calls it: `CreateTrainingJob`, `TrainingJobName` have `TrainingJob`.
        items: The member of the listing's answer that holds the items.
        billed: Whether it costs money as long as it is there, or runs.
        events_rule: The rule by which Step Functions learns of its end, where it offers `.sync`.
        is_result: Whether it is what a run is for, and stays when the run has succeeded.
        in_progress: The statuses in which SageMaker refuses to delete it; for jobs none.
        longest_name: In characters.
        instance_types: Paths of the types of its instances.
        kms_keys: Paths of the keys that encrypt its volumes and what it writes.
        vpc: Path of its network; None where it has none of its own.
        network_isolation: Path of the flag that cuts its containers off from any network; None
            where SageMaker has none, or where the containers fetch their data themselves.
        traffic_encryption: Path of the flag that encrypts what its instances tell each other.
        images: Paths of its containers' images.
        time_limits: Paths of what ends it by itself, in seconds.
        uses: Paths of the names of what it is made of, in requests and descriptions: a
            configuration of models, an endpoint of its configuration. A job uses it until it ends.
        may_change: Whether it can be given another such thing after it was made; its listing then
            tells since when.
        holds: What may stand on it that somebody put there, and keeps it from being deleted; the
            listing finds it by this kind's name (`EndpointNameEquals`).
        scaled_as: What Application Auto Scaling calls it, where a person may have registered it as
            a scalable target, which keeps it from being deleted too; one for each variant.
        scalable_dimensions: What of it may be scaled.
    """

    noun: str
    items: str
    billed: bool = False
    events_rule: str | None = None
    is_result: bool = False
    in_progress: frozenset[str] = frozenset()
    longest_name: int = 63
    instance_types: tuple[str, ...] = ()
    kms_keys: tuple[str, ...] = ()
    vpc: str | None = None
    network_isolation: str | None = None
    traffic_encryption: str | None = None
    images: tuple[str, ...] = ()
    time_limits: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    may_change: bool = False
    holds: "tuple[Kind, ...]" = ()
    scaled_as: str | None = None
    scalable_dimensions: tuple[str, ...] = ()

    @property
    def is_job(self) -> bool:
        """Whether it runs to an end and is stopped, rather than there until it is deleted."""
        return self.noun.endswith("Job")

    @property
    def ending(self) -> Verb:
        """How it is ended before its time."""
        return "Stop" if self.is_job else "Delete"

    @property
    def key(self) -> str:
        """What our own code calls it: `training_job`."""
        return _snake_case(self.noun)

    @property
    def resource_type(self) -> str:
        """What IAM calls it, and its ARN: `training-job`."""
        return self.key.replace("_", "-")

    @property
    def name_member(self) -> str:
        """The member of requests and answers that holds its name."""
        return f"{self.noun}Name"

    @property
    def arn_member(self) -> str:
        """The member of answers that holds its ARN."""
        return f"{self.noun}Arn"

    @property
    def status_member(self) -> str:
        """The member of answers that holds its status, where it has one."""
        return f"{self.noun}Status"

    @property
    def action(self) -> str:
        """What Step Functions calls its creation: `createTrainingJob`."""
        return f"create{self.noun}"

    def uses_of(self, kind: "Kind") -> tuple[str, ...]:
        """The paths of the things of one kind among what it is made of."""
        return tuple(path for path in self.uses if path.rpartition(".")[2] == kind.name_member)

    def operation(self, verb: Verb) -> str:
        """The API's operation, which is IAM's action too: `ListTrainingJobs`."""
        return f"{verb}{self.noun}{'s' if verb == 'List' else ''}"

    def method(self, verb: Verb) -> str:
        """The operation as a method of boto3's client: `list_training_jobs`."""
        return _snake_case(self.operation(verb))


@cache
def _snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


# No run makes one: a person may put models onto an endpoint with it, a run's model and a run's
# endpoint too. It may have a container and no model; one by instance type is listed in the second.
_INFERENCE_COMPONENT = Kind(
    noun="InferenceComponent",
    items="InferenceComponents",
    in_progress=frozenset({"Creating", "Updating", "Deleting"}),
    uses=("Specification.ModelName", "Specifications.ModelName"),
    may_change=True,
    scaled_as="inference-component/{name}",
    scalable_dimensions=("sagemaker:inference-component:DesiredCopyCount",),
)

# In the order in which they go: jobs use models, a configuration must outlive its endpoint, and
# results come last.
KINDS: tuple[Kind, ...] = (
    Kind(
        noun="ProcessingJob",
        items="ProcessingJobSummaries",
        billed=True,
        events_rule="StepFunctionsGetEventsForSageMakerProcessingJobsRule",
        instance_types=("ProcessingResources.ClusterConfig.InstanceType",),
        kms_keys=(
            "ProcessingResources.ClusterConfig.VolumeKmsKeyId",
            "ProcessingOutputConfig.KmsKeyId",
        ),
        vpc="NetworkConfig.VpcConfig",
        # Ours fetch their source and write its files by themselves: no isolation.
        traffic_encryption="NetworkConfig.EnableInterContainerTrafficEncryption",
        images=("AppSpecification.ImageUri",),
        time_limits=("StoppingCondition.MaxRuntimeInSeconds",),
    ),
    Kind(
        noun="TrainingJob",
        items="TrainingJobSummaries",
        billed=True,
        events_rule="StepFunctionsGetEventsForSageMakerTrainingJobsRule",
        instance_types=("ResourceConfig.InstanceType",),
        kms_keys=("ResourceConfig.VolumeKmsKeyId", "OutputDataConfig.KmsKeyId"),
        vpc="VpcConfig",
        network_isolation="EnableNetworkIsolation",
        traffic_encryption="EnableInterContainerTrafficEncryption",
        images=("AlgorithmSpecification.TrainingImage",),
        time_limits=(
            "StoppingCondition.MaxRuntimeInSeconds",
            # Of managed spot training, its waits for capacity included.
            "StoppingCondition.MaxWaitTimeInSeconds",
        ),
    ),
    Kind(
        # Its container, network and isolation are its model's.
        noun="TransformJob",
        items="TransformJobSummaries",
        billed=True,
        events_rule="StepFunctionsGetEventsForSageMakerTransformJobsRule",
        instance_types=("TransformResources.InstanceType",),
        kms_keys=(
            "TransformResources.VolumeKmsKeyId",
            "TransformOutput.KmsKeyId",
            "DataCaptureConfig.KmsKeyId",
        ),
        uses=("ModelName",),
    ),
    Kind(
        # What it runs on is its configuration's.
        noun="Endpoint",
        items="Endpoints",
        billed=True,
        # DeleteEndpoint answers "Cannot update in-progress endpoint"; deleting is under way already
        # (DescribeEndpoint, EndpointStatus).
        in_progress=frozenset(
            {"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"}
        ),
        # The second while an update is under way.
        uses=("EndpointConfigName", "PendingDeploymentSummary.EndpointConfigName"),
        may_change=True,
        holds=(_INFERENCE_COMPONENT,),
        scaled_as="endpoint/{name}/variant/{variant}",
        scalable_dimensions=(
            "sagemaker:variant:DesiredInstanceCount",
            "sagemaker:variant:DesiredProvisionedConcurrency",
        ),
    ),
    Kind(
        # Its network is the model's, unless it has a role of its own for inference components.
        noun="EndpointConfig",
        items="EndpointConfigs",
        instance_types=("ProductionVariants.InstanceType",),
        kms_keys=("KmsKeyId", "DataCaptureConfig.KmsKeyId"),
        uses=("ProductionVariants.ModelName", "ShadowProductionVariants.ModelName"),
    ),
    Kind(
        noun="Model",
        items="Models",
        is_result=True,
        vpc="VpcConfig",
        network_isolation="EnableNetworkIsolation",
        images=("PrimaryContainer.Image", "Containers.Image"),
    ),
)


def jobs() -> tuple[Kind, ...]:
    """The kinds that run to an end."""
    return tuple(kind for kind in KINDS if kind.is_job)


def held() -> tuple[Kind, ...]:
    """The kinds that no run makes, of what a person may put onto what a run made."""
    return tuple(held for kind in KINDS for held in kind.holds)


def users_of(kind: Kind) -> tuple[Kind, ...]:
    """What works or serves with things of this kind, and may be broken without them."""
    return tuple(each for each in (*KINDS, *held()) if each.uses_of(kind))


def of_action(action: str) -> Kind | None:
    """The kind that an action of Step Functions makes (`createTrainingJob`), if it is one's."""
    return next((kind for kind in KINDS if kind.action == action), None)
