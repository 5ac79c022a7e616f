"""SageMaker and CloudFormation in memory, for everything that cleans up."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from spine.shipped import load
from tests.fake_sagemaker import FakeLambda, FakeSageMaker, FakeScaling, FakeStepFunctions
from tests.leftovers import LONGEST_RUN, PREFIX
from tests.support import use_clients


@pytest.fixture
def sagemaker() -> FakeSageMaker:
    """An empty SageMaker."""
    return FakeSageMaker()


@pytest.fixture
def lambda_() -> FakeLambda:
    """Functions that are asked for."""
    return FakeLambda()


@pytest.fixture
def clients(
    sagemaker: FakeSageMaker, lambda_: FakeLambda, monkeypatch: pytest.MonkeyPatch
) -> FakeStepFunctions:
    """Give the handlers the fakes, and let them sleep in virtual time."""
    step_functions = FakeStepFunctions()
    fakes: dict[str, object] = {
        "sagemaker": sagemaker,
        "stepfunctions": step_functions,
        "application_autoscaling": FakeScaling(sagemaker),
        "lambda": lambda_,
    }
    use_clients(monkeypatch, **fakes)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "the-function")
    monkeypatch.setenv("NAME_PREFIX", PREFIX)
    monkeypatch.setenv("LONGEST_RUN_SECONDS", str(int(LONGEST_RUN.total_seconds())))
    monkeypatch.setattr(load("cleanup.backoff").time, "sleep", sagemaker.sleep)
    return step_functions


@pytest.fixture
def answers() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server in CloudFormation's place: its address, and what was put there."""
    received: list[dict[str, Any]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append({"type": self.headers["Content-Type"], **json.loads(body)})
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/answer?signature=s3cret", received
    server.shutdown()
    thread.join()
    server.server_close()
