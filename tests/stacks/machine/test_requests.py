"""Every request that makes something in SageMaker is secured by the row of its kind."""

from typing import Any

import pytest

from spine.shipped import load
from stacks.machine.requests import attempt, kind_of, run_name, secured
from stacks.settings import Network, Settings
from tests.support import jsonata

Kind: Any = load("common.kinds").Kind
KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
NETWORK = Network(subnets=("subnet-0123456789abcdef0",), security_groups=("sg-0123456789abcdef0",))
VPC = {
    "Subnets": ["subnet-0123456789abcdef0"],
    "SecurityGroupIds": ["sg-0123456789abcdef0"],
}

# A kind that the table does not have.
TUNING = Kind(
    noun="TuningJob",
    items="TuningJobSummaries",
    kms_keys=("Definitions.VolumeKmsKeyId", "Report.KmsKeyId"),
    vpc="Network.VpcConfig",
    network_isolation="Network.Isolated",
    traffic_encryption="Encrypted",
)


def settings(**given: Any) -> Settings:
    """Of a development stage."""
    return Settings.model_construct(
        encryption_key=given.get("key"), network=given.get("network"), stage="dev"
    )


def test_isolation_and_encryption_are_not_the_steps_to_forget() -> None:
    """They are in the request though the step says nothing of them, part and all."""
    request = secured(TUNING, {"Name": "x"}, settings())
    assert request == {"Name": "x", "Network": {"Isolated": True}, "Encrypted": True}


def test_the_key_is_in_every_item_and_in_no_part_that_was_not_asked_for() -> None:
    """A request without a report has no key for one: SageMaker would refuse the empty part."""
    request = secured(TUNING, {"Definitions": [{"A": 1}, {"A": 2}]}, settings(key=KEY))
    assert request["Definitions"] == [
        {"A": 1, "VolumeKmsKeyId": KEY},
        {"A": 2, "VolumeKmsKeyId": KEY},
    ]
    assert "Report" not in request


def test_the_network_is_beside_what_the_step_says() -> None:
    """Where the kind has none of its own, there is none."""
    request = secured(TUNING, {"Network": {"Other": 1}}, settings(network=NETWORK))
    assert request["Network"] == {"Other": 1, "Isolated": True, "VpcConfig": VPC}
    assert secured(kind_of("Endpoint"), {}, settings(network=NETWORK, key=KEY)) == {}


def test_a_request_is_left_as_it_was() -> None:
    """The secured one is another: steps may share parts of theirs."""
    given: dict[str, Any] = {"Network": {}}
    secured(TUNING, given, settings(network=NETWORK))
    assert given == {"Network": {}}


def test_a_kind_with_short_names_is_named_by_the_short_name_of_the_run() -> None:
    """Its attempts, too: 32 characters hold no run's whole name."""
    short = Kind(noun="TuningJob", items="TuningJobSummaries", longest_name=32)
    plan = {"run": {"name": "spine-dev-a-long-name-01234567", "short_name": "spine-dev-a-01234567"}}
    moment = "2026-01-02T03:04:05Z"
    context = {
        "Execution": {"StartTime": moment},
        "State": {"EnteredTime": moment, "RetryCount": 2},
    }
    seen: dict[str, Any] = {"plan": plan, "states": {"context": context}}
    assert jsonata(f"{{% {run_name(short)} %}}", seen) == "spine-dev-a-01234567"
    assert jsonata(f"{{% {attempt(short)} %}}", seen) == "spine-dev-a-01234567-0000002"
    assert jsonata(f"{{% {run_name(TUNING)} %}}", seen) == "spine-dev-a-long-name-01234567"


def test_a_kind_that_is_not_in_the_table_is_refused_by_name() -> None:
    """Nothing would sweep it."""
    with pytest.raises(KeyError, match="no row Pipeline"):
        kind_of("Pipeline")
