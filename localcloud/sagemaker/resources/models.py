"""Models: an image, an artifact and its environment."""

from typing import Any

from botocore.exceptions import ClientError

from localcloud.sagemaker import algorithms
from localcloud.sagemaker.errors import invalid, not_available
from localcloud.sagemaker.records import Store, hosted
from localcloud.sagemaker.resources import Request, Resource, only, operation, value_of
from localcloud.sagemaker.resources.model_packages import package_container
from localcloud.sagemaker.storage import parse_uri

MODEL = hosted("model", "model", "Model")
_CONTAINER = (
    "ContainerHostname",
    "Image",
    "ImageConfig",
    "Mode",
    "ModelDataUrl",
    "ModelPackageName",
    "Environment",
)
# One container in `Containers` is the same as a primary container (SDK 3 writes it so).
_SUPPORTED = (
    "ModelName",
    *(f"{place}.{member}" for place in ("PrimaryContainer", "Containers") for member in _CONTAINER),
    *(f"{place}.ModelDataSource.S3DataSource" for place in ("PrimaryContainer", "Containers")),
    "ExecutionRoleArn",
    "Tags",
    "VpcConfig",
    "EnableNetworkIsolation",
    "InferenceExecutionConfig",
)


class Models(Resource):
    """CreateModel, DescribeModel, ListModels, DeleteModel."""

    @operation
    def create_model(self, request: Request) -> dict[str, Any]:
        """Makes a model after looking for its artifact."""
        only("CreateModel", request, _SUPPORTED)
        name = request["ModelName"]
        given = primary_container(request)
        container = self._resolved(given)
        if "Image" not in container:
            raise invalid("CreateModel: the container needs an Image or a ModelPackageName.")
        value_of("CreateModel", "Mode", container.get("Mode"), ["SingleModel"])
        image = algorithms.find(container["Image"])
        image.check_environment(container.get("Environment", {}))
        if "ExecutionRoleArn" not in request:
            raise invalid("CreateModel: ExecutionRoleArn is needed to read the model data.")
        if self.store.find(MODEL, name) is None:
            self._check_artifact(container, request["ExecutionRoleArn"])
        members = {key: value for key, value in request.items() if key != "Containers"}
        members["PrimaryContainer"] = {"Mode": "SingleModel", "Environment": {}, **given}
        members.setdefault("EnableNetworkIsolation", False)
        record = self.store.create(MODEL, name, members, request.get("Tags", []))
        record.runtime = container
        return {"ModelArn": record.arn}

    def _resolved(self, container: dict[str, Any]) -> dict[str, Any]:
        """The container with what its model package says, if it names one.

        Raises:
            ApiError: The package does not exist, is not approved, or is not all that is named.
        """
        package = container.get("ModelPackageName")
        if package is None:
            return container
        for other in ("Image", "ModelDataUrl"):
            if other in container:
                raise invalid(
                    f"CreateModel: give {other} or ModelPackageName in a container, not both."
                )
        packaged = package_container(self.store, package)
        environment = packaged.get("Environment", {}) | container.get("Environment", {})
        return {**packaged, "Environment": environment}

    def _check_artifact(self, container: dict[str, Any], role: str) -> None:
        url = container.get("ModelDataUrl")
        if url is None:
            raise invalid("CreateModel: ModelDataUrl is needed: the built-in images hold no model.")
        try:
            if self.platform.storage_of(role).exists(parse_uri(url)):
                return
        except (ClientError, ValueError) as error:
            raise invalid(
                f'Could not access model data at {url}. Please ensure that the role "{role}" '
                "exists and that its trust relationship policy allows the action "
                '"sts:AssumeRole" for the service principal "sagemaker.amazonaws.com". Also '
                'ensure that the role has "s3:GetObject" permissions and that the object is '
                f"located in {self.platform.settings.region}. ({error})"
            ) from error
        raise invalid(f"Could not find model data at {url}.")

    @operation
    def describe_model(self, request: Request) -> dict[str, Any]:
        """Describes a model."""
        return self.store.describe(MODEL, request["ModelName"])

    @operation
    def list_models(self, request: Request) -> dict[str, Any]:
        """Lists models."""
        return self.listing(MODEL, request, "Models")

    @operation
    def delete_model(self, request: Request) -> dict[str, Any]:
        """Forgets a model, also one that an endpoint serves: the endpoint keeps its copy."""
        self.store.remove(self.store.get(MODEL, request["ModelName"]))
        return {}


def served_model(store: Store, name: str) -> dict[str, Any]:
    """A model as its servers need it: what DescribeModel shows, a package's content resolved.

    Raises:
        ApiError: There is none of that name.
    """
    with store.lock:
        members = store.describe(MODEL, name)
        container = dict(store.get(MODEL, name).runtime)
    return members | {"PrimaryContainer": {"Environment": {}, **container}}


def primary_container(request: Request) -> dict[str, Any]:
    """The one container of a CreateModel request, its artifact as `ModelDataUrl`.

    Raises:
        ApiError: There is none, or an inference pipeline of several.
    """
    containers = [request["PrimaryContainer"]] if "PrimaryContainer" in request else []
    containers += request.get("Containers") or []
    if not containers:
        raise invalid("CreateModel needs a PrimaryContainer or Containers.")
    if len(containers) > 1:
        raise not_available("A model of several containers (an inference pipeline)")
    container = dict(containers[0])
    source = container.pop("ModelDataSource", {}).get("S3DataSource")
    if source is not None:
        value_of("CreateModel", "S3DataType", source["S3DataType"], ["S3Object"])
        value_of("CreateModel", "CompressionType", source["CompressionType"], ["Gzip"])
        for other in source.keys() - {"S3Uri", "S3DataType", "CompressionType"}:
            raise not_available(f"ModelDataSource.S3DataSource.{other} of CreateModel")
        container["ModelDataUrl"] = source["S3Uri"]
    return container
