"""What functions log."""

import io
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


def test_a_line_is_written_at_once_as_people_read_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Letters stay letters, and a function that is ended has said what it said."""

    class Output(io.StringIO):
        flushed = False

        def flush(self) -> None:
            self.flushed = True

    output = Output()
    monkeypatch.setattr("sys.stdout", output)
    log.event("planned", run="é")
    assert output.getvalue() == '{"event": "planned", "run": "é"}\n'
    assert output.flushed
