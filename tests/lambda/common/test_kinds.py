"""The rows say what SageMaker's API says: botocore's model of it is AWS's own record."""

from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.model import Shape, StructureShape

from spine.shipped import load

kinds = load("common.kinds")

SAGEMAKER = botocore.session.get_session().get_service_model("sagemaker")

every_kind = pytest.mark.parametrize("kind", kinds.KINDS, ids=lambda kind: kind.noun)


def shape(kind: Any, verb: str, part: str) -> StructureShape:
    """The request or the answer of an operation."""
    found: StructureShape = getattr(
        SAGEMAKER.operation_model(kind.operation(verb)), f"{part}_shape"
    )
    return found


def members(shape: Any, path: str) -> Iterator[Shape]:
    """The shapes along a dotted path; lists are passed through."""
    for name in path.split("."):
        while shape.type_name == "list":
            shape = shape.member
        shape = shape.members[name]
        yield shape


def end(kind: Any, path: str) -> Any:
    """The shape at the end of a path of the creation's request."""
    return list(members(shape(kind, "Create", "input"), path))[-1]


@every_kind
def test_every_operation_exists_and_boto3_calls_it_so(kind: Any) -> None:
    """Those that make, look and list, and the one that ends it."""
    for verb in ("Create", "Describe", "List", kind.ending):
        operation = kind.operation(verb)
        assert operation in SAGEMAKER.operation_names
        assert kind.method(verb) == xform_name(operation)


@every_kind
def test_requests_and_answers_name_it_by_its_members(kind: Any) -> None:
    """Its name where one is asked for, its ARN where one is told, its status where it has one."""
    for verb in ("Create", "Describe", kind.ending):
        assert kind.name_member in shape(kind, verb, "input").members
    answer = shape(kind, "Describe", "output").members
    assert {kind.name_member, kind.arn_member} <= answer.keys()
    assert (kind.status_member in answer) == (kind.is_job or bool(kind.in_progress))


@every_kind
def test_its_listing_can_be_asked_for_a_name_and_a_job_for_a_status(kind: Any) -> None:
    """By page; every item has its name and ARN."""
    asked = shape(kind, "List", "input").members
    assert {"NameContains", "MaxResults", "NextToken"} <= asked.keys()
    assert "StatusEquals" in asked or not kind.is_job
    answer = shape(kind, "List", "output").members
    assert "NextToken" in answer
    item: Any = answer[kind.items]
    assert {kind.name_member, kind.arn_member} <= item.member.members.keys()


@every_kind
def test_what_it_uses_is_said_by_its_description_and_its_listing_by_when_it_was_made(
    kind: Any,
) -> None:
    """Who serves with a thing is found among what was made, or changed, after it."""
    for each in (kind, *kind.holds):
        for path in each.uses:
            *_, name = members(shape(each, "Describe", "output"), path)
            assert name.type_name == "string"
        item: Any = shape(each, "List", "output").members[each.items]
        assert "CreationTime" in item.member.members
        has_status = each.is_job or each.in_progress
        assert (each.status_member in item.member.members) or not has_status
        asked = shape(each, "List", "input").members
        assert {"CreationTimeAfter", "CreationTimeBefore"} <= asked.keys()
        assert "LastModifiedTimeAfter" in asked or not each.may_change
        is_used = bool(each.uses) and not each.is_job
        assert each.may_change == (is_used and f"Update{each.noun}" in SAGEMAKER.operation_names)


def test_every_member_by_which_something_is_used_is_in_the_table() -> None:
    """Whatever SageMaker describes by a kind's name at its top, or one level down, or says why not.

    `docs/reliability.md` tells what the exceptions mean for whoever uses them.
    """
    of_kinds = {kind.name_member: kind for kind in (*kinds.KINDS, *kinds.held())}
    known = {
        (each.operation("Describe"), path)
        for each in (*kinds.KINDS, *kinds.held())
        for path in each.uses
    }
    found = {
        (operation, path)
        for operation in SAGEMAKER.operation_names
        if operation.startswith("Describe")
        for path, shape in _paths(SAGEMAKER.operation_model(operation).output_shape)
        for name in [path.rpartition(".")[2]]
        if name in ("ModelName", "EndpointConfigName")
        and shape.name == name
        and operation != of_kinds[name].operation("Describe")
    }
    assert found - known == {
        ("DescribeInferenceExperiment", "EndpointMetadata.EndpointConfigName"),
        ("DescribeInferenceExperiment", "ModelVariants.ModelName"),
        ("DescribeInferenceRecommendationsJob", "InputConfig.ModelName"),
        ("DescribeOptimizationJob", "ModelSource.SageMakerModel.ModelName"),
        # What it makes.
        ("DescribeOptimizationJob", "OutputConfig.SageMakerModel.ModelName"),
    }
    assert known <= found


def _paths(shape: Any, path: str = "", depth: int = 4) -> Iterator[tuple[str, Any]]:
    """Every member of an answer down to a depth, by its path; lists are passed through."""
    while shape.type_name == "list":
        shape = shape.member
    if shape.type_name == "structure" and depth:
        for name, member in shape.members.items():
            yield f"{path}{name}", member
            yield from _paths(member, f"{path}{name}.", depth - 1)


@every_kind
def test_what_stands_on_it_is_found_by_its_name_and_deleted(kind: Any) -> None:
    """By the API's operations and members, with statuses that exist."""
    for held in kind.holds:
        for verb in ("List", "Describe", "Delete"):
            assert held.operation(verb) in SAGEMAKER.operation_names
        assert f"{kind.name_member}Equals" in shape(held, "List", "input").members
        item: Any = shape(held, "List", "output").members[held.items]
        assert {held.name_member, held.arn_member, held.status_member} <= item.member.members.keys()
        status: Any = shape(held, "Describe", "output").members[held.status_member]
        assert held.in_progress < set(status.enum)


def test_what_may_be_scaled_is_called_as_application_auto_scaling_calls_it() -> None:
    """By its own list of dimensions; of endpoints, of their variants, of nothing that runs lack."""
    scaling = botocore.session.get_session().get_service_model("application-autoscaling")
    known: Any = scaling.shape_for("ScalableDimension")
    ours = {each for each in known.enum if each.startswith("sagemaker:")}
    assert {
        each for kind in (*kinds.KINDS, *kinds.held()) for each in kind.scalable_dimensions
    } == ours


def test_an_endpoint_is_deleted_in_its_states_of_rest_only() -> None:
    """DescribeEndpoint's own description of them, written down a second time."""
    (endpoint,) = (each for each in kinds.KINDS if each.noun == "Endpoint")
    status: Any = shape(endpoint, "Describe", "output").members["EndpointStatus"]
    assert set(status.enum) - endpoint.in_progress == {
        "InService",
        "OutOfService",
        "Failed",
        "UpdateRollbackFailed",
    }


@every_kind
def test_its_statuses_are_the_apis(kind: Any) -> None:
    """A job is found in progress; what cannot be deleted yet is so in statuses that exist."""
    status: Any = shape(kind, "Describe", "output").members.get(kind.status_member)
    known = set(status.enum) if status else set()
    assert kind.in_progress <= known
    if kind.is_job:
        assert {"InProgress", "Stopping", "Stopped", "Completed", "Failed"} <= known


@every_kind
def test_its_longest_name_is_the_apis(kind: Any) -> None:
    """And the names we give fit the pattern."""
    assert end(kind, kind.name_member).metadata["max"] == kind.longest_name


@every_kind
def test_its_paths_lead_somewhere_in_the_request_that_makes_it(kind: Any) -> None:
    """To texts, flags and numbers of the API, by what the column is for."""
    texts = (*kind.instance_types, *kind.kms_keys, *kind.images)
    flags = tuple(filter(None, (kind.network_isolation, kind.traffic_encryption)))
    for paths, type_name in ((texts, "string"), (flags, "boolean"), (kind.time_limits, "integer")):
        for path in paths:
            assert end(kind, path).type_name == type_name, path
    if kind.vpc:
        assert set(end(kind, kind.vpc).members) == {"SecurityGroupIds", "Subnets"}
    tags = end(kind, "Tags")
    assert set(tags.member.members) == {"Key", "Value"}


@every_kind
def test_no_time_limit_of_a_job_is_left_out(kind: Any) -> None:
    """Whatever StoppingCondition holds of a job's length, but how long it may wait to begin."""
    condition: Any = shape(kind, "Create", "input").members.get("StoppingCondition")
    if condition is not None:
        limits = {path.rpartition(".")[2] for path in kind.time_limits}
        assert limits == condition.members.keys() - {"MaxPendingTimeInSeconds"}


# Members of the same sort that no request of ours has: data sets as inputs, instances of several
# types, rules of the debugger, dumps, asynchronous and shadow variants.
_NEVER_ASKED = (
    "DatasetDefinition.",
    "InstanceGroups.",
    "InstancePools.",
    "InstancePreferences.",
    "RuleConfigurations.",
    "CoreDumpConfig.",
    "AsyncInferenceConfig.",
    "ShadowProductionVariants.",
)
# Of a preparation, which fetches its data by itself, and of a configuration, where they count for
# inference components only.
_NOT_SET = {
    "ProcessingJob": {"NetworkConfig.EnableNetworkIsolation"},
    "EndpointConfig": {"VpcConfig", "EnableNetworkIsolation"},
}


def paths(shape: Any, at: str = "", seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """The paths to every member below a shape, as the table writes them."""
    while shape.type_name == "list":
        shape = shape.member
    if shape.type_name != "structure" or shape.name in seen:
        return
    for name, member in shape.members.items():
        yield f"{at}{name}"
        yield from paths(member, f"{at}{name}.", seen | {shape.name})


@every_kind
def test_no_key_network_instance_or_image_of_a_request_is_left_out(kind: Any) -> None:
    """What the settings and the gates hold to their rules is all that the API takes."""
    every = {
        path
        for path in paths(shape(kind, "Create", "input"))
        if not any(part in path for part in _NEVER_ASKED)
    } - _NOT_SET.get(kind.noun, set())

    def ending(*names: str) -> set[str]:
        return {path for path in every if path.rpartition(".")[2] in names}

    assert set(kind.kms_keys) == ending("KmsKeyId", "VolumeKmsKeyId")
    assert set(kind.instance_types) == ending("InstanceType")
    assert set(kind.images) == ending("Image", "ImageUri", "TrainingImage")
    assert {kind.vpc} - {None} == ending("VpcConfig")
    assert {kind.network_isolation} - {None} == ending("EnableNetworkIsolation")
    assert {kind.traffic_encryption} - {None} == ending("EnableInterContainerTrafficEncryption")


@every_kind
def test_what_runs_is_billed_and_a_model_is_the_result(kind: Any) -> None:
    """Jobs, and an endpoint that is in service; a description costs nothing."""
    status: Any = shape(kind, "Describe", "output").members.get(kind.status_member)
    serves = status is not None and "InService" in status.enum
    assert kind.billed is (kind.is_job or serves)
    assert kind.is_result is (kind.noun == "Model")


@every_kind
def test_jobs_are_waited_for_by_the_rule_that_step_functions_makes(kind: Any) -> None:
    """As its guide names it in the policies for SageMaker's `.sync` integrations."""
    rule = f"StepFunctionsGetEventsForSageMaker{kind.noun}sRule"
    assert kind.events_rule == (rule if kind.is_job else None)


@every_kind
def test_iam_calls_it_by_its_noun_in_lower_case(kind: Any) -> None:
    """As in the ARNs of the Service Authorization Reference: `training-job`."""
    assert kind.resource_type == xform_name(kind.noun, "-")
    assert kind.key == xform_name(kind.noun)


def test_a_kind_is_found_by_what_step_functions_calls_its_creation() -> None:
    """The camel case of the optimized integration."""
    assert [kinds.of_action(kind.action) for kind in kinds.KINDS] == list(kinds.KINDS)
    assert kinds.of_action("createPipeline") is None


def test_jobs_go_first_and_results_last() -> None:
    """The order of the table is the order of removal, and a configuration outlives its endpoint."""
    order = [kind.key for kind in kinds.KINDS]
    assert order == [kind.key for kind in sorted(kinds.KINDS, key=lambda each: not each.is_job)]
    assert order == [kind.key for kind in sorted(kinds.KINDS, key=lambda each: each.is_result)]
    assert order.index("endpoint") < order.index("endpoint_config")
