"""Endpoints: model servers behind a name, how they change, and how an invocation finds one."""

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from localcloud.sagemaker import fleets
from localcloud.sagemaker.capture import Capture
from localcloud.sagemaker.child_processes import describe_exit
from localcloud.sagemaker.errors import ApiError, JobError, invalid, not_available
from localcloud.sagemaker.fleets import Fleet, Plan
from localcloud.sagemaker.jobs import Platform
from localcloud.sagemaker.records import Record, hosted
from localcloud.sagemaker.resources import Request, Resource, only, operation, value_of
from localcloud.sagemaker.resources.endpoint_configs import ENDPOINT_CONFIG
from localcloud.sagemaker.resources.models import served_model
from localcloud.sagemaker.serving import ModelServer

ENDPOINT = hosted("endpoint", "endpoint", "Endpoint", status="EndpointStatus")
# Statuses in which the service refuses to change an endpoint.
_IN_PROGRESS = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")
# The old fleet answers until the new one has taken over: "Update a model" in the developer guide.
_SERVING = ("InService", "Updating", "SystemUpdating", "RollingBack")
_ROUTING = "DeploymentConfig.BlueGreenUpdatePolicy.TrafficRoutingConfiguration"
# What RetainAllVariantProperties keeps of a variant, by the name that excludes it again.
_RETAINED = {
    "DesiredWeight": "InitialVariantWeight",
    "DesiredInstanceCount": "InitialInstanceCount",
}


@dataclass
class Hosting:
    """What runs behind an endpoint: the fleet that answers, and how many there have been."""

    fleet: Fleet = field(default_factory=Fleet)
    generation: int = 0


class Endpoints(Resource):
    """Create, Describe, List, Update and DeleteEndpoint, UpdateEndpointWeightsAndCapacities."""

    @operation
    def create_endpoint(self, request: Request) -> dict[str, Any]:
        """Starts an endpoint; it is InService some time later."""
        only("CreateEndpoint", request, ("EndpointName", "EndpointConfigName", "Tags"))
        with self.store.lock:
            plan = self._plan(request["EndpointConfigName"])
            record = self.store.create(
                ENDPOINT,
                request["EndpointName"],
                {
                    "EndpointConfigName": plan.config,
                    "EndpointStatus": "Creating",
                    "ProductionVariants": plan.summaries(),
                },
                request.get("Tags", []),
            )
            record.runtime = Hosting()
        self.platform.start(record, lambda: self._create(record, plan))
        return {"EndpointArn": record.arn}

    def _plan(self, config: str) -> Plan:
        described = self.store.describe(ENDPOINT_CONFIG, config)
        variants = described["ProductionVariants"]
        # The endpoint serves what its models are now: deleting them later changes nothing.
        models = {
            variant["VariantName"]: served_model(self.store, variant["ModelName"])
            for variant in variants
        }
        name = described["EndpointConfigName"]
        return Plan(name, variants, models, described.get("DataCaptureConfig"))

    def _create(self, record: Record, plan: Plan) -> None:
        try:
            fleet = fleets.start(self.platform, record.name, plan, self.platform.folder(record))
            self.platform.closing.wait(self.platform.settings.delay("endpoint-create"))
            self._take_over(record, plan, fleet)
        except Exception as error:  # noqa: BLE001 (whatever it is, the endpoint must not hang)
            self._fail(record, str(error) if isinstance(error, JobError) else repr(error))

    def _take_over(self, record: Record, plan: Plan, fleet: Fleet) -> Fleet:
        """Lets a fleet that serves answer from now on; returns the one before it."""
        with self.store.lock:
            hosting: Hosting = record.runtime
            before, hosting.fleet = hosting.fleet, fleet
            members: dict[str, Any] = {
                "EndpointStatus": "InService",
                "EndpointConfigName": plan.config,
                "ProductionVariants": plan.summaries(),
            }
            if plan.capture:
                members["DataCaptureConfig"] = _capture_summary(plan.capture)
            for stale in ("FailureReason", "PendingDeploymentSummary", "DataCaptureConfig"):
                record.members.pop(stale, None)
            self.store.update(record, **members)
        for name, server in fleet.servers.items():
            self.platform.start(record, partial(self._watch, record, name, server))
        return before

    def _watch(self, record: Record, variant: str, server: ModelServer) -> None:
        """Waits for a server's end, which only a deletion or an update may bring about."""
        code = server.process.wait() if server.process else None
        with self.store.lock:
            log = f"Last line of its log: {server.last_line()}"
            current = record.runtime.fleet.servers.get(variant) is server
            serving = record.members["EndpointStatus"] in _SERVING
            if current and serving and not self.platform.closing.is_set() and code is not None:
                self._fail(
                    record,
                    f"The primary container for production variant {variant} has ended "
                    f"({describe_exit(code)}); the endpoint serves no more. {log}",
                )

    def _fail(self, record: Record, reason: str) -> None:
        with self.store.lock:
            record.members.pop("PendingDeploymentSummary", None)
            self.store.update(record, EndpointStatus="Failed", FailureReason=reason[:1024])
        record.runtime.fleet.stop()

    @operation
    def update_endpoint(self, request: Request) -> dict[str, Any]:
        """Replaces an endpoint's fleet by one of another configuration, or keeps the old one.

        The old fleet answers until the new one serves. When that does not come to serve, the
        endpoint rolls back: it is InService as before, with the reason in `FailureReason`.
        """
        only(
            "UpdateEndpoint",
            request,
            (
                "EndpointName",
                "EndpointConfigName",
                "RetainAllVariantProperties",
                "ExcludeRetainedVariantProperties",
                "RetainDeploymentConfig",
                # All at once is what happens; how long an old instance is kept is not to be seen.
                f"{_ROUTING}.Type",
                f"{_ROUTING}.WaitIntervalInSeconds",
                "DeploymentConfig.BlueGreenUpdatePolicy.TerminationWaitInSeconds",
                "DeploymentConfig.BlueGreenUpdatePolicy.MaximumExecutionTimeoutInSeconds",
            ),
        )
        policy = request.get("DeploymentConfig", {}).get("BlueGreenUpdatePolicy", {})
        routing = policy.get("TrafficRoutingConfiguration", {})
        kind = routing.get("Type")
        value_of("UpdateEndpoint", "TrafficRoutingConfiguration.Type", kind, ["ALL_AT_ONCE"])
        with self.store.lock:
            record = self._changeable(request["EndpointName"])
            plan = self._plan(request["EndpointConfigName"])
            if request.get("RetainAllVariantProperties"):
                excluded = request.get("ExcludeRetainedVariantProperties") or []
                kinds = {each["VariantPropertyType"] for each in excluded}
                plan = self._retaining(record, plan, kinds)
            hosting: Hosting = record.runtime
            hosting.generation += 1
            self.store.update(
                record,
                EndpointStatus="Updating",
                PendingDeploymentSummary={
                    "EndpointConfigName": plan.config,
                    "ProductionVariants": [
                        summary | {"VariantStatus": [{"Status": "Creating"}]}
                        for summary in plan.summaries()
                    ],
                    "StartTime": datetime.now(UTC),
                },
            )
            folder = self.platform.settings.jobs / ENDPOINT.segment / record.name
            place = folder / f"update-{hosting.generation}"
        self.platform.start(record, lambda: self._update(record, plan, place))
        return {"EndpointArn": record.arn}

    def _retaining(self, record: Record, plan: Plan, excluded: set[str]) -> Plan:
        """The plan with what the endpoint's variants of the same names have now."""
        now = {each["VariantName"]: each for each in record.members["ProductionVariants"]}
        variants = []
        for variant in plan.variants:
            kept = {
                target: now[variant["VariantName"]][source]
                for source, target in _RETAINED.items()
                if source not in excluded and variant["VariantName"] in now
            }
            variants.append({**variant, **kept})
        capture = plan.capture
        if "DataCaptureConfig" not in excluded:
            current = record.runtime.fleet.capture
            capture = dict(current.config) if current else None
        return Plan(plan.config, variants, plan.models, capture)

    def _update(self, record: Record, plan: Plan, folder: Path) -> None:
        try:
            fleet = fleets.start(self.platform, record.name, plan, folder)
            self.platform.closing.wait(self.platform.settings.delay("endpoint-update"))
        except Exception as error:  # noqa: BLE001 (whatever it is, the old fleet goes on)
            reason = str(error) if isinstance(error, JobError) else repr(error)
            self._roll_back(record, reason)
            return
        with self.store.lock:
            # The endpoint has failed meanwhile when a server of the old fleet has ended.
            ended = record.members["EndpointStatus"] != "Updating"
            surplus = fleet if ended else self._take_over(record, plan, fleet)
        # Not under the lock: it may have captures to upload.
        surplus.stop()

    def _roll_back(self, record: Record, reason: str) -> None:
        with self.store.lock:
            if record.members["EndpointStatus"] != "Updating":
                return
            record.members.pop("PendingDeploymentSummary", None)
            self.store.update(record, EndpointStatus="RollingBack", FailureReason=reason[:1024])
        self.platform.closing.wait(self.platform.settings.delay("endpoint-update"))
        with self.store.lock:
            if record.members["EndpointStatus"] == "RollingBack":
                self.store.update(record, EndpointStatus="InService")

    @operation
    def update_endpoint_weights_and_capacities(self, request: Request) -> dict[str, Any]:
        """Changes how an endpoint's variants share its invocations, and their instance counts.

        A variant has one server here whatever its instance count, which is only recorded.
        """
        name = "UpdateEndpointWeightsAndCapacities"
        only(
            name,
            request,
            (
                "EndpointName",
                *(
                    f"DesiredWeightsAndCapacities.{member}"
                    for member in ("VariantName", "DesiredWeight", "DesiredInstanceCount")
                ),
            ),
        )
        with self.store.lock:
            record = self._changeable(request["EndpointName"])
            variants = {each["VariantName"]: each for each in record.members["ProductionVariants"]}
            changes = request["DesiredWeightsAndCapacities"]
            for change in changes:
                if change["VariantName"] not in variants:
                    raise invalid(
                        f"Variant {change['VariantName']} does not exist in endpoint "
                        f'"{record.arn}". It has {", ".join(variants)}.'
                    )
            for change in changes:
                variant = variants[change["VariantName"]]
                for member in ("DesiredWeight", "DesiredInstanceCount"):
                    if member in change:
                        variant[member] = change[member]
            record.members.pop("FailureReason", None)
            self.store.update(record, EndpointStatus="Updating")
        self.platform.start(record, lambda: self._reweigh(record))
        return {"EndpointArn": record.arn}

    def _reweigh(self, record: Record) -> None:
        self.platform.closing.wait(self.platform.settings.delay("endpoint-update"))
        with self.store.lock:
            if record.members["EndpointStatus"] != "Updating":
                return
            for variant in record.members["ProductionVariants"]:
                variant["CurrentWeight"] = variant["DesiredWeight"]
                variant["CurrentInstanceCount"] = variant["DesiredInstanceCount"]
            self.store.update(record, EndpointStatus="InService")

    def _changeable(self, name: str) -> Record:
        """An endpoint that may be updated.

        Raises:
            ApiError: It does not exist, is changing already, or has failed (the API reference of
                DescribeEndpoint: then DeleteEndpoint is the only operation).
        """
        record = self.store.get(ENDPOINT, name)
        status = record.members["EndpointStatus"]
        if status in _IN_PROGRESS:
            raise invalid(f'Cannot update in-progress endpoint "{record.arn}".')
        if status != "InService":
            raise invalid(
                f'Cannot update endpoint "{record.arn}" in status {status}; it can only be deleted.'
            )
        return record

    @operation
    def describe_endpoint(self, request: Request) -> dict[str, Any]:
        """Describes an endpoint."""
        return self.store.describe(ENDPOINT, request["EndpointName"])

    @operation
    def list_endpoints(self, request: Request) -> dict[str, Any]:
        """Lists endpoints."""
        return self.listing(ENDPOINT, request, "Endpoints")

    @operation
    def delete_endpoint(self, request: Request) -> dict[str, Any]:
        """Starts to delete an endpoint; configuration and models stay."""
        with self.store.lock:
            record = self.store.get(ENDPOINT, request["EndpointName"])
            if record.members["EndpointStatus"] in _IN_PROGRESS:
                raise invalid(f'Cannot update in-progress endpoint "{record.arn}".')
            self.store.update(record, EndpointStatus="Deleting")
        self.platform.start(record, lambda: self._delete(record))
        return {}

    def _delete(self, record: Record) -> None:
        record.runtime.fleet.stop()
        time.sleep(self.platform.settings.delay("endpoint-delete"))
        self.store.remove(record)


def _capture_summary(capture: Mapping[str, Any]) -> dict[str, Any]:
    """What DescribeEndpoint says of a configuration's capture."""
    summary = {
        "EnableCapture": capture["EnableCapture"],
        "CaptureStatus": "Started" if capture["EnableCapture"] else "Stopped",
        "CurrentSamplingPercentage": capture["InitialSamplingPercentage"],
        "DestinationS3Uri": capture["DestinationS3Uri"],
    }
    # Required in the answer, and empty where no key was given.
    return summary | {"KmsKeyId": capture.get("KmsKeyId", "")}


@dataclass(frozen=True)
class Route:
    """Where an invocation goes."""

    variant: str
    server: ModelServer
    capture: Capture | None


def route(platform: Platform, name: str, target: str | None) -> Route:
    """The variant that answers an invocation.

    Args:
        platform: Where endpoints run.
        name: The endpoint.
        target: `TargetVariant`; None chooses by weight.

    Raises:
        ApiError: `ValidationError` as the runtime words it: an endpoint that is not in service
            is as little known to it as one that does not exist.
    """
    store = platform.store
    with store.lock:
        record = store.find(ENDPOINT, name)
        if record is None or record.members["EndpointStatus"] not in _SERVING:
            account = platform.settings.account
            raise ApiError("ValidationError", f"Endpoint {name} of account {account} not found.")
        variants = record.members["ProductionVariants"]
        weights = {variant["VariantName"]: variant["CurrentWeight"] for variant in variants}
        fleet: Fleet = record.runtime.fleet
    if target is not None:
        if target not in fleet.servers:
            raise ApiError(
                "ValidationError",
                f"Variant {target} not found for Request. Endpoint {name} has "
                f"{', '.join(fleet.servers)}.",
            )
        return Route(target, fleet.servers[target], fleet.capture)
    if not any(weights.values()):
        raise not_available("An endpoint whose variants all weigh 0")
    chosen = random.choices(list(weights), list(weights.values()))[0]  # noqa: S311 (no secret)
    return Route(chosen, fleet.servers[chosen], fleet.capture)
