"""A function that fails for events, and the queues that tell of it."""

import uuid
from collections.abc import Iterator

import pytest

from localcloud import Cloud
from tests.localcloud.emulator.events import FAILING, Queue
from tests.localcloud.stepfunctions.machines import ROLE, bundle


@pytest.fixture
def calls(running_cloud: Cloud) -> Queue:
    """What the function was called for."""
    return Queue(running_cloud, "calls")


@pytest.fixture
def given_up(running_cloud: Cloud) -> Queue:
    """What the function's destination for failures, or the target's dead-letter queue, is sent."""
    return Queue(running_cloud, "given-up")


@pytest.fixture
def function(running_cloud: Cloud, calls: Queue) -> Iterator[str]:
    """A function that fails, by its ARN."""
    functions = running_cloud.client("lambda")
    name = f"failing-{uuid.uuid4().hex[:8]}"
    made = functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=ROLE,
        Handler="index.handler",
        Code={"ZipFile": bundle(FAILING)},
        Environment={"Variables": {"CALLS": calls.url}},
    )
    yield made["FunctionArn"]
    functions.delete_function(FunctionName=name)
