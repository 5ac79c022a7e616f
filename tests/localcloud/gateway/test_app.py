"""Answers of the gateway."""

import asyncio
import random

import pytest

from localcloud import Cloud
from localcloud.asgi import Message
from localcloud.gateway import app


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (1 << 20) + 1, 5 << 19])
@pytest.mark.parametrize("more", [False, True])
def test_a_large_body_is_sent_in_pieces(size: int, more: bool) -> None:
    """None is larger than a megabyte, together they are the body, and the last one says so."""
    body = random.Random(size).randbytes(size)  # noqa: S311 (seeded, so that a failure repeats)
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    whole = {"type": "http.response.body", "body": body, "more_body": more}
    asyncio.run(app.in_pieces(send)(whole))  # type: ignore[arg-type] # a coroutine it is
    assert b"".join(message["body"] for message in sent) == body
    assert all(len(message["body"]) <= 1 << 20 for message in sent)
    assert [message["more_body"] for message in sent] == [True] * (len(sent) - 1) + [more]


def test_a_large_object_comes_whole(running_cloud: Cloud) -> None:
    """An object of S3 that is sent in pieces arrives with its length, and the next one as well."""
    s3 = running_cloud.client("s3")
    s3.create_bucket(Bucket="large")
    content = random.Random(1).randbytes((5 << 20) + 3)  # noqa: S311
    s3.put_object(Bucket="large", Key="a", Body=content)
    for _ in range(2):
        answer = s3.get_object(Bucket="large", Key="a")
        assert answer["ContentLength"] == len(content)
        assert answer["Body"].read() == content
