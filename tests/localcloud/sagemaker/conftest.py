"""The process under test, on a free port, with an emulated S3 behind it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.localcloud.sagemaker.cloud import Cloud, start, stop

MODEL = "trained"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture(scope="session")
def s3_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An S3 on a loopback port, in a process of its own."""
    port = _free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "ministack"],
        cwd=tmp_path_factory.mktemp("s3"),
        env={
            **os.environ,
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "SERVICES": "s3,logs,cloudwatch,sts,iam",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            assert time.monotonic() < deadline, "the emulated S3 has not started"
            time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(10)


@pytest.fixture(scope="session")
def cloud(s3_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """The process without delays, with data uploaded and one model trained."""
    running = start(s3_url, tmp_path_factory.mktemp("sagemaker"))
    running.upload_data()
    assert running.train(MODEL)["TrainingJobStatus"] == "Completed"
    running.create_model(MODEL, job=MODEL)
    yield running
    stop(running)


@pytest.fixture(scope="session")
def endpoint(cloud: Cloud) -> str:
    """The name of an endpoint that serves the model."""
    cloud.create_endpoint("shared", model=MODEL)
    assert cloud.wait_for_endpoint("shared")["EndpointStatus"] == "InService"
    return "shared"


@pytest.fixture
def slow_cloud(s3_url: str, tmp_path: Path, cloud: Cloud) -> Iterator[Cloud]:
    """A process of its own whose states last half a second."""
    delays = ("training", "endpoint-create", "endpoint-delete", "transform")
    running = start(s3_url, tmp_path, *(f"--delay={name}=0.5" for name in delays))
    running.create_model(MODEL, job=MODEL)
    yield running
    stop(running)


@pytest.fixture
def own_cloud(s3_url: str, tmp_path: Path, cloud: Cloud) -> Iterator[Cloud]:
    """A process of the test's own, which it may kill."""
    running = start(s3_url, tmp_path, "--stop-grace=0.5")
    running.create_model("trained", job="trained")
    yield running
    if running.process.poll() is None:
        stop(running)
    elif running.process.stdout is not None:
        running.process.stdout.close()
