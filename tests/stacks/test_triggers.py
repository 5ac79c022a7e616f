"""Runs begin by a file and by the clock, and what could not clean up after itself is swept."""

import json

from gates.assembly import Assembly
from gates.machine import machines


def test_a_file_under_incoming_starts_the_starter(dev: Assembly) -> None:
    """Uploads in one part, in many, and copies all count; other folders do not."""
    (rule,) = (
        each
        for each in dev.properties("triggers", "AWS::Events::Rule")
        if "aws.s3" in json.dumps(each)
    )
    assert rule["EventPattern"]["detail-type"] == ["Object Created"]
    assert rule["EventPattern"]["detail"]["object"]["key"] == [{"prefix": "incoming/"}]
    assert "reason" not in rule["EventPattern"]["detail"]
    assert "Start" in json.dumps(rule["Targets"])


def test_without_incoming_the_rule_is_off_and_all_else_stays(
    dev: Assembly, chosen: Assembly
) -> None:
    """Alarms import what the starter has, and its records are kept: only nothing calls it."""
    states = []
    for assembly in (dev, chosen):
        (rule,) = (
            each
            for each in assembly.properties("triggers", "AWS::Events::Rule")
            if "aws.s3" in json.dumps(each)
        )
        states.append(rule["State"])
        assert "lambda.start.handler.handler" in assembly.text("triggers")
    assert states == ["ENABLED", "DISABLED"]


def test_the_schedule_is_off_by_default_and_runs_when_asked(
    dev: Assembly, chosen: Assembly
) -> None:
    """A deployed stage starts nothing by the clock until its settings say so."""
    (off,) = dev.properties("triggers", "AWS::Scheduler::Schedule")
    assert off["State"] == "DISABLED"
    (on,) = chosen.properties("triggers", "AWS::Scheduler::Schedule")
    assert (on["State"], on["ScheduleExpression"]) == ("ENABLED", "cron(0 3 * * ? *)")
    assert json.loads(on["Target"]["Input"]) == {"split": {"seed": 7}}


def test_the_sweeper_runs_by_the_clock_and_after_bad_endings(dev: Assembly) -> None:
    """Aborted and timed-out runs do not pass their own clean-up."""
    rules = [
        each
        for each in dev.properties("triggers", "AWS::Events::Rule")
        if "Sweep" in json.dumps(each["Targets"])
    ]
    (clock,) = (each for each in rules if "ScheduleExpression" in each)
    assert clock["ScheduleExpression"] == "rate(15 minutes)"
    (ended,) = (each for each in rules if "EventPattern" in each)
    assert ended["EventPattern"]["detail"]["status"] == ["FAILED", "TIMED_OUT", "ABORTED"]


def test_the_sweeper_knows_how_long_a_run_may_take(dev: Assembly, chosen: Assembly) -> None:
    """By then a run that it may not look up is over: the time-out of the machine itself."""
    for assembly, hours in ((dev, 24), (chosen, 5)):
        (sweeper,) = (
            each
            for each in assembly.properties("triggers", "AWS::Lambda::Function")
            if each["Handler"] == "lambda.cleanup.sweep.handler"
        )
        (machine,) = machines(assembly)
        assert machine.definition["TimeoutSeconds"] == hours * 3600
        longest = sweeper["Environment"]["Variables"]["LONGEST_RUN_SECONDS"]
        assert longest == str(hours * 3600)


def test_the_sweeper_may_look_up_executions_of_the_present_machines_only(dev: Assembly) -> None:
    """By their names, which no setting changes; what it may not look up it judges by age."""
    (machine,) = dev.properties("pipeline", "AWS::StepFunctions::StateMachine")
    (resource,) = (
        statement["Resource"]
        for policy in dev.properties("triggers", "AWS::IAM::Policy")
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Action"] == "states:DescribeExecution"
    )
    assert dev.resolve("triggers", resource).endswith(f":execution:{machine['StateMachineName']}:*")


def test_events_that_cannot_be_dealt_with_are_kept(dev: Assembly) -> None:
    """Whether EventBridge could not hand them over or the function failed; encrypted, TLS only."""
    queues = dev.declared("triggers", "AWS::SQS::Queue")
    assert len(queues) == 2
    for queue in queues.values():
        assert queue["Properties"]["SqsManagedSseEnabled"] is True
        assert queue["Properties"]["MessageRetentionPeriod"] == 14 * 24 * 3600
    policies = dev.properties("triggers", "AWS::SQS::QueuePolicy")
    for name in queues:
        (statements,) = (
            each["PolicyDocument"]["Statement"]
            for each in policies
            if name in json.dumps(each["Queues"])
        )
        denied = [each["Condition"] for each in statements if each["Effect"] == "Deny"]
        assert {"Bool": {"aws:SecureTransport": "false"}} in denied
    for rule in dev.properties("triggers", "AWS::Events::Rule"):
        for target in rule["Targets"]:
            assert any(name in json.dumps(target["DeadLetterConfig"]) for name in queues)
    functions = {
        each["FunctionName"]["Ref"]: each
        for each in dev.properties("triggers", "AWS::Lambda::EventInvokeConfig")
    }
    assert len(functions) == 2
    for config in functions.values():
        assert config["MaximumRetryAttempts"] == 2
        assert any(name in json.dumps(config["DestinationConfig"]) for name in queues)


def test_what_was_started_is_remembered_past_the_names_of_executions(dev: Assembly) -> None:
    """The starter's records end by themselves; the one thing it may do there is update them."""
    ((name, table),) = dev.declared("triggers", "AWS::DynamoDB::Table").items()
    properties = table["Properties"]
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert properties["SSESpecification"] == {"SSEEnabled": True}
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    statements = [
        statement
        for policy in dev.properties("triggers", "AWS::IAM::Policy")
        for statement in policy["PolicyDocument"]["Statement"]
        if "dynamodb" in json.dumps(statement["Action"])
    ]
    assert [each["Action"] for each in statements] == ["dynamodb:UpdateItem"]
    assert name in json.dumps(statements[0]["Resource"])
