"""The instance types SageMaker knows, from botocore's own model of the service."""

from functools import cache
from typing import Any, Literal

from botocore.loaders import Loader

Use = Literal["processing", "training", "endpoint", "transform"]

_SHAPES: dict[Use, str] = {
    "processing": "ProcessingInstanceType",
    "training": "TrainingInstanceType",
    "endpoint": "ProductionVariantInstanceType",
    "transform": "TransformInstanceType",
}


@cache
def known() -> dict[Use, frozenset[str]]:
    """Return the names each use accepts; read once (about 0.1 s) while the function stays warm.

    Not every type is offered in every region, and a quota may be 0: SageMaker says so when the job
    is created.
    """
    # Not through a client: this needs neither region nor credentials.
    model: dict[str, Any] = Loader().load_service_model("sagemaker", "service-2")
    return {use: frozenset(model["shapes"][shape]["enum"]) for use, shape in _SHAPES.items()}
