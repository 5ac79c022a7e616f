"""Whom the local cloud lets in: programs that hold its key, and no page of a browser."""

import base64
import json
import socket
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

import localcloud
from localcloud import Cloud, Conditions
from tests.localcloud.conftest import STUB
from tests.localcloud.gateway.made import made
from tests.localcloud.stepfunctions.machines import ROLE, bundle

pytestmark = pytest.mark.process

_TEMPLATE = json.dumps({"Resources": {"Made": {"Type": "AWS::SQS::Queue"}}})
_FORM = "application/x-www-form-urlencoded"


class Attempt(NamedTuple):
    """One request: what it would do, and how it comes in.

    `PORT` and `KEY` in the hosts, the target and the headers stand for the cloud's own.
    """

    name: str
    does: str = "stack"
    hosts: tuple[str, ...] = ("127.0.0.1:PORT",)
    headers: tuple[tuple[str, str], ...] = ()
    key: str | None = "KEY"
    query: str = ""


def signature(key: str, service: str) -> str:
    """The header of a request that is signed with a key, as far as the door looks at it."""
    scope = f"20260101/us-east-1/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders=host, Signature=0"


def ask(to: Cloud, attempt: Attempt) -> tuple[int, str, str]:
    """Send a request byte by byte; return the status, the headers and the body of the answer."""
    fields = {"Action": "CreateStack", "StackName": "hostile", "TemplateBody": _TEMPLATE}
    stack, service = urlencode(fields | {"Version": "2010-05-15"}), "cloudformation"
    method, target, kind, body = "POST", "/", _FORM, stack.encode()
    if attempt.does == "text":
        kind = "text/plain"
    elif attempt.does == "queue":
        method, target, body, service = "GET", "/?Action=CreateQueue&QueueName=hostile", b"", "sqs"
    elif attempt.does == "bucket":
        method, target, body, service = "PUT", "/hostile", b"", "s3"
    elif attempt.does == "function":
        target, kind, service = "/2015-03-31/functions", "application/json", "lambda"
        source = bundle("def handler(event, context): pass")
        function = {"FunctionName": "hostile", "Runtime": "python3.13", "Role": ROLE}
        code = {"Code": {"ZipFile": base64.b64encode(source).decode()}, "Handler": "index.handler"}
        body = json.dumps(function | code).encode()
    if attempt.query:
        target += ("&" if "?" in target else "?") + attempt.query
    lines = [f"{method} {target} HTTP/1.1", *(f"Host: {host}" for host in attempt.hosts)]
    lines += [f"{name}: {value}" for name, value in attempt.headers]
    if attempt.key is not None:
        lines.append(f"Authorization: {signature(attempt.key, service)}")
    lines += [f"Content-Type: {kind}", f"Content-Length: {len(body)}", "Connection: close"]
    head = "\r\n".join([*lines, "", ""])
    head = head.replace("PORT", str(to.port)).replace("KEY", to.credentials.access_key_id)
    with socket.create_connection(("127.0.0.1", to.port), timeout=30) as connection:
        connection.sendall(head.encode("latin-1") + body)
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode("latin-1")
    headers, _, content = answer.partition("\r\n\r\n")
    return int(headers.split()[1]), headers.lower(), content


_HOSTS = (
    *("evil.example", "evil.example:PORT", "127.0.0.1.evil.com:PORT", "localhost.evil.com:PORT"),
    *("127.0.0.1", "localhost", "[::1]", "127.0.0.1:1", "localhost:80", "127.0.0.1:PORT.evil.com"),
    *("2130706433:PORT", "0x7f000001:PORT", "127.1:PORT", "0.0.0.0:PORT", "127.0.0.2:PORT"),
    *("017700000001:PORT", "localhost.:PORT", "evil.localhost:PORT", "hostile.127.0.0.1:PORT"),
    *("[::ffff:127.0.0.1]:PORT", "evil@127.0.0.1:PORT", "127.0.0.1:PORT, evil.example", "null", ""),
)
_ORIGINS = (
    *("null", "http://evil.example", "https://evil.example", "http://localhost:3000", "file://"),
    *("http://127.0.0.1:PORT", "http://localhost:PORT", "http://127.0.0.1:1", "https://127.0.0.1"),
    *("chrome-extension://abcdefghijklmnop", "http://allowed.example.evil.com", ""),
)
_SITES = ("cross-site", "same-site", "same-origin", "none, cross-site", "None", "")
_KEYS = (
    *(None, "", "test", "000000000000", "111111111111", "AKIAIOSFODNN7EXAMPLE", "SPINE", "KEY0"),
    "ASIA0123456789ABCDEF",
)

ATTEMPTS = [
    *(Attempt(f"host {host}", does, (host,)) for host in _HOSTS for does in ("stack", "queue")),
    *(Attempt("no host", does, ()) for does in ("stack", "function")),
    Attempt("two hosts", "stack", ("127.0.0.1:PORT", "evil.example:PORT")),
    Attempt("two hosts, ours last", "bucket", ("evil.example:PORT", "127.0.0.1:PORT")),
    *(
        Attempt(f"origin {origin}", does, headers=(("Origin", origin),))
        for origin in _ORIGINS
        for does in ("stack", "text", "function")
    ),
    *(
        Attempt(f"site {site}", does, headers=(("Sec-Fetch-Site", site),))
        for site in _SITES
        for does in ("stack", "text", "queue")
    ),
    Attempt("two sites", headers=(("Sec-Fetch-Site", "none"), ("Sec-Fetch-Site", "cross-site"))),
    *(
        Attempt(f"key {key}", does, key=key)
        for key in _KEYS
        for does in ("stack", "text", "queue", "bucket", "function")
    ),
    *(
        Attempt(f"presigned by {key}", "queue", key=None, query=query)
        for key in ("test", "000000000000", "AKIAIOSFODNN7EXAMPLE")
        for query in (
            f"X-Amz-Credential={quote(f'{key}/20260101/us-east-1/sqs/aws4_request', safe='')}",
            f"AWSAccessKeyId={key}&Signature=x",
        )
    ),
    Attempt("another scheme", headers=(("Authorization", "Bearer KEY"),), key=None),
    Attempt("a form's navigation", headers=(("Sec-Fetch-Mode", "navigate"),), key=None),
]


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: f"{attempt.name}-{attempt.does}")
def test_a_hostile_request_has_no_effect(attempt: Attempt, running_cloud: Cloud) -> None:
    """It is refused, whatever else is right about it, and nothing is there afterwards."""
    before = made(running_cloud)
    status, headers, _ = ask(running_cloud, attempt)
    # 400 is the server's own: a request without a host, or with one that is none.
    assert status == 403 or (status == 400 and attempt.hosts != ("127.0.0.1:PORT",))
    assert "access-control" not in headers
    assert made(running_cloud) == before


def test_there_are_enough_hostile_requests() -> None:
    """The list is no shorter than the issue asks for."""
    assert len(ATTEMPTS) >= 50


@pytest.mark.parametrize("host", ["127.0.0.1:PORT", "localhost:PORT", "[::1]:PORT"])
@pytest.mark.parametrize("does", ["stack", "text", "queue", "bucket", "function"])
def test_the_same_request_of_a_program_has_an_effect(
    does: str, host: str, running_cloud: Cloud
) -> None:
    """With a host of the cloud's and its key it does what the hostile ones would have done."""
    before = made(running_cloud)
    headers = (("Sec-Fetch-Site", "none"),)
    status, answered, _ = ask(running_cloud, Attempt("own", does, (host,), headers))
    assert status in (200, 201)
    assert "access-control" not in answered
    effects = made(running_cloud) - before
    assert effects
    for service, name in effects:
        client = running_cloud.client(service)
        if service == "cloudformation":
            client.delete_stack(StackName=name)
        elif service == "lambda":
            client.delete_function(FunctionName=name)
        elif service == "s3":
            client.delete_bucket(Bucket=name)
        elif name.endswith("/hostile"):
            client.delete_queue(QueueUrl=name)


def test_a_preflight_is_refused(running_cloud: Cloud) -> None:
    """A browser is never told that it may send what needs leave."""
    lines = (
        *("OPTIONS / HTTP/1.1", f"Host: 127.0.0.1:{running_cloud.port}"),
        *("Origin: http://evil.example", "Access-Control-Request-Method: PUT"),
        *("Access-Control-Request-Headers: authorization", "Connection: close", "", ""),
    )
    with socket.create_connection(("127.0.0.1", running_cloud.port), timeout=30) as connection:
        connection.sendall("\r\n".join(lines).encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode().lower()
    assert answer.startswith("http/1.1 403")
    assert "access-control" not in answer


@pytest.mark.parametrize("path", ["/_aws/execute-api/a/stage", "/"])
def test_a_web_socket_is_refused(path: str, running_cloud: Cloud) -> None:
    """Even one with the cloud's key and without an origin."""
    query = f"X-Amz-Credential={running_cloud.credentials.access_key_id}/x"
    lines = (
        *(f"GET {path}?{query} HTTP/1.1", f"Host: 127.0.0.1:{running_cloud.port}"),
        *("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"),
        *("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "", ""),
    )
    with socket.create_connection(("127.0.0.1", running_cloud.port), timeout=30) as connection:
        connection.sendall("\r\n".join(lines).encode())
        assert not connection.recv(65536).startswith(b"HTTP/1.1 101")


def test_a_page_does_not_learn_that_the_cloud_runs(running_cloud: Cloud) -> None:
    """The health check, which needs no key, is for programs: a page gets the same refusal."""
    url = f"{running_cloud.endpoint_url}/_spine/health"
    assert httpx.get(url, trust_env=False).json()["status"] == "ok"
    refused = httpx.get(url, trust_env=False, headers={"Origin": "http://evil.example"})
    assert refused.status_code == 403
    assert "Origin: http://evil.example" in refused.text
    assert "spine up --allow-origin" in refused.text


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        *(("sts", "get_caller_identity"), ("cloudformation", "describe_stacks")),
        *(("s3", "list_buckets"), ("lambda", "list_functions"), ("sqs", "list_queues")),
        *(("stepfunctions", "list_state_machines"), ("sagemaker", "list_models")),
    ],
)
def test_a_client_with_another_key_is_told_what_to_do(
    service: str, operation: str, running_cloud: Cloud
) -> None:
    """Each kind of client makes an error of the refusal, with the command that helps."""
    client = boto3.session.Session().client(  # type: ignore[call-overload] # any service
        service,
        region_name=running_cloud.region,
        endpoint_url=running_cloud.endpoint_url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(proxies={}),
    )
    with pytest.raises(ClientError, match="spine env") as refused:
        getattr(client, operation)()
    assert refused.value.response["Error"]["Code"] == "InvalidClientTokenId"


def test_keys_that_the_cloud_has_issued_come_in(running_cloud: Cloud) -> None:
    """A session of a role and a user's own key, until the key is deleted."""
    iam = running_cloud.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="visitor", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    iam.create_user(UserName="visitor")
    user = iam.create_access_key(UserName="visitor")["AccessKey"]
    session = running_cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="visit")

    def ask_as(key: Mapping[str, Any]) -> Sequence[object]:
        client = boto3.session.Session().client(
            "s3",
            region_name=running_cloud.region,
            endpoint_url=running_cloud.endpoint_url,
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
            aws_session_token=key.get("SessionToken"),
            config=Config(proxies={}),
        )
        return client.list_buckets()["Buckets"]

    for key in (user, session["Credentials"]):
        assert isinstance(ask_as(key), list)
    iam.delete_access_key(UserName="visitor", AccessKeyId=user["AccessKeyId"])
    with pytest.raises(ClientError, match="spine env"):
        ask_as(user)


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_presigned_addresses_work(version: str, running_cloud: Cloud) -> None:
    """Those of S3 by either version of the signature, as a program opens them."""
    client = boto3.session.Session().client(
        "s3",
        region_name=running_cloud.region,
        endpoint_url=running_cloud.endpoint_url,
        aws_access_key_id=running_cloud.credentials.access_key_id,
        aws_secret_access_key=running_cloud.credentials.secret_access_key,
        config=Config(signature_version=version, s3={"addressing_style": "path"}, proxies={}),
    )
    client.create_bucket(Bucket=f"signed-{version}")
    client.put_object(Bucket=f"signed-{version}", Key="a", Body=b"content")
    given = {"Bucket": f"signed-{version}", "Key": "a"}
    address = client.generate_presigned_url("get_object", given)
    assert httpx.get(address, trust_env=False).content == b"content"


def test_a_functions_code_can_be_downloaded(running_cloud: Cloud) -> None:
    """The address that GetFunction names works as it is."""
    functions = running_cloud.client("lambda")
    source = bundle("def handler(event, context): pass")
    functions.create_function(
        FunctionName="downloaded",
        Runtime="python3.13",
        Role=ROLE,
        Handler="index.handler",
        Code={"ZipFile": source},
    )
    location = functions.get_function(FunctionName="downloaded")["Code"]["Location"]
    assert httpx.get(location, trust_env=False).content == source


@pytest.fixture(scope="module")
def open_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud that pages of one origin may call."""
    home = tmp_path_factory.mktemp("open")
    conditions = Conditions(allowed_origins=("http://allowed.example",))
    yield localcloud.start(home, sagemaker=STUB, conditions=conditions)
    localcloud.stop(home)


def test_an_allowed_origin_needs_the_key_all_the_same(open_cloud: Cloud) -> None:
    """Its page may read answers, and what it asks for without the key is refused."""
    headers = (("Origin", "http://allowed.example"), ("Sec-Fetch-Site", "cross-site"))
    for key, expected in (("KEY", 200), ("test", 403), (None, 403)):
        before = made(open_cloud)
        status, answered, _ = ask(open_cloud, Attempt("allowed", headers=headers, key=key))
        assert status == expected
        assert answered.count("access-control-allow-origin: http://allowed.example\r\n") == 1
        assert "vary: origin" in answered
        assert (made(open_cloud) != before) == (expected == 200)


def test_only_the_named_origin_is_allowed(open_cloud: Cloud) -> None:
    """Neither another one nor none, where the browser says that the request is of another site."""
    for headers in (
        (("Origin", "http://allowed.example.evil.com"),),
        (("Origin", "https://allowed.example"),),
        (("Origin", "http://allowed.example"), ("Origin", "http://evil.example")),
        (("Sec-Fetch-Site", "cross-site"),),
    ):
        status, answered, _ = ask(open_cloud, Attempt("other", "queue", headers=headers))
        assert status == 403
        assert "access-control" not in answered


def test_the_preflight_of_an_allowed_origin_is_answered(open_cloud: Cloud) -> None:
    """With the headers that it asks for, to that origin alone."""
    answer = httpx.options(
        open_cloud.endpoint_url,
        trust_env=False,
        headers={
            "Origin": "http://allowed.example",
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "authorization,x-amz-date",
        },
    )
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "http://allowed.example"
    assert answer.headers["Access-Control-Allow-Headers"] == "authorization,x-amz-date"
    assert "PUT" in answer.headers["Access-Control-Allow-Methods"]


def test_the_key_is_the_clouds_own_and_stays(tmp_path: Path) -> None:
    """Two clouds have different keys; a cloud that is started again has the one it had."""
    first = localcloud.start(tmp_path / "a", sagemaker=STUB)
    try:
        other = localcloud.start(tmp_path / "b", sagemaker=STUB)
        localcloud.stop(tmp_path / "b")
        assert first.credentials.access_key_id != other.credentials.access_key_id
        assert first.credentials.secret_access_key != other.credentials.secret_access_key
        localcloud.stop(tmp_path / "a")
        again = localcloud.start(tmp_path / "a", sagemaker=STUB)
        assert again.credentials == first.credentials
        assert first.credentials.secret_access_key not in repr(first)
    finally:
        localcloud.stop(tmp_path / "a")
