"""Starting one execution for each object, over an in-memory Step Functions."""

import itertools
import json
import random
import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from spine.shipped import load
from tests.support import client_error, use_clients

start = load("start.handler")
MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:spine-dev"


@dataclass
class FakeStepFunctions:
    """Executions by name; a name is taken for good, as for a standard workflow that has ended."""

    executions: dict[str, Any] = field(default_factory=dict)

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> dict[str, str]:  # noqa: A002, N803 (boto3's own)
        """Start, or refuse a name that was used."""
        assert stateMachineArn == MACHINE
        if name in self.executions:
            raise client_error(
                "ExecutionAlreadyExists", f"Already exists: {name}", "StartExecution"
            )
        self.executions[name] = json.loads(input)
        return {"executionArn": f"{MACHINE}:{name}".replace("stateMachine", "execution")}


@dataclass
class FakeRecords:
    """The table of started objects: the two updates the handler makes, with their condition."""

    items: dict[str, dict[str, Any]] = field(default_factory=dict)

    def update_item(
        self,
        *,
        TableName: str,  # noqa: N803 (boto3's own)
        Key: dict[str, Any],  # noqa: N803
        UpdateExpression: str,  # noqa: N803
        ExpressionAttributeValues: dict[str, dict[str, str]],  # noqa: N803
        ConditionExpression: str | None = None,  # noqa: N803
        ExpressionAttributeNames: dict[str, str] | None = None,  # noqa: N803
    ) -> None:
        """Set attributes, unless the record names its execution and the condition forbids that."""
        assert TableName == "records"
        assert ConditionExpression in (None, "attribute_not_exists(execution)")
        item = self.items.get(Key["id"]["S"], {})
        if ConditionExpression and "execution" in item:
            raise client_error("ConditionalCheckFailedException", "No.", "UpdateItem")
        names = ExpressionAttributeNames or {}
        # DynamoDB's own way to write a value: its type, and the value as a text.
        assert {name: list(value) for name, value in ExpressionAttributeValues.items()} == {
            name: ["N" if name == ":expires" else "S"] for name in ExpressionAttributeValues
        }
        for part in UpdateExpression.removeprefix("SET ").split(", "):
            name, value = part.split(" = ")
            item[names.get(name, name)] = next(iter(ExpressionAttributeValues[value].values()))
        self.items[Key["id"]["S"]] = item


@pytest.fixture
def records() -> FakeRecords:
    """An empty table."""
    return FakeRecords()


@pytest.fixture
def step_functions(monkeypatch: pytest.MonkeyPatch, records: FakeRecords) -> FakeStepFunctions:
    """The fake the handler under test talks to."""
    fake = FakeStepFunctions()
    use_clients(monkeypatch, stepfunctions=fake, dynamodb=records)
    monkeypatch.setenv("STATE_MACHINE_ARN", MACHINE)
    monkeypatch.setenv("RECORDS", "records")
    monkeypatch.setenv("INPUT", "{}")
    return fake


def created(key: str, **item: object) -> dict[str, Any]:
    """Build the event S3 sends through EventBridge."""
    return {
        "version": "0",
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {
            "bucket": {"name": "b"},
            "object": {"key": key, "size": 10, "etag": "e", "sequencer": "0A", **item},
            "reason": "PutObject",
        },
    }


def test_an_object_starts_an_execution_on_itself(step_functions: FakeStepFunctions) -> None:
    """The key is used as it comes: EventBridge does not encode it."""
    result = start.handler(created("incoming/a b+é%20.csv", **{"version-id": "v1"}), None)
    [(name, execution_input)] = step_functions.executions.items()
    assert re.fullmatch(r"file-[0-9a-f]{32}", name)
    assert execution_input == {
        "source": {"uri": "s3://b/incoming/a b+é%20.csv", "version_id": "v1"}
    }
    assert result["started"] is True
    assert result["execution"].endswith(f":execution:spine-dev:{name}")


def test_the_configured_input_lies_under_the_source(
    step_functions: FakeStepFunctions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deployment sets label and thresholds once; the object's address always wins."""
    monkeypatch.setenv(
        "INPUT",
        json.dumps(
            {"source": {"uri": "s3://x/y", "label": "sick"}, "endpoint": {"enabled": False}}
        ),
    )
    start.handler(created("incoming/a.csv"), None)
    [execution_input] = step_functions.executions.values()
    assert execution_input == {
        "source": {"uri": "s3://b/incoming/a.csv", "version_id": None, "label": "sick"},
        "endpoint": {"enabled": False},
    }


def test_duplicate_and_reordered_deliveries_start_one_execution_each(
    step_functions: FakeStepFunctions,
) -> None:
    """A thousand deliveries of ten uploads make ten runs, and no error."""
    uploads = [
        created(f"incoming/{name}.csv", **{"version-id": version})
        for name, version in itertools.product("abcde", ("1", "2"))
    ]
    deliveries = uploads * 100
    random.Random(7).shuffle(deliveries)  # noqa: S311 (a repeatable order, not a secret)
    outcomes = [start.handler(event, None)["started"] for event in deliveries]
    assert outcomes.count(True) == 10
    assert len(step_functions.executions) == 10


def test_a_thousand_deliveries_of_one_upload_make_one_run(
    step_functions: FakeStepFunctions,
) -> None:
    """However often, and however long after: names that Step Functions forgot are remembered."""
    event = created("incoming/a.csv", **{"version-id": "1"})
    started = [start.handler(event, None)["started"] for _ in range(500)]
    step_functions.executions.clear()  # 90 days later
    started += [start.handler(event, None)["started"] for _ in range(500)]
    assert started.count(True) == 1
    assert step_functions.executions == {}


def test_a_start_that_failed_is_made_up_for_by_the_next_delivery(
    step_functions: FakeStepFunctions, records: FakeRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record was claimed before the start; no file is lost to that."""
    event = created("incoming/a.csv")

    def throttled(**_: object) -> None:
        raise client_error("ThrottlingException", "Rate exceeded", "StartExecution")

    with monkeypatch.context() as patched:
        patched.setattr(step_functions, "start_execution", throttled)
        with pytest.raises(ClientError, match="Throttling"):
            start.handler(event, None)
    (record,) = records.items.values()
    assert "execution" not in record
    result = start.handler(event, None)
    assert result["started"] is True
    assert record["execution"] == result["execution"]
    assert record["object"] == "s3://b/incoming/a.csv"


def test_a_record_that_could_not_be_completed_starts_nothing_twice(
    step_functions: FakeStepFunctions, records: FakeRecords
) -> None:
    """The function died between the start and the record: the name still tells."""
    event = created("incoming/a.csv")
    start.handler(event, None)
    (record,) = records.items.values()
    name = record.pop("execution").rpartition(":")[2]
    again = {"started": False, "execution": name, "reason": "already started"}
    assert start.handler(event, None) == again
    assert record["execution"] in step_functions.executions
    assert len(step_functions.executions) == 1


@pytest.mark.parametrize(
    ("item", "other"),
    [
        ({"sequencer": "0A"}, {"sequencer": "0B"}),
        ({"etag": "1"}, {"etag": "2"}),
        ({"version-id": "1"}, {"version-id": "2"}),
    ],
)
def test_each_upload_is_its_own_execution(
    step_functions: FakeStepFunctions, item: dict[str, str], other: dict[str, str]
) -> None:
    """The same key again, with or without versioning, is a new run."""
    start.handler(created("incoming/a.csv", **item), None)
    start.handler(created("incoming/a.csv", **other), None)
    assert len(step_functions.executions) == 2


def test_bucket_and_key_cannot_be_confused() -> None:
    """Names are made of unambiguous parts."""
    item = {"version-id": "v"}
    assert start.execution_name("b", {"key": "c/d", **item}) != start.execution_name(
        "b/c", {"key": "d", **item}
    )


def test_a_folder_starts_nothing(step_functions: FakeStepFunctions) -> None:
    """The console makes an empty object for a new folder; an empty file is a source like others."""
    assert start.handler(created("incoming/new/", size=0), None)["started"] is False
    assert step_functions.executions == {}
    assert start.handler(created("incoming/new", size=0), None)["started"] is True


def test_another_failure_is_not_swallowed(
    step_functions: FakeStepFunctions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EventBridge retries and dead-letters what is raised."""

    def refuse(**_: object) -> None:
        raise client_error("AccessDeniedException", "no", "StartExecution")

    monkeypatch.setattr(step_functions, "start_execution", refuse)
    with pytest.raises(ClientError, match="AccessDenied"):
        start.handler(created("incoming/a.csv"), None)


def test_objects_of_two_buckets_are_two_runs(step_functions: FakeStepFunctions) -> None:
    """The same key and the same version in another bucket is another file."""
    item = {"version-id": "v"}
    event, other = created("incoming/a.csv", **item), created("incoming/a.csv", **item)
    other["detail"]["bucket"]["name"] = "c"
    assert [start.handler(each, None)["started"] for each in (event, other)] == [True, True]
    assert {each["source"]["uri"] for each in step_functions.executions.values()} == {
        "s3://b/incoming/a.csv",
        "s3://c/incoming/a.csv",
    }


def test_a_file_whose_name_ends_in_a_slash_is_a_file(step_functions: FakeStepFunctions) -> None:
    """Only the empty object that stands for a folder is none."""
    result = start.handler(created("incoming/odd/", size=1), None)
    assert result["started"] is True
    (execution_input,) = step_functions.executions.values()
    assert execution_input["source"]["uri"] == "s3://b/incoming/odd/"


def test_the_answer_says_what_was_started_and_why_not(step_functions: FakeStepFunctions) -> None:
    """What an operator reads of an invocation by hand."""
    event = created("incoming/a.csv")
    first = start.handler(event, None)
    name = start.execution_name("b", event["detail"]["object"])
    arn = f"{MACHINE}:{name}".replace("stateMachine", "execution")
    assert first == {"started": True, "execution": arn, "reason": None}
    again = {"started": False, "execution": name, "reason": "already started"}
    assert start.handler(event, None) == again
    assert start.handler(created("incoming/new/", size=0), None) == {
        "started": False,
        "execution": None,
        "reason": "a folder",
    }


def test_the_log_tells_each_start_and_each_repetition(
    step_functions: FakeStepFunctions, records: FakeRecords, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also of a repetition that only the execution's name gave away."""
    event = created("incoming/a.csv")
    arn = start.handler(event, None)["execution"]
    name = arn.rpartition(":")[2]
    start.handler(event, None)
    (record,) = records.items.values()
    del record["execution"]
    start.handler(event, None)
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {"event": "execution started", "execution": arn},
        {"event": "object already started", "execution": name},
        {"event": "object already started", "execution": name},
    ]


def test_a_record_is_kept_for_400_days(
    step_functions: FakeStepFunctions, records: FakeRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then DynamoDB may delete it: its time to live is a number of seconds since the epoch."""
    monkeypatch.setattr(start.time, "time", lambda: 1_000_000.5)
    start.handler(created("incoming/a.csv"), None)
    (record,) = records.items.values()
    assert record["expires"] == str(1_000_000 + 400 * 86_400)


def test_a_record_that_cannot_be_written_stops_the_start(
    step_functions: FakeStepFunctions, records: FakeRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the record a replay would start the file again: the event is tried again instead."""

    def throttled(**_: object) -> None:
        raise client_error("ProvisionedThroughputExceededException", "Slow down.", "UpdateItem")

    monkeypatch.setattr(records, "update_item", throttled)
    with pytest.raises(ClientError, match="ProvisionedThroughput"):
        start.handler(created("incoming/a.csv"), None)
    assert step_functions.executions == {}


@pytest.mark.parametrize(("size", "started"), [(0, False), (None, False), (1, True)])
def test_only_the_empty_object_of_a_folder_is_passed_over(
    step_functions: FakeStepFunctions, size: int | None, started: bool
) -> None:
    """A key that ends in a slash may hold a file, which the plan then refuses by name."""
    result = start.handler(created("incoming/key/", size=size), None)
    assert result["started"] is started
    assert (result["reason"] == "a folder") is not started
    assert len(step_functions.executions) == started
    assert start.handler(created("incoming/key", size=0), None)["started"] is True


@pytest.mark.parametrize("key", ["incoming/a\u00a0b.csv", "incoming/a\u200db\u2028c.csv"])
def test_a_key_of_any_blanks_is_a_key(step_functions: FakeStepFunctions, key: str) -> None:
    """S3 takes them, so the source's address holds them as they are."""
    start.handler(created(key), None)
    [execution_input] = step_functions.executions.values()
    assert execution_input["source"]["uri"] == f"s3://b/{key}"
