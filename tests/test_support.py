"""What tests share is as strict as what it stands for."""

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from tests.support import FakeS3


def test_the_fake_s3_takes_what_s3_takes() -> None:
    """A member that S3 does not know is refused, as boto3 refuses it, and so is another type."""
    s3 = FakeS3()
    s3.put_object(Bucket="b", Key="k", Body="one", ContentType="text/plain")
    assert s3.get_object(Bucket="b", Key="k", VersionId="1")["Body"].read() == b"one"
    with pytest.raises(ParamValidationError, match="Nonsense"):
        s3.get_object(Bucket="b", Key="k", Nonsense="1")
    with pytest.raises(ParamValidationError, match="ContentLength"):
        s3.put_object(Bucket="b", Key="k", Body=b"", ContentLength="many")
    with pytest.raises(ClientError, match="NoSuchVersion"):
        s3.get_object(Bucket="b", Key="k", VersionId="2")
