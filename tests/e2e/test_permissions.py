"""The deployed policies decide in every end-to-end run, and no row of the data reaches a log."""

import json
import re
from pathlib import Path

import pytest

from gates import permissions
from gates.recording import normalized, physical_names
from tests.e2e.conftest import Deployment
from tests.support import SAMPLE

pytestmark = pytest.mark.e2e

# Four rows hold it; its digits occur nowhere else.
CANARY = "61.48151623"


def rows_with_canary() -> str:
    """The sample, with the canary as the first feature of its first four rows."""
    head, mark, rows = SAMPLE.read_text().partition("@data")
    lines = rows.splitlines()
    data = [number for number, line in enumerate(lines) if line.count(",") > 2][:4]
    for number in data:
        lines[number] = CANARY + "," + lines[number].partition(",")[2]
    assert len(data) == 4
    return head + mark + "\n".join(lines) + "\n"


def logged(app: Deployment) -> dict[str, str]:
    """Everything that anybody wrote to a log, by log."""
    logs = app.cloud.client("logs")
    found = {
        str(path.relative_to(app.cloud.home)): path.read_text(errors="replace")
        for folder in ("logs", "jobs")
        for path in (app.cloud.home / folder).rglob("*")
        if path.is_file() and (folder == "logs" or path.name == "log")
    }
    for group in logs.describe_log_groups()["logGroups"]:
        name = group["logGroupName"]
        for stream in logs.describe_log_streams(logGroupName=name)["logStreams"]:
            events = logs.get_log_events(
                logGroupName=name, logStreamName=stream["logStreamName"], startFromHead=True
            )["events"]
            text = "\n".join(event["message"] for event in events)
            found[name] = found.get(name, "") + text
    return found


def test_a_run_stays_within_its_permissions_and_its_data_out_of_the_logs(
    app: Deployment, tmp_path: Path
) -> None:
    """No call of a role is refused, none is one that nobody recorded, and the logs hold no row."""
    data = tmp_path / "canary.arff"
    data.write_text(rows_with_canary())
    done = app.spine("run", "--source", str(data), "--json")
    assert done.returncode == 0, done.stderr
    output = json.loads(done.stdout)
    splits = ("train", "test", "validate")
    assert CANARY in "".join(app.text(output["artifacts"][split]) for split in splits)

    record = app.cloud.home / "logs" / "iam.jsonl"
    calls = normalized(record, physical_names(app.cloud))
    assert {call["role"] for call in calls} >= {"MachineRole", "SageMakerRole", "PrepareRole"}
    assert [call for call in calls if not call["allowed"]] == []
    known = {(call["role"], call["action"]) for call in permissions.recorded()}
    # A new one belongs into the record: python -m gates.recording
    assert {(call["role"], call["action"]) for call in calls} - known == set()

    written = logged(app)
    assert any("vendedlogs" in name for name in written)
    assert any("/aws/lambda" in name or "Prepare" in name for name in written), sorted(written)
    assert [name for name, text in written.items() if CANARY in text] == []
    # The credentials of the sessions that signed the calls.
    secret = re.compile(r"secret-[0-9a-f]{64}|token-[0-9a-f]{64}|SecretAccessKey\W+\w{20}")
    assert [name for name, text in written.items() if secret.search(text)] == []
