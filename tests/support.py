# ruff: noqa: N803 (the fake takes boto3's own argument names)
"""What tests of several rooms share: loading what ships, and an in-memory S3."""

import functools
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import botocore.session
import jsonata as jsonata_python
import pytest
from botocore.exceptions import ClientError
from botocore.model import ServiceModel
from botocore.validate import validate_parameters

from spine.shipped import load

ROOT = Path(__file__).resolve().parent.parent
# UCI's own file, as it ships.
SAMPLE = ROOT / "lambda" / "prepare" / "vertebral_column" / "column_2C_weka.arff"
REAL_DATA = ROOT.parent / "shared" / "data" / "vertebral_column_data.zip"

needs_real_data = pytest.mark.skipif(
    not REAL_DATA.exists(), reason="the real data set is not on this machine (../shared/data)"
)


def seeds(count: int, *, quick: int = 20) -> list[Any]:
    """The seeds of a random test, for `parametrize`: `make quick` runs the first ones only."""
    return [
        pytest.param(seed, marks=[pytest.mark.slow] if seed >= quick else [])
        for seed in range(count)
    ]


def image_versions() -> dict[str, str]:
    """The image version of each algorithm in a deployment that does not say another."""
    return {each.name: each.image.default for each in load("algorithms").ALGORITHMS.values()}


def planned(execution_input: Mapping[str, Any], *, bucket: str, name: str = "r-1") -> Any:
    """Return what the plan step makes of an execution input, without asking for a source's size."""
    engines = load("plan.engines")
    known = load("plan.instances").known()
    given = load("plan.execution_input").parse(
        execution_input,
        load("plan.rules").Rules(
            bucket=bucket,
            hosts=frozenset(),
            buckets=frozenset(),
            instances=known,
            allowed=frozenset().union(*known.values()),
            versions=image_versions(),
        ),
    )
    return load("plan.plan").build(
        given,
        preparation=engines.choose(
            given.preparation,
            lambda: engines.Source(uri=given.source.uri, size=None),
            training_instances=given.training.instance_count,
            spark=True,
        ),
        execution_arn=f"arn:aws:states:us-east-1:111122223333:execution:m:{name}",
        execution_name=name,
        started_at="2026-01-02T03:04:05Z",
        bucket=bucket,
        name_prefix="spine-dev",
    )


def got(fetched: Any) -> tuple[bytes, str, str | None]:
    """What a fetch gave: content, name, version."""
    return fetched.file.read(), fetched.name, fetched.version_id


def client_error(code: str, message: str, operation: str, status: int = 400) -> ClientError:
    """Build the exception boto3 raises when a service answers with an error."""
    return ClientError(
        {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {
                "RequestId": "00000000-0000-0000-0000-000000000000",
                "HostId": "",
                "HTTPStatusCode": status,
                "HTTPHeaders": {},
                "RetryAttempts": 0,
            },
        },
        operation,
    )


@functools.cache
def _s3() -> ServiceModel:
    return botocore.session.Session().get_service_model("s3")


def _check(operation: str, request: dict[str, object]) -> None:
    shape = _s3().operation_model(operation).input_shape
    assert shape is not None
    validate_parameters(request, shape)


@dataclass
class FakeS3:
    """An S3 client over a dictionary: `objects[bucket, key]` is the list of versions, newest last.

    Version ids count from "1". Content types are kept beside, by `(bucket, key)`. Requests are held
    to botocore's model of S3, as boto3 holds them.

    Raises:
        ParamValidationError: A request has a member that S3 does not know, or one of another type.
    """

    objects: dict[tuple[str, str], list[bytes]] = field(default_factory=dict)
    content_types: dict[tuple[str, str], str] = field(default_factory=dict)

    def put_object(
        self, *, Bucket: str, Key: str, Body: bytes | str, ContentType: str = "", **rest: object
    ) -> dict[str, Any]:
        """Add a version."""
        _check("PutObject", {"Bucket": Bucket, "Key": Key, "Body": Body, **rest})
        content = Body.encode() if isinstance(Body, str) else bytes(Body)
        versions = self.objects.setdefault((Bucket, Key), [])
        versions.append(content)
        self.content_types[Bucket, Key] = ContentType
        return {"VersionId": str(len(versions))}

    def get_object(
        self, *, Bucket: str, Key: str, VersionId: str | None = None, **rest: object
    ) -> dict[str, Any]:
        """Answer with the newest version, or the one asked for."""
        version = {} if VersionId is None else {"VersionId": VersionId}
        _check("GetObject", {"Bucket": Bucket, "Key": Key, **version, **rest})
        versions = self.objects.get((Bucket, Key))
        if not versions:
            raise client_error("NoSuchKey", "The specified key does not exist.", "GetObject", 404)
        number = int(VersionId) if VersionId is not None else len(versions)
        if not 1 <= number <= len(versions):
            raise client_error(
                "NoSuchVersion", "The specified version does not exist.", "GetObject", 404
            )
        content = versions[number - 1]
        tag = f'"{number}"'
        if rest.get("IfMatch", tag) != tag:
            message = "At least one of the pre-conditions you specified did not hold"
            raise client_error("PreconditionFailed", message, "GetObject", 412)
        if "Range" in rest:
            content = content[int(str(rest["Range"]).removeprefix("bytes=").removesuffix("-")) :]
        return {
            "Body": io.BytesIO(content),
            "ContentLength": len(content),
            "ETag": tag,
            "VersionId": str(number),
            "ContentType": self.content_types.get((Bucket, Key), ""),
        }

    def upload_fileobj(
        self, Fileobj: IO[bytes], Bucket: str, Key: str, ExtraArgs: dict[str, str]
    ) -> None:
        """Add a version from a file."""
        self.put_object(Bucket=Bucket, Key=Key, Body=Fileobj.read(), **ExtraArgs)

    def head_object(self, *, Bucket: str, Key: str, **rest: Any) -> dict[str, Any]:
        """Answer as `get_object` without the body."""
        answer = self.get_object(Bucket=Bucket, Key=Key, **rest)
        del answer["Body"]
        return answer

    def text(self, bucket: str, key: str) -> str:
        """The newest version of an object as text."""
        return self.objects[bucket, key][-1].decode()


def jsonata(expression: str, variables: Mapping[str, Any]) -> Any:
    """Evaluate a state machine's `{% expression %}` with these variables (`states` for $states)."""
    body = expression.removeprefix("{%").removesuffix("%}")
    program = jsonata_python.Jsonata(body)
    # Step Functions' own addition.
    program.register_lambda("parse", json.loads)
    for name, value in variables.items():
        program.assign(name, value)
    return program.evaluate(None)


def use_clients(monkeypatch: pytest.MonkeyPatch, **clients: object) -> None:
    """Make `lambda.common.aws.client` hand out these fakes (`sagemaker_runtime=` for `-runtime`).

    Any other service is refused, so no test reaches AWS by accident.
    """
    fakes: Mapping[str, object] = {name.replace("_", "-"): fake for name, fake in clients.items()}

    def client(service: str) -> object:
        assert service in fakes, f"the code under test asked for an unexpected client: {service}"
        return fakes[service]

    monkeypatch.setattr(load("common.aws"), "client", client)
