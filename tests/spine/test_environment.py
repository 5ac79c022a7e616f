"""The variables of a shell that is pointed at the local cloud, and back."""

import os
import subprocess

import pytest
from botocore.session import Session

from spine import environment

OURS = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"}
OURS |= {"AWS_ACCESS_KEY_ID": "local", "AWS_REGION": "us-east-1"}
MINE = {
    "PATH": os.environ["PATH"],
    "AWS_PROFILE": "it's mine",
    "AWS_ENDPOINT_URL": "https://all.example",
    "AWS_ENDPOINT_URL_S3": "https://s3.example",
    "AWS_ENDPOINT_URL_DYNAMODB": "https://dynamodb.example",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_ACCESS_KEY_ID": "real",
    "OTHER": "stays",
}


def after(lines: list[str], before: dict[str, str]) -> dict[str, str]:
    """Evaluate lines in a shell; return its environment."""
    script = "\n".join(lines) + "\nexec env -0"
    done = subprocess.run(["sh", "-c", script], capture_output=True, check=True, env=before)
    pairs = (line.decode().partition("=") for line in done.stdout.split(b"\0") if line)
    return {name: value for name, _, value in pairs if name not in ("PWD", "OLDPWD", "SHLVL", "_")}


@pytest.mark.process
def test_nothing_that_was_set_for_aws_stays_in_force_and_all_of_it_comes_back() -> None:
    """Profiles, and the endpoints of single services, which come before the one for all."""
    inside = after(environment.entering(OURS, MINE), MINE)
    kept = inside.pop(environment.REPLACED)
    assert inside == {"PATH": MINE["PATH"], "OTHER": "stays", **OURS}
    inside[environment.REPLACED] = kept
    assert after(environment.leaving(OURS, inside), inside) == MINE


@pytest.mark.process
def test_entering_twice_forgets_nothing() -> None:
    """The cloud's own variables are not taken for the person's; what was set since then is."""
    inside = after(environment.entering(OURS, MINE), MINE)
    inside |= {"AWS_ENDPOINT_URL_SQS": "https://sqs.example"}
    other = {**OURS, "AWS_ENDPOINT_URL": "http://127.0.0.1:2"}
    again = after(environment.entering(other, inside), inside)
    assert "AWS_ENDPOINT_URL_SQS" not in again
    assert again["AWS_ENDPOINT_URL"] == "http://127.0.0.1:2"
    outside = after(environment.leaving(OURS, again), again)
    assert outside == {**MINE, "AWS_ENDPOINT_URL_SQS": "https://sqs.example"}


def test_the_endpoint_variable_of_every_service_is_taken_away() -> None:
    """Of each that the SDK knows, by the name it looks for."""
    loader = Session().get_component("data_loader")
    names = {
        "AWS_ENDPOINT_URL_"
        + loader.load_service_model(service, "service-2")["metadata"]["serviceId"]
        .replace(" ", "_")
        .upper()
        for service in ("s3", "stepfunctions", "sagemaker-runtime", "dynamodb", "events", "logs")
    }
    lines = environment.entering({"AWS_ENDPOINT_URL": "x"}, dict.fromkeys(names, "https://x"))
    assert names <= set(lines[-1].split())


@pytest.mark.parametrize("kept", ["nonsense", "[1]", '{"PATH": "/evil", "AWS_X;rm": "x"}'])
def test_a_variable_that_is_no_record_of_ours_is_passed_over(kept: str) -> None:
    """Only variables of AWS are ever set from it, under names that a shell takes."""
    lines = environment.leaving(OURS, {environment.REPLACED: kept})
    assert lines == [f"unset {' '.join(sorted([*OURS, environment.REPLACED]))}"]
