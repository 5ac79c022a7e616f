"""Fleets: the model servers of an endpoint's configuration, started together."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from localcloud.sagemaker import logs
from localcloud.sagemaker.capture import Capture
from localcloud.sagemaker.errors import JobError
from localcloud.sagemaker.jobs import Platform
from localcloud.sagemaker.serving import ModelServer

# AWS gives a container this long to answer its first ping, unless the variant says otherwise.
_STARTUP_SECONDS = 300


@dataclass
class Fleet:
    """The model servers of one configuration, by variant."""

    servers: dict[str, ModelServer] = field(default_factory=dict)
    capture: Capture | None = None

    def stop(self) -> None:
        """Ends every server and uploads what was captured."""
        for server in self.servers.values():
            server.stop()
        if self.capture is not None:
            self.capture.flush()


@dataclass(frozen=True)
class Plan:
    """What a fleet is made of; models are as they were when the fleet was asked for."""

    config: str
    variants: list[dict[str, Any]]
    models: dict[str, dict[str, Any]]
    capture: dict[str, Any] | None

    def summaries(self) -> list[dict[str, Any]]:
        """DescribeEndpoint's `ProductionVariants`."""
        return [
            _summary(variant, self.models[variant["VariantName"]]["PrimaryContainer"])
            for variant in self.variants
        ]


def start(platform: Platform, endpoint: str, plan: Plan, folder: Path) -> Fleet:
    """Launches a fleet when it has a slot: what starts needs a core, what serves does not.

    Raises:
        JobError: It does not come to serve.
    """
    with platform.starting.slot(platform.closing.is_set) as taken:
        if not taken:
            raise JobError("The local SageMaker is shutting down.")
        return _launch(platform, endpoint, plan, folder)


def _launch(platform: Platform, endpoint: str, plan: Plan, folder: Path) -> Fleet:
    """Starts a fleet and waits until every server of it serves.

    Raises:
        JobError: One does not; none is left then.
    """
    fleet = Fleet()
    try:
        for variant in plan.variants:
            name = variant["VariantName"]
            place = folder / name
            for part in ("model", "output"):
                (place / part).mkdir(parents=True)
            model = plan.models[name]
            server = ModelServer(
                platform,
                model["PrimaryContainer"],
                place,
                model["ExecutionRoleArn"],
                group=(f"{logs.ENDPOINTS}/{endpoint}", name),
            )
            fleet.servers[name] = server
            server.launch({})
        for variant in plan.variants:
            fleet.servers[variant["VariantName"]].wait_until_ready(
                subject=(f"The primary container for production variant {variant['VariantName']}"),
                timeout=variant.get(
                    "ContainerStartupHealthCheckTimeoutInSeconds", _STARTUP_SECONDS
                ),
            )
        if plan.capture and plan.capture["EnableCapture"]:
            role = plan.models[plan.variants[0]["VariantName"]]["ExecutionRoleArn"]
            fleet.capture = Capture(
                plan.capture,
                endpoint=endpoint,
                storage=platform.storage_of(role),
                folder=folder,
            )
    except BaseException:
        fleet.stop()
        raise
    return fleet


def _summary(variant: dict[str, Any], container: dict[str, Any]) -> dict[str, Any]:
    count, weight = variant["InitialInstanceCount"], variant["InitialVariantWeight"]
    image = {
        "SpecifiedImage": container["Image"],
        "ResolvedImage": container["Image"],
        "ResolutionTime": datetime.now(UTC),
    }
    return {
        "VariantName": variant["VariantName"],
        "DeployedImages": [image],
        "CurrentWeight": weight,
        "DesiredWeight": weight,
        "CurrentInstanceCount": count,
        "DesiredInstanceCount": count,
    }
