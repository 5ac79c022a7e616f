"""The clients that tasks call with."""

import pytest

from localcloud.stepfunctions import clients


@pytest.mark.parametrize(
    ("integration", "service"),
    [("sfn", "stepfunctions"), ("eventbridge", "events"), ("s3", "s3")],
)
def test_integrations_name_services_as_the_sdk_for_java_does(
    integration: str, service: str
) -> None:
    """Where botocore's name differs, it is found."""
    assert clients.botocore_name(integration) == service


@pytest.mark.parametrize(
    ("service", "action", "offered"),
    [
        ("sagemaker", "describeEndpoint", True),
        ("sagemaker", "describeEndpoints", False),
        ("sfn", "startExecution", True),
        ("nothing", "list", False),
    ],
)
def test_an_operation_is_offered_if_botocore_has_it(
    monkeypatch: pytest.MonkeyPatch, service: str, action: str, offered: bool
) -> None:
    """By the names that aws-sdk integrations use."""
    monkeypatch.setattr(clients, "_endpoint_url", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    clients._client.cache_clear()
    assert clients.offers(service, action) is offered
