"""SageMaker in memory, for everything that cleans up."""

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
def scaling(sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch) -> FakeScaling:
    """Application Auto Scaling, for endpoints that somebody registered."""
    fake = FakeScaling(sagemaker)
    use_clients(monkeypatch, application_autoscaling=fake)
    return fake
