"""What an endpoint was asked and has answered, as files in S3."""

import base64
import json
from typing import Any

from tests.localcloud.sagemaker.cloud import BUCKET, Cloud, until, variant
from tests.localcloud.sagemaker.hosting import ROW, host, score


def capture_config(**changes: Any) -> dict[str, Any]:
    """A DataCaptureConfig that captures everything."""
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{BUCKET}/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
    } | changes


def captured(cloud: Cloud, endpoint: str, count: int = 1) -> list[tuple[str, dict[str, Any]]]:
    """The keys and lines of an endpoint's captures, once there are so many."""

    def look() -> list[tuple[str, dict[str, Any]]] | None:
        listed = cloud.s3.list_objects_v2(Bucket=BUCKET, Prefix=f"captured/{endpoint}/")
        lines = [
            (item["Key"], json.loads(line))
            for item in listed.get("Contents", [])
            for line in cloud.read(item["Key"]).splitlines()
        ]
        return lines if len(lines) >= count else None

    lines: list[tuple[str, dict[str, Any]]] = until(look)
    return lines


def test_captures_are_lines_by_hour(cloud: Cloud) -> None:
    """A capture is a JSON line in ENDPOINT/VARIANT/yyyy/mm/dd/hh, with request and answer."""
    host(cloud, "captures", variant("a", "trained"), DataCaptureConfig=capture_config())
    described = cloud.sagemaker.describe_endpoint(EndpointName="captures")["DataCaptureConfig"]
    assert described["CaptureStatus"] == "Started"
    answer = cloud.invoke(
        "captures", ROW, InferenceId="order-7", CustomAttributes="trace=1", Accept="text/csv"
    )
    prediction = answer["Body"].read().decode()

    [(key, line)] = captured(cloud, "captures")
    assert len(key.split("/")) == 8
    assert key.startswith("captured/captures/a/20")
    assert key.endswith(".jsonl")
    assert line["captureData"] == {
        "endpointInput": {
            "observedContentType": "text/csv",
            "mode": "INPUT",
            "data": ROW,
            "encoding": "CSV",
        },
        "endpointOutput": {
            "observedContentType": "text/csv",
            "mode": "OUTPUT",
            "data": prediction,
            "encoding": "CSV",
        },
    }
    event = line["eventMetadata"]
    assert (event["inferenceId"], event["customAttributes"]) == ("order-7", ["trace=1"])
    assert line["eventVersion"] == "0"


def test_captures_without_a_header_are_base64(cloud: Cloud) -> None:
    """What no CaptureContentTypeHeader names is encoded as base64; deleting uploads the rest."""
    config = capture_config(CaptureOptions=[{"CaptureMode": "Input"}])
    del config["CaptureContentTypeHeader"]
    host(cloud, "encodes", variant("a", "trained"), DataCaptureConfig=config)
    score(cloud, "encodes")
    cloud.sagemaker.delete_endpoint(EndpointName="encodes")
    [(_, line)] = captured(cloud, "encodes")
    assert set(line["captureData"]) == {"endpointInput"}
    given = line["captureData"]["endpointInput"]
    assert given["encoding"] == "BASE64"
    assert base64.b64decode(given["data"]).decode() == ROW


def test_capture_can_be_switched_off(cloud: Cloud) -> None:
    """A sampling percentage of 0, or capture that is disabled, captures nothing."""
    sampled = capture_config(InitialSamplingPercentage=0)
    host(cloud, "never", variant("a", "trained"), DataCaptureConfig=sampled)
    disabled = capture_config(EnableCapture=False)
    host(cloud, "off", variant("a", "trained"), DataCaptureConfig=disabled)
    described = cloud.sagemaker.describe_endpoint(EndpointName="off")["DataCaptureConfig"]
    assert described["CaptureStatus"] == "Stopped"
    for name in ("never", "off"):
        score(cloud, name)
        cloud.sagemaker.delete_endpoint(EndpointName=name)
        listed = cloud.s3.list_objects_v2(Bucket=BUCKET, Prefix=f"captured/{name}/")
        assert listed["KeyCount"] == 0
