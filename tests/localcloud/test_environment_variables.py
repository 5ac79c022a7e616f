"""Nothing of the person's own AWS set-up reaches the local cloud, its functions or its clients."""

import json
from pathlib import Path

import pytest

from localcloud import Cloud
from localcloud.credentials import Credentials
from localcloud.environment_variables import (
    client_environment,
    gateway_environment,
    isolated,
)
from tests.localcloud.stepfunctions.machines import ROLE, bundle

SOURCE = """
import importlib.util, os, sys

def found(name):
    return importlib.util.find_spec(name) is not None

def handler(event, context):
    import boto3
    return {
        "environment": dict(os.environ),
        "modules": {
            name: found(name)
            for name in ("localcloud", "spine", "stacks", "data_prep", "boto3")
        },
        "lambda": found("lambda.step.handler"),
        "other": found("lambda.plan"),
        "account": boto3.client("sts").get_caller_identity()["Account"],
        "task_root": context.invoked_function_arn,
    }
"""


def test_functions_in_javascript_find_the_sdk(tmp_path: Path) -> None:
    """CDK's own custom resources take the S3 client from Lambda's runtime; here it has a folder."""
    own = Credentials(access_key_id="key", secret_access_key="secret")
    given = gateway_environment({}, home=tmp_path, port=1, credentials=own, enforce_iam=False)
    assert (Path(given["NODE_PATH"]) / "@aws-sdk" / "client-s3" / "index.js").is_file()


def test_isolated_keeps_no_way_to_aws() -> None:
    """Profiles, keys, endpoints and import paths go; what a process needs stays."""
    given = {
        "PATH": "/bin",
        "LC_ALL": "C",
        "AWS_PROFILE": "production",
        "AWS_ACCESS_KEY_ID": "real",
        "AWS_ENDPOINT_URL_S3": "https://example.invalid",
        "BOTO_CONFIG": "/etc/boto.cfg",
        "PYTHONPATH": "/somewhere",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.2",
    }
    assert isolated(given) == {"PATH": "/bin", "LC_ALL": "C"}


def test_proxies_do_not_apply_to_the_loopback_address() -> None:
    """A company's proxy stays for the data sources, with this machine left out of it."""
    kept = isolated({"https_proxy": "http://proxy:3128", "no_proxy": "intranet"})
    assert kept["https_proxy"] == "http://proxy:3128"
    assert kept["NO_PROXY"] == kept["no_proxy"] == "intranet,127.0.0.1,localhost"


def test_clients_are_pointed_at_the_loopback_address_only() -> None:
    """The environment for clients names the gateway, and neutralises profiles and metadata."""
    own = Credentials(access_key_id="SPINE1", secret_access_key="s")
    found = client_environment(4711, own)
    assert (found["AWS_ACCESS_KEY_ID"], found["AWS_SECRET_ACCESS_KEY"]) == ("SPINE1", "s")
    assert found["AWS_ENDPOINT_URL"] == found["AWS_ENDPOINT_URL_S3"] == "http://127.0.0.1:4711"
    assert found["AWS_EC2_METADATA_DISABLED"] == "true"
    assert found["AWS_CONFIG_FILE"] == found["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"


def test_a_function_sees_its_own_bundle_and_the_local_cloud(running_cloud: Cloud) -> None:
    """No variable of the person's, no module of the project's: only the bundle and boto3."""
    functions = running_cloud.client("lambda")
    functions.create_function(
        FunctionName="looking",
        Runtime="python3.13",
        Role=ROLE,
        Handler="lambda.step.handler.handler",
        Code={"ZipFile": bundle(SOURCE, "lambda/step/handler.py")},
        Environment={"Variables": {"MINE": "1"}},
        Timeout=10,
    )
    answer = functions.invoke(FunctionName="looking")
    found = json.load(answer["Payload"])
    assert "FunctionError" not in answer, found
    environment = found["environment"]
    assert environment["MINE"] == "1"
    assert environment["AWS_ENDPOINT_URL"] == running_cloud.endpoint_url
    assert environment["AWS_ACCESS_KEY_ID"] == running_cloud.credentials.access_key_id
    assert environment["AWS_EC2_METADATA_DISABLED"] == "true"
    assert not environment.keys() & {"AWS_PROFILE", "PYTHONPATH", "AWS_CONTAINER_CREDENTIALS_URI"}
    assert "real" not in environment.values()
    assert found["account"] == running_cloud.account
    assert found["lambda"] is True
    assert found["other"] is False
    assert found["modules"] == {
        "localcloud": False,
        "spine": False,
        "stacks": False,
        "data_prep": False,
        "boto3": True,
    }


def test_the_python_client_ignores_the_persons_set_up(
    running_cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client of the cloud reaches it whatever the environment says."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://example.invalid")
    monkeypatch.setenv("AWS_PROFILE", "absent")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    identity = running_cloud.client("sts").get_caller_identity()
    assert identity["Account"] == running_cloud.account
