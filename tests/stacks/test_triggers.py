"""Runs begin by a file and by the clock, and what could not clean up after itself is swept."""

import json
from collections.abc import Callable

from tests.stacks.conftest import Assembly

Synth = Callable[..., Assembly]


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


def test_without_incoming_neither_rule_nor_function_exists(synth: Synth) -> None:
    """What is off is absent, not idle."""
    stages = {"dev": {"incoming": {"enabled": False}}}
    template = synth(stages=stages).text("triggers")
    assert "aws.s3" not in template
    assert "lambda.start.handler.handler" not in template


def test_the_schedule_is_off_by_default_and_runs_when_asked(synth: Synth) -> None:
    """A deployed stage starts nothing by the clock until its settings say so."""
    (off,) = synth().properties("triggers", "AWS::Scheduler::Schedule")
    assert off["State"] == "DISABLED"
    given = {"split": {"seed": 7}}
    schedule = {"enabled": True, "expression": "cron(0 3 * * ? *)", "input": given}
    (on,) = synth(stages={"dev": {"schedule": schedule}}).properties(
        "triggers", "AWS::Scheduler::Schedule"
    )
    assert (on["State"], on["ScheduleExpression"]) == ("ENABLED", "cron(0 3 * * ? *)")
    assert json.loads(on["Target"]["Input"]) == given


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
