"""One run is removed, in order and as often as wanted, over a SageMaker with states."""

from typing import Any

import pytest

from spine.shipped import load
from tests.fake_sagemaker import FakeSageMaker, FakeScaling
from tests.leftovers import PREFIX, arn, backoff, base, leave
from tests.support import client_error

kinds = load("common.kinds")
names = load("common.names")
removal = load("cleanup.removal")


def test_a_run_is_removed_in_order(sagemaker: FakeSageMaker) -> None:
    """Jobs stop and the endpoint goes first, and its configuration only when it is gone."""
    run = leave(sagemaker, "one")
    done = removal.remove(sagemaker, run, models=True, backoff=backoff(sagemaker, 120))
    assert done == {
        "deleted": {"endpoints": [run], "endpoint_configs": [run], "models": [run]},
        "stopped_jobs": [f"{run}-0-1"],
        "in_use": {},
    }
    assert sagemaker.calls == [
        ("StopTransformJob", f"{run}-0-1"),
        ("DeleteEndpoint", run),
        ("DeleteEndpointConfig", run),
        ("DeleteModel", run),
    ]
    assert sagemaker.left() == set()


def test_a_removed_run_is_removed_again_without_error(sagemaker: FakeSageMaker) -> None:
    """Already gone is success, and nothing is reported as deleted."""
    run = leave(sagemaker, "one")
    removal.remove(sagemaker, run, models=True, backoff=backoff(sagemaker, 120))
    done = removal.remove(sagemaker, run, models=True, backoff=backoff(sagemaker, 0))
    assert done == {
        "deleted": {"endpoints": [], "endpoint_configs": [], "models": []},
        "stopped_jobs": [],
        "in_use": {},
    }


def test_the_model_stays_unless_asked_for(sagemaker: FakeSageMaker) -> None:
    """A model costs nothing and is the run's result."""
    run = leave(sagemaker, "one")
    removal.remove(sagemaker, run, models=False, backoff=backoff(sagemaker, 120))
    assert sagemaker.left() == {run}
    assert sagemaker.names("model") == {run}


@pytest.mark.parametrize("status", ["Creating", "Updating", "SystemUpdating", "RollingBack"])
def test_an_endpoint_in_progress_is_waited_for_and_then_named(
    sagemaker: FakeSageMaker, status: str
) -> None:
    """It cannot be deleted yet: the error says so, and nothing it needs was touched."""
    run = leave(sagemaker, "one", endpoint=status, until=600)
    with pytest.raises(removal.EndpointBusyError, match=f"{run} is {status}"):
        removal.remove(sagemaker, run, models=True, backoff=backoff(sagemaker, 10))
    assert sagemaker.now == 10
    assert sagemaker.names("endpoint-config") == {run}
    assert sagemaker.names("model") == {run}
    assert sagemaker.names("transform-job") == set()


@pytest.mark.parametrize("status", ["InService", "Failed", "OutOfService", "UpdateRollbackFailed"])
def test_an_endpoint_at_rest_is_deleted_whatever_its_state(
    sagemaker: FakeSageMaker, status: str
) -> None:
    """A failed endpoint is deleted like one in service."""
    run = leave(sagemaker, "one", endpoint=status)
    removal.remove(sagemaker, run, models=True, backoff=backoff(sagemaker, 120))
    assert sagemaker.left() == set()


def test_repeated_calls_finish_what_one_began(sagemaker: FakeSageMaker) -> None:
    """The state machine's retries go on where the last call stopped."""
    run = leave(sagemaker, "one", endpoint="Creating", until=40)
    outcomes = []
    for _ in range(10):
        try:
            removal.remove(sagemaker, run, models=True, backoff=backoff(sagemaker, 10))
        except removal.EndpointBusyError as error:
            outcomes.append(str(error))
        else:
            break
    assert any("Creating" in outcome for outcome in outcomes)
    assert any("Deleting" in outcome for outcome in outcomes)
    assert sagemaker.left() == set()


def test_other_runs_are_not_touched(sagemaker: FakeSageMaker) -> None:
    """SageMaker finds names by any part of them; only the run's own may go."""
    run = leave(sagemaker, "one")
    others = {
        leave(sagemaker, "two"),
        leave(sagemaker, f"x{run}"),
        leave(sagemaker, f"{run.removeprefix(PREFIX + '-')}-again"),
    }
    sagemaker.add("endpoint", f"my-{run}", status="InService")
    sagemaker.add("endpoint", f"{run}-canary", status="InService")
    removal.remove(sagemaker, run, models=True, backoff=backoff(sagemaker, 120))
    assert sagemaker.names("endpoint") == {*others, f"my-{run}", f"{run}-canary"}
    assert sagemaker.names("transform-job") == {f"{other}-0-1" for other in others}
    assert sagemaker.names("model") == others


def test_what_only_has_the_name_of_the_run_is_not_touched(sagemaker: FakeSageMaker) -> None:
    """Without the tag that says so it is somebody else's, whatever it is called."""
    run = base("one")
    sagemaker.add("endpoint-config", run, run="another-run")
    sagemaker.add("model", run)
    sagemaker.add("endpoint", run, status="InService", owner="me")
    sagemaker.add("training-job", f"{run}-0-0", status="InProgress", run="another-run")
    done = removal.remove(sagemaker, run, models=True, backoff=backoff(sagemaker, 0))
    assert sagemaker.calls == []
    assert done["deleted"] == {"endpoints": [], "endpoint_configs": [], "models": []}
    assert sagemaker.left() == {run, f"{run}-0-0"}


@pytest.mark.parametrize("kind", kinds.jobs(), ids=lambda kind: kind.noun)
def test_a_job_of_any_kind_is_stopped(sagemaker: FakeSageMaker, kind: Any) -> None:
    """Found by name and tag, and stopped rather than deleted."""
    run = leave(sagemaker, "one", job="Completed")
    job = f"{run}-0-9"
    tags = {"run": names.run_id_of(arn("one")), "execution": arn("one")}
    sagemaker.add(kind.resource_type, job, status="InProgress", **tags)
    done = removal.remove(sagemaker, run, models=True, backoff=backoff(sagemaker, 120))
    assert done["stopped_jobs"] == [job]
    assert sagemaker.calls[0] == (kind.operation("Stop"), job)
    assert sagemaker.things[kind.resource_type][job].status == "Stopped"


@pytest.mark.parametrize("stopped_meanwhile", ["Completed", "Stopping", None])
def test_a_job_that_ends_by_itself_is_no_failure(
    sagemaker: FakeSageMaker, stopped_meanwhile: str | None
) -> None:
    """Between listing and stopping, a job may end or go."""
    run = leave(sagemaker, "one")

    def end(operation: str, name: str) -> None:
        if operation == "StopTransformJob":
            if stopped_meanwhile:
                sagemaker.things["transform-job"][name].status = stopped_meanwhile
            else:
                del sagemaker.things["transform-job"][name]

    sagemaker.fault = end
    done = removal.remove(sagemaker, run, models=True, backoff=backoff(sagemaker, 120))
    assert done["stopped_jobs"] == []


def test_an_endpoint_that_begins_to_update_meanwhile_is_waited_for(
    sagemaker: FakeSageMaker,
) -> None:
    """SageMaker refuses the deletion; that is busy, not a failure."""
    run = leave(sagemaker, "one")

    def update(operation: str, name: str) -> None:
        if operation == "DeleteEndpoint" and sagemaker.now == 0:
            sagemaker.things["endpoint"][name].status = "Creating"
            sagemaker.things["endpoint"][name].until = 20

    sagemaker.fault = update
    removal.remove(sagemaker, run, models=True, backoff=backoff(sagemaker, 120))
    assert sagemaker.left() == set()


def test_a_permission_that_is_missing_is_reported(sagemaker: FakeSageMaker) -> None:
    """Only "not there" and "not now" are expected answers."""
    run = leave(sagemaker, "one")

    def deny(operation: str, _name: str) -> None:
        if operation == "DeleteEndpoint":
            raise client_error("AccessDeniedException", "not authorized", operation)

    sagemaker.fault = deny
    with pytest.raises(Exception, match="not authorized"):
        removal.remove(sagemaker, run, models=True, backoff=backoff(sagemaker, 0))


# What is in the way


def test_what_sagemaker_refuses_for_good_is_told_in_its_own_words(
    sagemaker: FakeSageMaker, scaling: FakeScaling
) -> None:
    """No state explains it: waiting will not help, and the person must know why."""
    run = leave(sagemaker, "one")

    def refuse(operation: str, _name: str) -> None:
        if operation == "DeleteEndpoint":
            raise client_error("ValidationException", "The endpoint is under a spell.", operation)

    sagemaker.fault = refuse
    with pytest.raises(removal.DeletionRefusedError, match=r"The endpoint is under a spell\."):
        removal.remove(sagemaker, run, models=True, backoff=backoff(sagemaker, 10))
    assert sagemaker.names("endpoint-config") == {run}


def test_an_inference_component_that_cannot_go_yet_is_busy(
    sagemaker: FakeSageMaker, scaling: FakeScaling
) -> None:
    """The same call again goes on."""
    run = leave(sagemaker, "one")
    sagemaker.add("inference-component", "new", status="Creating", until=500, on=run)
    with pytest.raises(removal.EndpointBusyError, match="new is Creating"):
        removal.remove(sagemaker, run, models=True, backoff=backoff(sagemaker, 10))
    removal.remove(sagemaker, run, models=True, backoff=backoff(sagemaker, 600))
    assert sagemaker.left() == set()


@pytest.mark.parametrize("uses", [("RUN",), ("theirs", "RUN")])
@pytest.mark.parametrize("name", ["RUN", "theirs"])
def test_what_somebody_else_serves_with_stays(
    sagemaker: FakeSageMaker, name: str, uses: tuple[str, ...]
) -> None:
    """An endpoint that was taken over, built on the run's configuration, or is updated to it."""
    run = leave(sagemaker, "one")
    sagemaker.things["endpoint"].clear()
    endpoint = name.replace("RUN", run)
    configs = tuple(each.replace("RUN", run) for each in uses)
    sagemaker.add("endpoint", endpoint, status="InService", uses=configs, owner="a-person")
    done = removal.remove(sagemaker, run, models=True, backoff=backoff(sagemaker, 60))
    assert done["in_use"] == {
        f"endpoint-config {run}": f"it is used by the endpoint {endpoint}",
        f"model {run}": f"it is used by the endpoint-config {run}",
    }
    assert sagemaker.names("endpoint") == {endpoint}
    assert sagemaker.names("endpoint-config") == sagemaker.names("model") == {run}


def test_a_model_that_somebody_else_has_configured_stays(sagemaker: FakeSageMaker) -> None:
    """The run's own endpoint and configuration go all the same."""
    run = leave(sagemaker, "one")
    sagemaker.add("endpoint-config", "theirs", uses=("another", run))
    done = removal.remove(sagemaker, run, models=True, backoff=backoff(sagemaker, 120))
    assert done["in_use"] == {f"model {run}": "it is used by the endpoint-config theirs"}
    assert sagemaker.left() == {run, "theirs"}
    assert sagemaker.names("model") == {run}


def test_a_model_of_somebody_elses_component_or_job_stays(sagemaker: FakeSageMaker) -> None:
    """Until it is used no more; the run's own jobs, stopped a moment ago, do not count."""
    run = leave(sagemaker, "one")
    sagemaker.add("inference-component", "theirs", status="InService", on="x", uses=(run,))
    done = removal.remove(sagemaker, run, models=True, backoff=backoff(sagemaker, 120))
    assert done["in_use"] == {f"model {run}": "it is used by the inference-component theirs"}
    assert sagemaker.names("model") == {run}
    del sagemaker.things["inference-component"]["theirs"]
    sagemaker.add("transform-job", "theirs", status="InProgress", uses=(run,))
    done = removal.remove(sagemaker, run, models=True, backoff=backoff(sagemaker, 120))
    assert done["in_use"] == {f"model {run}": "it is used by the transform-job theirs"}
    sagemaker.things["transform-job"]["theirs"].status = "Completed"
    done = removal.remove(sagemaker, run, models=True, backoff=backoff(sagemaker, 120))
    assert (done["in_use"], done["deleted"]["models"]) == ({}, [run])
