"""Logs on their way to CloudWatch Logs."""

from pathlib import Path
from typing import Any

import pytest

from localcloud.sagemaker.connection import Connection
from localcloud.sagemaker.logs import ENDPOINTS, TRANSFORM, Logs
from localcloud.sagemaker.settings import Settings
from tests.localcloud.sagemaker.cloud import Cloud, until


def streams(cloud: Cloud, group: str) -> dict[str, list[str]]:
    """The messages of every stream of a group."""
    return {
        found["logStreamName"]: [
            event["message"]
            for event in cloud.logs.get_log_events(
                logGroupName=group, logStreamName=found["logStreamName"], startFromHead=True
            )["events"]
        ]
        for found in cloud.logs.describe_log_streams(logGroupName=group)["logStreams"]
    }


def test_an_endpoints_log_is_its_own_group(cloud: Cloud) -> None:
    """Each variant has a stream, named after variant and instance, while the endpoint serves."""
    cloud.create_endpoint("spoken", model="trained")
    cloud.wait_for_endpoint("spoken")

    def written() -> dict[str, list[str]] | None:
        groups = cloud.logs.describe_log_groups(logGroupNamePrefix=f"{ENDPOINTS}/spoken")
        return streams(cloud, f"{ENDPOINTS}/spoken") if groups["logGroups"] else None

    ((name, messages),) = until(written).items()
    assert name.startswith("AllTraffic/i-")
    assert "runs, as in the image." in messages[0]


def test_a_transform_job_has_a_stream(cloud: Cloud) -> None:
    """The stream begins with the job's name and is whole when the job has ended."""
    cloud.transform("written")
    found = streams(cloud, TRANSFORM)
    (name,) = (stream for stream in found if stream.startswith("written/i-"))
    assert "runs, as in the image." in found[name][0]


def test_lines_arrive_once_whole_and_in_order(s3_url: str, cloud: Cloud, tmp_path: Path) -> None:
    """A line is sent when it is finished; the last one, without an end, when the file is."""
    logs = Logs(Connection(Settings(jobs=tmp_path, aws_endpoint=s3_url)))
    path = tmp_path / "log"
    tail = logs.follow(path, "group", "stream")
    tail.send()
    path.write_text("first\n\nsecond\r\nthi")
    tail.send()
    assert streams(cloud, "group") == {"stream": ["first", "second"]}
    with path.open("a") as log:
        log.write(f"rd\n{'x' * 600_000}\n" + "y\n" * 12_000 + "last")
    tail.finish()
    tail.send(last=True)
    lines: list[str] = []
    token: dict[str, Any] = {}
    while True:
        page = cloud.logs.get_log_events(
            logGroupName="group", logStreamName="stream", startFromHead=True, **token
        )
        if not page["events"]:
            break
        lines += [event["message"] for event in page["events"]]
        token = {"nextToken": page["nextForwardToken"]}
    assert lines[2] == "third"
    assert set(lines[3]) == {"x"}
    assert lines[4:] == ["y"] * 12_000 + ["last"]
    logs.close()


@pytest.mark.slow
def test_a_service_without_logs_stops_no_job(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """When CloudWatch Logs cannot be reached it is said once, and the file stays."""
    logs = Logs(Connection(Settings(jobs=tmp_path, aws_endpoint="http://127.0.0.1:9")))
    path = tmp_path / "log"
    path.write_text("line\n")
    tail = logs.follow(path, "group", "stream")
    tail.send()
    tail.send()
    tail.finish()
    logs.close()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert path.read_text() == "line\n"
