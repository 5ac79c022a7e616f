"""Alarms: on what a person must hear of, and to whom the settings say."""

import json
from typing import Any

from gates.assembly import Assembly

KIND = "AWS::CloudWatch::Alarm"


def alarm(assembly: Assembly, name: str) -> dict[str, Any]:
    """The one alarm whose construct is called so."""
    (found,) = (
        each["Properties"]
        for logical_id, each in assembly.declared("monitoring", KIND).items()
        if logical_id.startswith(name)
    )
    properties: dict[str, Any] = found
    return properties


def test_a_failed_run_raises_an_alarm(dev: Assembly) -> None:
    """By Step Functions' own metric, within five minutes."""
    for name, metric in (("RunFailed", "ExecutionsFailed"), ("RunTimedOut", "ExecutionsTimedOut")):
        found = alarm(dev, name)
        assert (found["MetricName"], found["Period"], found["Threshold"]) == (metric, 300, 1)
        assert found["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"


def test_an_event_in_a_dead_letter_queue_raises_an_alarm(dev: Assembly) -> None:
    """For the starter a file waits; for the sweeper something may cost money."""
    for name in ("Start", "Sweep"):
        found = alarm(dev, f"{name}DeadLetters")
        assert found["MetricName"] == "ApproximateNumberOfMessagesVisible"
        assert f"{name}DeadLetters" in json.dumps(found["Dimensions"])


def test_a_sweeper_that_fails_or_does_not_run_raises_an_alarm(dev: Assembly) -> None:
    """No data is no alarm, since there is none after the first deployment: it is told by itself."""
    failed, missing = alarm(dev, "SweepFailed"), alarm(dev, "SweepMissing")
    assert (failed["MetricName"], failed["EvaluationPeriods"]) == ("Errors", 2)
    assert failed["TreatMissingData"] == "notBreaching"
    assert (missing["MetricName"], missing["TreatMissingData"]) == ("Invocations", "missing")
    assert missing["ComparisonOperator"] == "LessThanThreshold"


def test_an_endpoint_past_its_time_raises_an_alarm(dev: Assembly) -> None:
    """Four sweeps in a row that could not remove something: an hour, told by the sweeper's log."""
    (metric,) = dev.properties("monitoring", "AWS::Logs::MetricFilter")
    assert metric["FilterPattern"] == (
        '{ $.event = "swept" && $.scope = "spine-dev" && $.pending[0] = * }'
    )
    assert "Sweep" in json.dumps(metric["LogGroupName"])
    found = alarm(dev, "Overdue")
    assert found["MetricName"] == metric["MetricTransformations"][0]["MetricName"]
    assert (found["Period"], found["EvaluationPeriods"]) == (900, 4)


def test_alarms_notify_the_topic_of_the_settings(dev: Assembly, chosen: Assembly) -> None:
    """Without one they only show."""
    topic = "arn:aws:sns:eu-west-3:111122223333:on-call"
    assert all("AlarmActions" not in each for each in dev.properties("monitoring", KIND))
    assert all(each["AlarmActions"] == [topic] for each in chosen.properties("monitoring", KIND))
    without_data = {
        name
        for name in ("RunFailed", "SweepFailed", "SweepMissing", "Overdue")
        if alarm(chosen, name).get("InsufficientDataActions") == [topic]
    }
    assert without_data == {"SweepMissing"}
