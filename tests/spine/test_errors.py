"""Errors become a short message and what to do about it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.exceptions import EndpointConnectionError

from localcloud import CloudError
from tests.spine import fakes
from tests.spine.conftest import Spine


@pytest.mark.parametrize(
    "command", ["up", "deploy", "run", "env", "destroy", "predict --row=1,2,3"]
)
def test_a_cloud_that_lost_its_sagemaker_process_says_how_to_go_on(
    cloud: fakes.Cloud, spine: Spine, command: str
) -> None:
    """Every command that would need it fails at once, with the log and the way out."""
    cloud.sagemaker_runs = False
    result = spine(*command.split())
    assert result.exit_code == 1
    assert "SageMaker process has ended" in result.stderr
    assert "spine down && spine up" in result.stderr
    shown = spine("status")
    assert shown.exit_code == 0
    assert "spine logs sagemaker" in shown.stdout
    assert spine("down").exit_code == 0


@pytest.mark.parametrize("command", [["env"], ["predict", "--row", "1"], ["destroy"]])
def test_what_needs_the_cloud_says_so(cloud: fakes.Cloud, spine: Spine, command: list[str]) -> None:
    """Without a cloud: what is missing and how to start it, no traceback."""
    spine("down")
    result = spine(*command)
    assert result.exit_code == 1
    assert "not running" in result.stderr
    assert "spine up" in result.stderr


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            lambda: CloudError("The local cloud did not start. The end of x:\nport in use"),
            "port in use",
        ),
        (
            lambda: CloudError(
                "The local cloud did not start. The end of x:\n"
                "The local cloud cannot listen on 127.0.0.1:80: Address already in use. Stop ..."
            ),
            "127.0.0.1:80: Address already in use.\n  Leave --port out",
        ),
        (lambda: EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), "stopped answering"),
        (fakes.refused, "refused StartExecution: Name is too long."),
        (lambda: PermissionError(13, "Permission denied", "/x"), "Permission denied: /x"),
        (lambda: ZeroDivisionError("oh"), "SPINE_DEBUG=1"),
    ],
)
def test_errors_are_told_without_a_traceback(
    cloud: fakes.Cloud,
    spine: Spine,
    monkeypatch: pytest.MonkeyPatch,
    error: Callable[[], Exception],
    words: str,
) -> None:
    """Known errors become a message and a remedy; unknown ones say how to see more."""

    def fail(_: Path) -> None:
        raise error()

    monkeypatch.setattr("localcloud.running", fail)
    result = spine("status")
    assert result.exit_code == 1
    assert words in result.stderr
    assert "Traceback" not in result.stderr
