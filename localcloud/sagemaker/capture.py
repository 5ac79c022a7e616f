"""Data capture: what an endpoint was asked and has answered, as files in S3.

Source of the layout, of the lines and of the encodings: "Capture data from real-time endpoint" in
the SageMaker developer guide, and the API reference of DataCaptureConfig.
"""

import base64
import json
import random
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from localcloud.sagemaker.errors import JobError
from localcloud.sagemaker.storage import Storage, parse_uri

# AWS gathers captures before it writes them; a test or a person waits less here.
_FLUSH_SECONDS = 1.0


@dataclass(frozen=True)
class Message:
    """A request or an answer: its media type and its body."""

    content_type: str
    body: bytes


class Capture:
    """The captures of one endpoint.

    Args:
        config: A `DataCaptureConfig`.
        endpoint: The endpoint's name.
        storage: S3 as the models' role sees it.
        folder: Where files are written before they are uploaded.
    """

    def __init__(
        self, config: Mapping[str, Any], *, endpoint: str, storage: Storage, folder: Path
    ) -> None:
        self.config = config
        self._endpoint = endpoint
        self._storage = storage
        self._folder = folder
        self._modes = {option["CaptureMode"] for option in config["CaptureOptions"]}
        headers = config.get("CaptureContentTypeHeader", {})
        self._csv = _media_types(headers.get("CsvContentTypes", []))
        self._json = _media_types(headers.get("JsonContentTypes", []))
        self._lock = threading.Lock()
        self._lines: dict[str, list[str]] = {}
        self._timer: threading.Timer | None = None

    def add(
        self,
        variant: str,
        request: Message,
        answer: Message,
        *,
        inference_id: str | None = None,
        custom_attributes: str | None = None,
    ) -> None:
        """Captures an invocation, or does not: the sampling percentage decides."""
        percentage = self.config["InitialSamplingPercentage"]
        if random.random() * 100 >= percentage:  # noqa: S311 (a sample, no secret)
            return
        captured: dict[str, Any] = {}
        if self._modes & {"Input", "InputAndOutput"}:
            captured["endpointInput"] = self._side("INPUT", request)
        if self._modes & {"Output", "InputAndOutput"}:
            captured["endpointOutput"] = self._side("OUTPUT", answer)
        event: dict[str, Any] = {"eventId": str(uuid.uuid4())}
        if inference_id is not None:
            event["inferenceId"] = inference_id
        if custom_attributes is not None:
            event["customAttributes"] = [custom_attributes]
        event["inferenceTime"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        line = json.dumps(
            {"captureData": captured, "eventMetadata": event, "eventVersion": "0"},
            separators=(",", ":"),
        )
        with self._lock:
            self._lines.setdefault(variant, []).append(line)
            if self._timer is None:
                self._timer = threading.Timer(_FLUSH_SECONDS, self.flush)
                self._timer.daemon = True
                self._timer.start()

    def _side(self, mode: str, message: Message) -> dict[str, str]:
        kind = _media_type(message.content_type)
        if kind in self._csv:
            encoding, data = "CSV", message.body.decode(errors="replace")
        elif kind in self._json:
            encoding, data = "JSON", message.body.decode(errors="replace")
        else:
            encoding, data = "BASE64", base64.b64encode(message.body).decode()
        return {
            "observedContentType": message.content_type,
            "mode": mode,
            "data": data,
            "encoding": encoding,
        }

    def flush(self) -> None:
        """Uploads what has been captured. What S3 refuses is lost, with a line in the log."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            lines, self._lines, self._timer = self._lines, {}, None
        for variant, captured in lines.items():
            now = datetime.now(UTC)
            place = f"{self._endpoint}/{variant}/{now:%Y/%m/%d/%H}"
            name = f"{now:%M-%S}-{now.microsecond // 1000:03d}-{uuid.uuid4()}.jsonl"
            file = self._folder / name
            file.write_text("".join(f"{line}\n" for line in captured))
            target = parse_uri(self.config["DestinationS3Uri"]).child(f"{place}/{name}")
            try:
                self._storage.put(file, target)
            except JobError as error:
                with (self._folder / "log").open("a") as log:
                    log.write(f"Data capture: {error}\n")
            file.unlink()


def _media_type(header: str) -> str:
    return header.partition(";")[0].strip().lower()


def _media_types(headers: list[str]) -> frozenset[str]:
    return frozenset(map(_media_type, headers))
