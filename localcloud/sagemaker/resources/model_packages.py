"""The model registry: groups of packages, versions in them, and who may be deployed."""

from typing import Any

from localcloud.sagemaker import algorithms
from localcloud.sagemaker.errors import ApiError, invalid, not_available
from localcloud.sagemaker.records import Kind, Record, Store
from localcloud.sagemaker.resources import Request, Resource, only, operation


def _registry_kind(noun: str, segment: str, prefix: str, status: str) -> Kind:
    return Kind(
        noun=noun,
        segment=segment,
        prefix=prefix,
        status=status,
        missing=lambda _, arn: invalid(f"{prefix} {arn} does not exist."),
        # The SDKs look for "already exists" in the message.
        duplicate=lambda _, arn: invalid(f"{noun} already exists: {arn}"),
    )


MODEL_PACKAGE_GROUP = _registry_kind(
    "Model Package Group", "model-package-group", "ModelPackageGroup", "ModelPackageGroupStatus"
)
MODEL_PACKAGE = _registry_kind(
    "Model Package", "model-package", "ModelPackage", "ModelPackageStatus"
)
# Acted on (the specification's containers) or only shown again; nothing here changes a result.
_SUPPORTED = (
    "ModelPackageName",
    "ModelPackageGroupName",
    "ModelPackageDescription",
    "InferenceSpecification",
    "CertifyForMarketplace",
    "ModelApprovalStatus",
    "MetadataProperties",
    "ModelMetrics",
    "ClientToken",
    "Domain",
    "Task",
    "SamplePayloadUrl",
    "CustomerMetadataProperties",
    "DriftCheckBaselines",
    "SkipModelValidation",
    "SourceUri",
    "ModelCard",
    "ModelLifeCycle",
    "Tags",
)
_CONTAINER = (
    "ContainerHostname",
    "Image",
    "ImageDigest",
    "ModelDataUrl",
    "ModelDataSource",
    "ProductId",
    "Environment",
    "ModelInput",
    "Framework",
    "FrameworkVersion",
    "NearestModelName",
)
_APPROVED = "Approved"


class ModelPackageGroups(Resource):
    """CreateModelPackageGroup, DescribeModelPackageGroup, ListModelPackageGroups, Delete..."""

    @operation
    def create_model_package_group(self, request: Request) -> dict[str, Any]:
        """Makes a group without versions."""
        supported = ("ModelPackageGroupName", "ModelPackageGroupDescription", "Tags")
        only("CreateModelPackageGroup", request, supported)
        members = {**request, "ModelPackageGroupStatus": "Completed"}
        record = self.store.create(
            MODEL_PACKAGE_GROUP, request["ModelPackageGroupName"], members, request.get("Tags", [])
        )
        # How many versions there have been: a number is not given twice.
        record.runtime = 0
        return {"ModelPackageGroupArn": record.arn}

    @operation
    def describe_model_package_group(self, request: Request) -> dict[str, Any]:
        """Describes a group, named by its name or its ARN."""
        name = _name(request["ModelPackageGroupName"])
        return self.store.describe(MODEL_PACKAGE_GROUP, name) | _creator()

    @operation
    def list_model_package_groups(self, request: Request) -> dict[str, Any]:
        """Lists groups."""
        return self.listing(MODEL_PACKAGE_GROUP, request, "ModelPackageGroupSummaryList")

    @operation
    def delete_model_package_group(self, request: Request) -> dict[str, Any]:
        """Deletes a group that holds no version."""
        with self.store.lock:
            name = _name(request["ModelPackageGroupName"])
            record = self.store.get(MODEL_PACKAGE_GROUP, name)
            if _versions(self.store, record.name):
                raise ApiError(
                    "ConflictException",
                    f"Model Package Group {record.arn} cannot be deleted because it still contains "
                    "Model Packages. Delete them first.",
                )
            self.store.remove(record)
        return {}


class ModelPackages(Resource):
    """CreateModelPackage, DescribeModelPackage, UpdateModelPackage, ListModelPackages, Delete..."""

    @operation
    def create_model_package(self, request: Request) -> dict[str, Any]:
        """Adds a version to a group, or makes a package of a name of its own."""
        name = "CreateModelPackage"
        only(name, request, _SUPPORTED)
        group, alone = request.get("ModelPackageGroupName"), request.get("ModelPackageName")
        if (group is None) == (alone is None):
            raise invalid(f"{name} needs a ModelPackageName or a ModelPackageGroupName, not both.")
        if "InferenceSpecification" not in request:
            raise invalid(f"{name} needs an InferenceSpecification.")
        for container in request["InferenceSpecification"]["Containers"]:
            only(name, container, _CONTAINER)
            if "Image" not in container:
                raise invalid(f"{name}: a container of the InferenceSpecification needs an Image.")
            algorithms.find(container["Image"])
        members = {
            **request,
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        }
        members.setdefault("CertifyForMarketplace", False)
        with self.store.lock:
            record = self._alone(members) if group is None else self._version(_name(group), members)
        return {"ModelPackageArn": record.arn}

    def _alone(self, members: dict[str, Any]) -> Record:
        if "ModelApprovalStatus" in members:
            raise invalid("Only a versioned model package has a ModelApprovalStatus.")
        tags = members.get("Tags", [])
        return self.store.create(MODEL_PACKAGE, members["ModelPackageName"], members, tags)

    def _version(self, group: str, members: dict[str, Any]) -> Record:
        owner = self.store.get(MODEL_PACKAGE_GROUP, group)
        version = owner.runtime + 1
        record = self.store.create(
            MODEL_PACKAGE,
            f"{group}/{version}",
            {
                "ModelApprovalStatus": "PendingManualApproval",
                **members,
                "ModelPackageGroupName": group,
                "ModelPackageVersion": version,
            },
            members.get("Tags", []),
        )
        owner.runtime = version
        # A version goes by its group's name and its number.
        del record.members["ModelPackageName"]
        return record

    @operation
    def describe_model_package(self, request: Request) -> dict[str, Any]:
        """Describes a package, named by its name or its ARN."""
        name = _name(request["ModelPackageName"])
        return self.store.describe(MODEL_PACKAGE, name) | _creator()

    @operation
    def update_model_package(self, request: Request) -> dict[str, Any]:
        """Approves or rejects a version, or changes what is said of it."""
        changeable = (
            "ModelApprovalStatus",
            "ApprovalDescription",
            "CustomerMetadataProperties",
            "SourceUri",
        )
        only(
            "UpdateModelPackage",
            request,
            ("ModelPackageArn", "CustomerMetadataPropertiesToRemove", *changeable),
        )
        with self.store.lock:
            record = self.store.get(MODEL_PACKAGE, _name(request["ModelPackageArn"]))
            if "ModelApprovalStatus" in request and "ModelPackageVersion" not in record.members:
                raise invalid("Only a versioned model package has a ModelApprovalStatus.")
            changes = {member: request[member] for member in changeable if member in request}
            properties = {
                **record.members.get("CustomerMetadataProperties", {}),
                **changes.pop("CustomerMetadataProperties", {}),
            }
            for key in request.get("CustomerMetadataPropertiesToRemove") or []:
                properties.pop(key, None)
            if properties or "CustomerMetadataProperties" in record.members:
                changes["CustomerMetadataProperties"] = properties
            self.store.update(record, **changes)
        return {"ModelPackageArn": record.arn}

    @operation
    def list_model_packages(self, request: Request) -> dict[str, Any]:
        """Lists the versions of a group, or packages that are in none."""
        group = request.get("ModelPackageGroupName")
        kind = request.get("ModelPackageType", "Versioned" if group else "Unversioned")
        approval = request.get("ModelApprovalStatus")
        name = _name(group) if group else None
        if name is not None:
            self.store.get(MODEL_PACKAGE_GROUP, name)

        def shown(record: Record) -> bool:
            members = record.members
            versioned = "ModelPackageVersion" in members
            return (
                (kind == "Both" or versioned == (kind == "Versioned"))
                and (name is None or members.get("ModelPackageGroupName") == name)
                and (approval is None or members.get("ModelApprovalStatus") == approval)
            )

        items, token = self.store.page(MODEL_PACKAGE, request, ascending=False, also=shown)
        return {"ModelPackageSummaryList": items, "NextToken": token}

    @operation
    def delete_model_package(self, request: Request) -> dict[str, Any]:
        """Deletes a package; models made of it stay."""
        self.store.remove(self.store.get(MODEL_PACKAGE, _name(request["ModelPackageName"])))
        return {}


def package_container(store: Store, package: str) -> dict[str, Any]:
    """What a model made of a package runs: image, artifact and environment.

    Args:
        store: Where packages are.
        package: The package's name or ARN.

    Raises:
        ApiError: It does not exist, is a version that is not approved, or has several containers.
    """
    with store.lock:
        record = store.get(MODEL_PACKAGE, _name(package))
        members = record.members
        status = members.get("ModelApprovalStatus", _APPROVED)
        if status != _APPROVED:
            raise invalid(
                f"Cannot create a model of model package {record.arn}: its ModelApprovalStatus is "
                f"{status}. Set it to {_APPROVED} with UpdateModelPackage."
            )
        containers = members["InferenceSpecification"]["Containers"]
    if len(containers) > 1:
        raise not_available("A model of several containers (an inference pipeline)")
    container = dict(containers[0])
    source = container.get("ModelDataSource", {}).get("S3DataSource", {})
    url = container.get("ModelDataUrl") or source.get("S3Uri")
    found = {"Image": container["Image"], "Environment": container.get("Environment", {})}
    return found | ({"ModelDataUrl": url} if url else {})


def _name(name_or_arn: str) -> str:
    """`group/1` of a version's ARN; a plain name as it is."""
    if not name_or_arn.startswith("arn:"):
        return name_or_arn
    return name_or_arn.partition("/")[2]


def _versions(store: Store, group: str) -> list[Record]:
    return [
        record
        for record in store.records()
        if record.kind is MODEL_PACKAGE and record.members.get("ModelPackageGroupName") == group
    ]


def _creator() -> dict[str, Any]:
    """Who made it, which the answers require; nobody in particular here."""
    return {"CreatedBy": {}, "LastModifiedBy": {}}
