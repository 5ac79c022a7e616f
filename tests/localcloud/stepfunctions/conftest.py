"""One local cloud for the tests of this folder, with a stand-in for SageMaker."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import localcloud
from tests.localcloud.stepfunctions.machines import PROBE, ROLE, Bench, bundle

STUB = Path(__file__).parent.parent / "sagemaker_stub.py"


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A running local cloud with the probe function."""
    home = tmp_path_factory.mktemp("states")
    running = localcloud.start(home, sagemaker=[sys.executable, str(STUB)])
    try:
        function = running.client("lambda").create_function(
            FunctionName="probe",
            Runtime="python3.13",
            Role=ROLE,
            Handler="index.handler",
            Code={"ZipFile": bundle(PROBE)},
            Timeout=2,
        )
        yield Bench(cloud=running, function=function["FunctionArn"])
    finally:
        localcloud.stop(home)
