"""Inference components: none can be made here, which listing and looking for one says."""

from typing import Any

from localcloud.sagemaker.records import hosted
from localcloud.sagemaker.resources import Request, Resource, operation

INFERENCE_COMPONENT = hosted("inference component", "inference-component", "InferenceComponent")


class InferenceComponents(Resource):
    """DescribeInferenceComponent, ListInferenceComponents, DeleteInferenceComponent.

    Whoever cleans up has to ask whether one uses a model or stands on an endpoint.
    """

    @operation
    def describe_inference_component(self, request: Request) -> dict[str, Any]:
        """Finds none."""
        return self.store.describe(INFERENCE_COMPONENT, request["InferenceComponentName"])

    @operation
    def list_inference_components(self, request: Request) -> dict[str, Any]:
        """Lists none."""
        return self.listing(INFERENCE_COMPONENT, request, "InferenceComponents")

    @operation
    def delete_inference_component(self, request: Request) -> dict[str, Any]:
        """Finds none."""
        self.store.remove(self.store.get(INFERENCE_COMPONENT, request["InferenceComponentName"]))
        return {}
