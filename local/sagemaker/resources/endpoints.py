"""Endpoints: model servers behind a name, and how an invocation finds one."""

import random
import time
from datetime import UTC, datetime
from functools import partial
from typing import Any

from local.sagemaker.errors import ApiError, JobError, invalid, not_available
from local.sagemaker.jobs import Platform
from local.sagemaker.processes import describe_exit
from local.sagemaker.records import Record, hosted
from local.sagemaker.serving import ModelServer

from . import Request, Resource, only, operation
from .endpoint_configs import ENDPOINT_CONFIG
from .models import MODEL

ENDPOINT = hosted("endpoint", "endpoint", "Endpoint", status="EndpointStatus")
# Statuses in which the service refuses to change an endpoint.
_IN_PROGRESS = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")
# AWS gives a container this long to answer its first ping, unless the variant says otherwise.
_STARTUP_SECONDS = 300


class Hosting:
    """The model servers of one endpoint."""

    def __init__(self) -> None:
        self.servers: dict[str, ModelServer] = {}

    def stop(self) -> None:
        """Ends every server."""
        for server in self.servers.values():
            server.stop()


class Endpoints(Resource):
    """CreateEndpoint, DescribeEndpoint, ListEndpoints, DeleteEndpoint."""

    @operation
    def create_endpoint(self, request: Request) -> dict[str, Any]:
        """Starts an endpoint; it is InService some time later."""
        only("CreateEndpoint", request, ("EndpointName", "EndpointConfigName", "Tags"))
        with self.store.lock:
            config = self.store.describe(ENDPOINT_CONFIG, request["EndpointConfigName"])
            variants = config["ProductionVariants"]
            # The endpoint serves what its models are now: deleting them later changes nothing.
            models = {
                variant["VariantName"]: self.store.describe(MODEL, variant["ModelName"])
                for variant in variants
            }
            record = self.store.create(
                ENDPOINT,
                request["EndpointName"],
                {
                    "EndpointConfigName": config["EndpointConfigName"],
                    "EndpointStatus": "Creating",
                    "ProductionVariants": [
                        _summary(variant, models[variant["VariantName"]]["PrimaryContainer"])
                        for variant in variants
                    ],
                },
                request.get("Tags", []),
            )
            record.runtime = Hosting()
        self.platform.start(record, lambda: self._create(record, variants, models))
        return {"EndpointArn": record.arn}

    def _create(
        self, record: Record, variants: list[dict[str, Any]], models: dict[str, Any]
    ) -> None:
        hosting: Hosting = record.runtime
        try:
            folder = self.platform.folder(record)
            for variant in variants:
                name = variant["VariantName"]
                place = folder / name
                for part in ("model", "output"):
                    (place / part).mkdir(parents=True)
                model = models[name]
                server = ModelServer(
                    self.platform, model["PrimaryContainer"], place, model["ExecutionRoleArn"]
                )
                hosting.servers[name] = server
                server.launch({})
            for variant in variants:
                hosting.servers[variant["VariantName"]].wait_until_ready(
                    subject=(
                        f"The primary container for production variant {variant['VariantName']}"
                    ),
                    timeout=variant.get(
                        "ContainerStartupHealthCheckTimeoutInSeconds", _STARTUP_SECONDS
                    ),
                )
            self.platform.closing.wait(self.platform.settings.delay("endpoint-create"))
            self.store.update(record, EndpointStatus="InService")
        except Exception as error:  # noqa: BLE001 (whatever it is, the endpoint must not hang)
            self._fail(record, str(error) if isinstance(error, JobError) else repr(error))
            return
        for name, server in hosting.servers.items():
            self.platform.start(record, partial(self._watch, record, name, server))

    def _watch(self, record: Record, variant: str, server: ModelServer) -> None:
        """Waits for a server's end, which only DeleteEndpoint may bring about."""
        code = server.process.wait() if server.process else None
        with self.store.lock:
            log = f"Last line of its log: {server.last_line()}"
            expected = record.members["EndpointStatus"] != "InService"
            if not expected and not self.platform.closing.is_set() and code is not None:
                self._fail(
                    record,
                    f"The primary container for production variant {variant} has ended "
                    f"({describe_exit(code)}); the endpoint serves no more. {log}",
                )

    def _fail(self, record: Record, reason: str) -> None:
        self.store.update(record, EndpointStatus="Failed", FailureReason=reason[:1024])
        record.runtime.stop()

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
        record.runtime.stop()
        time.sleep(self.platform.settings.delay("endpoint-delete"))
        self.store.remove(record)


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


def route(platform: Platform, name: str, target: str | None) -> tuple[str, ModelServer]:
    """The variant that answers an invocation, and its server.

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
        if record is None or record.members["EndpointStatus"] != "InService":
            account = platform.settings.account
            raise ApiError("ValidationError", f"Endpoint {name} of account {account} not found.")
        variants = record.members["ProductionVariants"]
        weights = {variant["VariantName"]: variant["CurrentWeight"] for variant in variants}
        servers = record.runtime.servers
    if target is not None:
        if target not in servers:
            raise ApiError(
                "ValidationError",
                f"Variant {target} not found for Request. Endpoint {name} has "
                f"{', '.join(servers)}.",
            )
        return target, servers[target]
    if not any(weights.values()):
        raise not_available("An endpoint whose variants all weigh 0")
    chosen = random.choices(list(weights), list(weights.values()))[0]  # noqa: S311 (no secret)
    return chosen, servers[chosen]
