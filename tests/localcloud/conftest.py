"""One local cloud for the tests that only use it; those of its life start their own."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import localcloud
from localcloud import Cloud

STUB = [sys.executable, str(Path(__file__).parent / "sagemaker_stub.py")]


@pytest.fixture(scope="session")
def running_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A running local cloud with a stand-in for SageMaker, started in a hostile environment."""
    home = tmp_path_factory.mktemp("cloud")
    hostile = {
        "AWS_PROFILE": "production",
        "AWS_ACCESS_KEY_ID": "AKIAREAL",
        "AWS_SESSION_TOKEN": "real",
        "AWS_ENDPOINT_URL": "https://example.invalid",
        "AWS_CONFIG_FILE": "/home/somebody/.aws/config",
        "PYTHONPATH": str(Path(__file__).parents[3]),
        "HTTPS_PROXY": "http://127.0.0.1:9",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in hostile.items():
            patch.setenv(name, value)
        running = localcloud.start(home, sagemaker=STUB)
    yield running
    localcloud.stop(home)
