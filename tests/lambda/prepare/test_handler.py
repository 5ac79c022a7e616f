"""The function around the preparation: it hands the plan on, with the deployment's hosts."""

import io
from typing import Any

import pytest

from spine.shipped import load
from tests.preparing import CONTENT, plan
from tests.support import FakeS3

prepare = load("prepare.handler")


fetch = load("common.fetch")


def test_https_sources_obey_the_functions_hosts(
    stored: FakeS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The allowed hosts come from the environment; others are refused before any connection."""
    with pytest.raises(fetch.SourceNotAllowedError, match=r"archive\.ics\.uci\.edu, data\.example"):
        prepare.handler({"plan": plan(uri="https://elsewhere.example/a.csv")}, None)
    asked = []

    def answer(self: Any, uri: str) -> Any:
        asked.append(uri)
        return fetch.Fetched(io.BytesIO(CONTENT), "sample.arff")

    monkeypatch.setattr(fetch.Web, "fetch", answer)
    result = prepare.handler({"plan": plan(uri="https://data.example/sample.arff")}, None)
    assert asked == ["https://data.example/sample.arff"]
    assert result["source"]["version_id"] is None
