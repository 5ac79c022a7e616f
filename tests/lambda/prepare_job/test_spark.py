"""Spark as the several machines that share out the work of the preparation."""

import pytest

from spine.shipped import load
from tests.preparing import RUN, Store

spark = load("prepare_job.spark")


s3 = load("common.s3")


def test_shards_of_an_earlier_attempt_are_gone(store: Store) -> None:
    """Before the first shard is written; the run's other files stay."""
    for key in ("train/part-00007.csv", "validate/part-00007.csv", "data_profile.json"):
        store.put_object(Bucket="bucket", Key=f"{RUN}/{key}", Body=b"old")
    cluster = spark.Cluster(None, s3.Location("bucket", RUN), 2)
    cluster.writer()("train/part-00000.csv", memoryview(b"new"))
    kept = {key.removeprefix(f"{RUN}/") for _, key in store.objects if key.startswith(RUN)}
    assert kept == {"train/part-00000.csv", "data_profile.json"}


def test_what_machines_exchange_is_deleted_in_the_end(store: Store) -> None:
    """Blocks and the test part's pieces, whether it went well or not; Spark is stopped."""

    class Context:
        stopped = False

        def stop(self) -> None:
            self.stopped = True

    context = Context()
    with spark.Cluster(context, s3.Location("bucket", RUN), 2) as cluster:
        for number in range(20):
            cluster.put(number, b"%d" % number)
        read = cluster.reader()
        assert [read(number) for number in range(20)] == [b"%d" % number for number in range(20)]
    assert [key for _, key in store.objects if key.startswith(RUN)] == []
    assert context.stopped


def test_a_block_that_cannot_be_stored_fails_the_job(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Uploads go on beside the reading; what goes wrong there is not lost."""

    def full(*_: object, **__: object) -> None:
        raise OSError("no space")

    cluster = spark.Cluster(None, s3.Location("bucket", RUN), 2)
    monkeypatch.setattr(store, "put_object", full)
    cluster.put(0, b"x")
    with pytest.raises(OSError, match="no space"):
        cluster.reader()
