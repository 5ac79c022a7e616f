"""S3's events in EventBridge say which version they are about."""

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from localcloud import Cloud
from tests.localcloud.emulator.events import Queue


class Bucket:
    """A bucket whose events come to a queue."""

    def __init__(self, cloud: Cloud, versioning: str | None) -> None:
        self.s3 = cloud.client("s3")
        self.name = f"bucket-{uuid.uuid4().hex}"
        self.s3.create_bucket(Bucket=self.name)
        if versioning:
            self.s3.put_bucket_versioning(
                Bucket=self.name,
                VersioningConfiguration={"Status": versioning},
            )
        self.s3.put_bucket_notification_configuration(
            Bucket=self.name, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
        self._queue = Queue(cloud, "s3")
        self._rules = cloud.client("events")
        pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [self.name]}}}
        self._rules.put_rule(Name=self.name, EventPattern=json.dumps(pattern))
        self._rules.put_targets(Rule=self.name, Targets=[{"Id": "q", "Arn": self._queue.arn}])

    def event(self) -> dict[str, Any]:
        """The next event."""
        found: dict[str, Any] = json.loads(self._queue.next(5.0)["Body"])
        return found

    def forget(self) -> None:
        """Send no more."""
        self._rules.remove_targets(Rule=self.name, Ids=["q"])
        self._rules.delete_rule(Name=self.name)


@pytest.fixture
def versioned(running_cloud: Cloud) -> Iterator[Bucket]:
    """A bucket that keeps versions."""
    bucket = Bucket(running_cloud, "Enabled")
    yield bucket
    bucket.forget()


def test_two_quick_uploads_under_one_name_are_two_versions(versioned: Bucket) -> None:
    """Each event has its own version, with the etag and the size of its content."""
    made = [
        versioned.s3.put_object(Bucket=versioned.name, Key="a b+é.csv", Body=content)
        for content in (b"1", b"22")
    ]
    events = [versioned.event() for _ in range(2)]
    objects = {event["detail"]["object"]["version-id"]: event["detail"] for event in events}
    assert objects.keys() == {each["VersionId"] for each in made}
    first, second = (objects[each["VersionId"]] for each in made)
    assert [each["object"]["size"] for each in (first, second)] == [1, 2]
    assert [each["object"]["etag"] for each in (first, second)] == [
        each["ETag"].strip('"') for each in made
    ]
    assert first["object"]["key"] == "a b+é.csv"
    assert first["object"]["sequencer"] < second["object"]["sequencer"]
    assert first["requester"] == "000000000000"
    assert (first["version"], first["reason"]) == ("0", "PutObject")
    assert events[0]["detail-type"] == "Object Created"
    assert events[0]["account"] == "000000000000"
    assert events[0]["resources"] == [f"arn:aws:s3:::{versioned.name}"]


@pytest.mark.parametrize("how", ["copy", "multipart"])
def test_every_way_of_creating_an_object_names_its_version(versioned: Bucket, how: str) -> None:
    """Copies and uploads in parts, too."""
    s3, name = versioned.s3, versioned.name
    if how == "copy":
        s3.put_object(Bucket=name, Key="from", Body=b"x")
        versioned.event()
        made = s3.copy_object(Bucket=name, Key="to", CopySource=f"{name}/from")["VersionId"]
    else:
        upload = s3.create_multipart_upload(Bucket=name, Key="to")["UploadId"]
        part = s3.upload_part(Bucket=name, Key="to", UploadId=upload, PartNumber=1, Body=b"x")
        made = s3.complete_multipart_upload(
            Bucket=name,
            Key="to",
            UploadId=upload,
            MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
        )["VersionId"]
    assert versioned.event()["detail"]["object"]["version-id"] == made


def test_a_delete_marker_is_a_version(versioned: Bucket) -> None:
    """Its event names the marker's version, not the object's."""
    versioned.s3.put_object(Bucket=versioned.name, Key="a", Body=b"x")
    versioned.event()
    made = versioned.s3.delete_object(Bucket=versioned.name, Key="a")
    event = versioned.event()
    assert event["detail-type"] == "Object Deleted"
    assert event["detail"]["object"]["version-id"] == made["VersionId"]


@pytest.mark.parametrize("versioning", [None, "Suspended"])
def test_a_bucket_without_versions_names_none(running_cloud: Cloud, versioning: str | None) -> None:
    """There, the sequencer tells one upload of the same content from the next."""
    bucket = Bucket(running_cloud, versioning)
    for _ in range(2):
        bucket.s3.put_object(Bucket=bucket.name, Key="a", Body=b"x")
        time.sleep(0.01)
    first, second = sorted(
        (bucket.event()["detail"]["object"] for _ in range(2)), key=lambda each: each["sequencer"]
    )
    bucket.forget()
    assert "version-id" not in first
    assert first["etag"] == second["etag"]
    assert first["sequencer"] != second["sequencer"]
