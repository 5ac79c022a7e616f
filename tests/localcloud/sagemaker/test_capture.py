"""What an endpoint was asked and has answered, as files in S3."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from localcloud.sagemaker import capture as module
from localcloud.sagemaker.capture import Capture, Message
from localcloud.sagemaker.errors import JobError
from localcloud.sagemaker.storage import Location
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


class _Storage:
    """S3 that keeps what is put into it, or refuses it."""

    def __init__(self, refusal: str | None = None) -> None:
        self.refusal = refusal
        self.stored: dict[str, list[dict[str, Any]]] = {}

    def put(self, source: Path, location: Location) -> None:
        if self.refusal:
            raise JobError(self.refusal)
        lines = source.read_text().splitlines()
        self.stored[str(location)] = [json.loads(line) for line in lines]


def capturing(
    folder: Path, storage: _Storage, monkeypatch: pytest.MonkeyPatch, **changes: Any
) -> Capture:
    """The captures of an endpoint, written when the test asks for it."""
    monkeypatch.setattr(module, "_FLUSH_SECONDS", 3600.0)
    given: Any = storage
    return Capture(capture_config(**changes), endpoint="mine", storage=given, folder=folder)


@pytest.mark.parametrize(
    ("options", "sides"),
    [
        (["Input"], {"endpointInput"}),
        (["Output"], {"endpointOutput"}),
        (["Input", "Output"], {"endpointInput", "endpointOutput"}),
        (["InputAndOutput"], {"endpointInput", "endpointOutput"}),
    ],
)
def test_only_the_sides_asked_for_are_captured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], sides: set[str]
) -> None:
    """Without an id and attributes of the client's the event has neither."""
    storage = _Storage()
    modes = [{"CaptureMode": mode} for mode in options]
    capture = capturing(tmp_path, storage, monkeypatch, CaptureOptions=modes)
    capture.add("a", Message("text/csv", b"1"), Message("text/csv", b"0.5"))
    capture.flush()
    ((line,),) = storage.stored.values()
    assert line["captureData"].keys() == sides
    assert line["eventMetadata"].keys() == {"eventId", "inferenceTime"}


@pytest.mark.parametrize(
    ("content_type", "encoding", "data"),
    [
        ("text/csv", "CSV", "1,2"),
        ("Text/CSV; charset=utf-8", "CSV", "1,2"),
        ("application/json", "JSON", "1,2"),
        ("text/libsvm", "BASE64", "MSwy"),
        ("", "BASE64", "MSwy"),
    ],
)
def test_a_body_is_encoded_by_its_media_type(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content_type: str,
    encoding: str,
    data: str,
) -> None:
    """Parameters and capitals of the type change nothing."""
    storage = _Storage()
    headers = {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]}
    capture = capturing(tmp_path, storage, monkeypatch, CaptureContentTypeHeader=headers)
    message = Message(content_type, b"1,2")
    capture.add("a", message, message)
    capture.flush()
    ((line,),) = storage.stored.values()
    for side in line["captureData"].values():
        assert (side["encoding"], side["data"]) == (encoding, data)
        assert side["observedContentType"] == content_type


@pytest.mark.parametrize(("drawn", "captures"), [(0.0, 1), (0.2999, 1), (0.3, 0), (0.9999, 0)])
def test_the_percentage_decides_which_invocations_are_captured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drawn: float, captures: int
) -> None:
    """Three of ten by the draw, and what is not captured leaves no file."""
    monkeypatch.setattr("random.random", lambda: drawn)
    storage = _Storage()
    capture = capturing(tmp_path, storage, monkeypatch, InitialSamplingPercentage=30)
    capture.add("a", Message("text/csv", b"1"), Message("text/csv", b"0.5"))
    capture.flush()
    assert len(storage.stored) == captures


def test_variants_have_files_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each once: nothing is left behind here, and a second upload has nothing to send."""
    storage = _Storage()
    capture = capturing(tmp_path, storage, monkeypatch)
    for variant_name, body in (("a", b"1"), ("b", b"2"), ("a", b"3")):
        capture.add(variant_name, Message("text/csv", body), Message("text/csv", b"0.5"))
    capture.flush()
    bodies = {
        place.split("/")[5]: [line["captureData"]["endpointInput"]["data"] for line in lines]
        for place, lines in storage.stored.items()
    }
    assert bodies == {"a": ["1", "3"], "b": ["2"]}
    assert all(place.startswith(f"s3://{BUCKET}/captured/mine/") for place in storage.stored)
    assert list(tmp_path.iterdir()) == []
    capture.flush()
    assert len(storage.stored) == 2


def test_what_s3_refuses_is_said_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is lost, and the endpoint goes on."""
    capture = capturing(tmp_path, _Storage("ClientError: no such bucket"), monkeypatch)
    capture.add("a", Message("text/csv", b"1"), Message("text/csv", b"0.5"))
    capture.flush()
    assert (tmp_path / "log").read_text() == "Data capture: ClientError: no such bucket\n"
    assert [path.name for path in tmp_path.iterdir()] == ["log"]
