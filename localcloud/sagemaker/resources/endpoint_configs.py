"""Endpoint configurations: which models an endpoint serves, and in what proportion."""

from typing import Any

from localcloud.sagemaker.errors import invalid
from localcloud.sagemaker.records import hosted
from localcloud.sagemaker.resources import Request, Resource, only, operation
from localcloud.sagemaker.resources.models import MODEL
from localcloud.sagemaker.storage import parse_uri

ENDPOINT_CONFIG = hosted("endpoint configuration", "endpoint-config", "EndpointConfig")
_SUPPORTED = (
    "EndpointConfigName",
    *(
        f"ProductionVariants.{member}"
        for member in (
            "VariantName",
            "ModelName",
            "InitialInstanceCount",
            "InstanceType",
            "InitialVariantWeight",
            "VolumeSizeInGB",
            "ModelDataDownloadTimeoutInSeconds",
            "ContainerStartupHealthCheckTimeoutInSeconds",
            "EnableSSMAccess",
            "RoutingConfig",
            "InferenceAmiVersion",
        )
    ),
    "Tags",
    "KmsKeyId",
    "ExecutionRoleArn",
    "VpcConfig",
    "EnableNetworkIsolation",
    "MetricsConfig",
    *(
        f"DataCaptureConfig.{member}"
        for member in (
            "EnableCapture",
            "InitialSamplingPercentage",
            "DestinationS3Uri",
            "KmsKeyId",
            "CaptureOptions",
            "CaptureContentTypeHeader",
        )
    ),
)


class EndpointConfigs(Resource):
    """CreateEndpointConfig, DescribeEndpointConfig, ListEndpointConfigs, DeleteEndpointConfig."""

    @operation
    def create_endpoint_config(self, request: Request) -> dict[str, Any]:
        """Makes a configuration of models that exist."""
        variants = request["ProductionVariants"]
        only("CreateEndpointConfig", request, _SUPPORTED)
        if capture := request.get("DataCaptureConfig"):
            _check_place(capture["DestinationS3Uri"])
        names = [variant["VariantName"] for variant in variants]
        if len(set(names)) != len(names):
            raise invalid("Production variant names must be unique within an endpoint config.")
        for variant in variants:
            for member in ("ModelName", "InitialInstanceCount", "InstanceType"):
                if member not in variant:
                    raise invalid(
                        f"{member} is required for production variant {variant['VariantName']}."
                    )
            self.store.get(MODEL, variant["ModelName"])
        members = dict(request)
        members["ProductionVariants"] = [
            {"InitialVariantWeight": 1.0, **variant} for variant in variants
        ]
        if capture:
            # The API reference: capture is on unless it is switched off.
            members["DataCaptureConfig"] = {"EnableCapture": True, **capture}
        record = self.store.create(
            ENDPOINT_CONFIG, request["EndpointConfigName"], members, request.get("Tags", [])
        )
        return {"EndpointConfigArn": record.arn}

    @operation
    def describe_endpoint_config(self, request: Request) -> dict[str, Any]:
        """Describes a configuration."""
        return self.store.describe(ENDPOINT_CONFIG, request["EndpointConfigName"])

    @operation
    def list_endpoint_configs(self, request: Request) -> dict[str, Any]:
        """Lists configurations."""
        return self.listing(ENDPOINT_CONFIG, request, "EndpointConfigs")

    @operation
    def delete_endpoint_config(self, request: Request) -> dict[str, Any]:
        """Forgets a configuration; AWS does so too while an endpoint uses it."""
        self.store.remove(self.store.get(ENDPOINT_CONFIG, request["EndpointConfigName"]))
        return {}


def _check_place(uri: str) -> None:
    try:
        parse_uri(uri)
    except ValueError as error:
        raise invalid(str(error)) from error
