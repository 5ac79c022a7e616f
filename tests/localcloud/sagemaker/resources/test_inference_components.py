"""Inference components: whoever cleans up may ask for them, and is told that there are none."""

from functools import partial

from tests.localcloud.sagemaker.cloud import Cloud, refused


def test_there_are_no_inference_components(cloud: Cloud) -> None:
    """The list is empty, for every endpoint; one is not found, as AWS says it."""
    listed = cloud.sagemaker.list_inference_components(EndpointNameEquals="any")
    assert listed["InferenceComponents"] == []
    for call in (
        partial(cloud.sagemaker.describe_inference_component, InferenceComponentName="none"),
        partial(cloud.sagemaker.delete_inference_component, InferenceComponentName="none"),
    ):
        code, message = refused(call)
        assert code == "ValidationException"
        assert message.startswith("Could not find inference component")


def test_none_can_be_made(cloud: Cloud) -> None:
    """And that is said by the operation's name."""
    code, message = refused(
        lambda: cloud.sagemaker.create_inference_component(
            InferenceComponentName="one",
            EndpointName="any",
            VariantName="all",
            Specification={"ModelName": "trained"},
            RuntimeConfig={"CopyCount": 1},
        )
    )
    assert (code, message) == (
        "UnknownOperationException",
        "CreateInferenceComponent is not available locally.",
    )
