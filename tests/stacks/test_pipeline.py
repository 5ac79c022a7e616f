"""The functions and the machine may do what their step needs, and nothing else."""

from typing import Any

from gates.assembly import Assembly


def as_list(value: Any) -> list[Any]:
    """IAM writes a list of one as the one."""
    return value if isinstance(value, list) else [value]


def test_the_machine_creates_isolated_resources_of_allowed_types_only(dev: Assembly) -> None:
    """IAM itself refuses a training job with a network, or an instance type not in the settings."""
    (policy,) = (
        each["PolicyDocument"]["Statement"]
        for each in dev.properties("pipeline", "AWS::IAM::Policy")
        if each["PolicyName"].startswith("MachineRole")
    )
    conditions = {
        action: each.get("Condition", {})
        for each in policy
        for action in as_list(each["Action"])
        if action.startswith("sagemaker:Create")
    }
    for action in ("CreateTrainingJob", "CreateModel"):
        assert conditions[f"sagemaker:{action}"]["Bool"] == {"sagemaker:NetworkIsolation": "true"}
    for action in ("CreateTrainingJob", "CreateEndpointConfig", "CreateTransformJob"):
        types = conditions[f"sagemaker:{action}"]["ForAllValues:StringEquals"]
        assert "ml.m5.xlarge" in types["sagemaker:InstanceTypes"]


def test_removal_stops_the_machine_before_it_sweeps(dev: Assembly) -> None:
    """CloudFormation deletes in reverse: what stops runs, the machine, what sweeps."""
    machines = dev.declared("pipeline", "AWS::StepFunctions::StateMachine")
    (leftovers,) = dev.declared("pipeline", "Custom::SpineLeftovers")
    assert all(leftovers in machine["DependsOn"] for machine in machines.values())
    running = dev.properties("pipeline", "Custom::SpineRunning")
    assert [each["StateMachineArn"] for each in running] == [{"Ref": name} for name in machines]


def test_the_removal_of_leftovers_may_go_on_for_an_hour(dev: Assembly) -> None:
    """Its function may call itself, and nothing else; the policy outlives the resource."""
    (leftovers,) = dev.declared("pipeline", "Custom::SpineLeftovers").values()
    assert leftovers["Properties"]["ServiceTimeout"] == "3600"
    policies = dev.declared("pipeline", "AWS::IAM::Policy")
    (again,) = (name for name in policies if name.startswith("TearDownAgain"))
    assert again in leftovers["DependsOn"]
    (statement,) = policies[again]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == "lambda:InvokeFunction"
    assert statement["Resource"] == leftovers["Properties"]["ServiceToken"]


def test_synthesis_tells_until_when_the_image_is_supported(dev: Assembly) -> None:
    """Whoever deploys reads it, before the version is one that nobody mends any more."""
    said = "XGBoost image 3.2-0 until 2027-05-13"
    files = [path.read_text() for path in dev.folder.glob("*.json")]
    assert any(said in each and "aws:cdk:info" in each for each in files)
