"""How the runtime finds an endpoint and passes a request and its answer on."""

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.sagemaker.cloud import Cloud, make_table, refused, to_csv

ROW = "0.5,1,-1,2,0,0.25"


def test_a_missing_endpoint_is_not_found(cloud: Cloud) -> None:
    """The runtime words a missing endpoint with the account."""
    assert refused(lambda: cloud.invoke("none", ROW)) == (
        "ValidationError",
        "Endpoint none of account 000000000000 not found.",
    )


def test_a_missing_variant_is_refused(cloud: Cloud, endpoint: str) -> None:
    """TargetVariant must be one of the endpoint's."""
    code, message = refused(lambda: cloud.invoke(endpoint, ROW, TargetVariant="none"))
    assert code == "ValidationError"
    assert "AllTraffic" in message


def test_a_body_is_limited(cloud: Cloud, endpoint: str) -> None:
    """6,291,456 bytes are served; one more is refused with 413."""
    line = ROW.encode() + b"\n"
    largest = line * (6_291_456 // len(line))
    largest += b"\n" * (6_291_456 - len(largest))
    rows = cloud.invoke(endpoint, largest)["Body"].read().count(b"\n")
    assert rows == 6_291_456 // len(line)
    with pytest.raises(ClientError) as error:
        cloud.invoke(endpoint, largest + b"\n")
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert "HTTP content length exceeded 6291456 bytes." in str(error.value)


def test_what_would_choose_another_model_is_refused(cloud: Cloud, endpoint: str) -> None:
    """TargetModel, which multi-model endpoints act on, is refused."""
    code, message = refused(lambda: cloud.invoke(endpoint, ROW, TargetModel="a.tar.gz"))
    assert (code, "TargetModel" in message) == ("ValidationError", True)


def test_requests_beside_each_other_are_answered_apart(cloud: Cloud, endpoint: str) -> None:
    """Many rows at once come back in their order."""
    table = make_table(2000)[:, 1:]
    together = cloud.invoke(endpoint, to_csv(table))["Body"].read().split()
    alone = [
        cloud.invoke(endpoint, to_csv(table[place : place + 1]))["Body"].read().strip()
        for place in (0, 999, 1999)
    ]
    assert [together[0], together[999], together[1999]] == alone
