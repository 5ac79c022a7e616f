"""What an endpoint's servers leave when they stop."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from localcloud.sagemaker import capture
from localcloud.sagemaker.capture import Capture, Message
from localcloud.sagemaker.fleets import Fleet


class Stored:
    """S3 as far as captures need it."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}

    def put(self, file: Path, target: Any) -> None:
        """Take a file."""
        self.files[str(target)] = file.read_text()


@pytest.fixture
def stored() -> Stored:
    """An empty bucket."""
    return Stored()


def capturing(stored: Stored, folder: Path, share: int = 100) -> Capture:
    """What captures the input of that share of invocations, in percent."""
    config = {
        "InitialSamplingPercentage": share,
        "DestinationS3Uri": "s3://b/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    }
    storage: Any = stored
    return Capture(config, endpoint="e", storage=storage, folder=folder)


def test_what_was_captured_is_uploaded_when_the_servers_stop(
    stored: Stored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once and once: nothing waits for a timer that nobody is left to see."""
    monkeypatch.setattr(capture, "_FLUSH_SECONDS", 3600.0)
    fleet = Fleet(capture=capturing(stored, tmp_path))
    assert fleet.capture is not None
    for body in (b"1", b"2"):
        fleet.capture.add("a", Message("text/csv", body), Message("text/csv", b"0"))
    assert stored.files == {}
    fleet.stop()
    ((place, text),) = stored.files.items()
    assert "captured/e/a/" in place
    assert len([json.loads(line) for line in text.splitlines()]) == 2
    fleet.stop()
    assert len(stored.files) == 1
    assert list(tmp_path.iterdir()) == []


def test_captures_are_uploaded_without_a_stop(
    stored: Stored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some time after the first of them, all of them together."""
    monkeypatch.setattr(capture, "_FLUSH_SECONDS", 0.0)
    captures = capturing(stored, tmp_path)
    captures.add("a", Message("text/csv", b"1"), Message("text/csv", b"0"))
    for _ in range(500):
        if stored.files:
            break
        time.sleep(0.01)
    assert len(stored.files) == 1


def test_nothing_is_uploaded_when_nothing_was_captured(stored: Stored, tmp_path: Path) -> None:
    """A share of 0 captures no invocation."""
    fleet = Fleet(capture=capturing(stored, tmp_path, share=0))
    assert fleet.capture is not None
    fleet.capture.add("a", Message("text/csv", b"1"), Message("text/csv", b"0"))
    fleet.stop()
    assert stored.files == {}
