"""What functions log."""

import json

import pytest

from spine.shipped import load

log = load("common.log")


def test_an_event_is_one_json_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Line breaks inside a value do not split the line."""
    log.event("planned", run="a-1", note="two\nlines", error=ValueError("no"))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert json.loads(lines[0]) == {
        "event": "planned",
        "run": "a-1",
        "note": "two\nlines",
        "error": "no",
    }
