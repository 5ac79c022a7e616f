"""Spark as the several machines that share out the work of the preparation."""

import sys
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

import numpy as np
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


class Data:
    """A list that does what Spark does with one spread over machines."""

    def __init__(self, items: Iterable[Any]) -> None:
        self.items = list(items)

    def map(self, function: Callable[[Any], Any]) -> "Data":
        """Call a function on each."""
        return Data(map(function, self.items))

    def flatMap(self, function: Callable[[Any], Iterable[Any]]) -> "Data":  # noqa: N802 (Spark's)
        """Call a function on each, and take all that they give."""
        return Data(found for item in self.items for found in function(item))

    def groupByKey(self, tasks: int) -> "Data":  # noqa: N802 (Spark's)
        """Gather what has the same key; a key belongs to a task."""
        groups: dict[int, list[Any]] = {}
        for key, value in self.items:
            assert 0 <= key < tasks
            groups.setdefault(key, []).append(value)
        return Data(groups.items())

    def collect(self) -> list[Any]:
        """All of them."""
        return self.items

    def sum(self) -> Any:
        """Their sum."""
        return sum(self.items)

    def persist(self, level: object) -> None:
        """Keep them: they are here."""

    def unpersist(self) -> None:
        """Let them go."""


class Context:
    """Spark's, on this machine; it notes how many tasks work is cut into."""

    def __init__(self) -> None:
        self.tasks: list[int] = []

    def parallelize(self, items: Iterable[Any], tasks: int) -> Data:
        """Spread items out."""
        self.tasks.append(tasks)
        return Data(items)


def hashed(number: int) -> tuple[str, Any]:
    """What a block gives: its answer, and the hashes of its rows."""
    rows = {0: [1, 2, 3, 2**63], 1: [3, 4, 2**63], 2: [3]}[number]
    return f"block {number}", np.array(rows, np.uint64)


def test_repeated_rows_are_counted_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that is there three times repeats twice, wherever the three are."""
    # Spark's own environment has it; this one need not.
    library = SimpleNamespace(StorageLevel=SimpleNamespace(MEMORY_AND_DISK="both"))
    monkeypatch.setitem(sys.modules, "pyspark", library)
    context = Context()
    cluster = spark.Cluster(context, s3.Location("bucket", RUN), 3)
    answers, repeated = cluster.survey(hashed, [0, 1, 2])
    assert answers == ["block 0", "block 1", "block 2"]
    assert repeated == 3
    assert context.tasks == [3]


def test_equal_hashes_go_to_the_same_task() -> None:
    """And every hash to one; a task without any gets nothing."""
    dealt = dict(spark._Dealer(4)((None, np.array([4, 8, 5, 2**64 - 1], np.uint64))))
    found = {task: np.frombuffer(data, np.uint64).tolist() for task, data in dealt.items()}
    assert found == {0: [4, 8], 1: [5], 3: [2**64 - 1]}


def test_work_is_cut_into_a_task_an_item() -> None:
    """Answers come in the order of the items; no items are no work, and Spark wants a task."""
    context = Context()
    cluster = spark.Cluster(context, s3.Location("bucket", RUN), 3)
    assert cluster.each(lambda item: item * 2, [1, 2, 3]) == [2, 4, 6]
    assert cluster.each(lambda item: item, []) == []
    assert context.tasks == [3, 1]


def test_a_file_of_the_run_is_read_back(store: Store) -> None:
    """As a machine has written it."""
    cluster = spark.Cluster(None, s3.Location("bucket", RUN), 2)
    cluster.writer()("preparation/test/part-00001.csv", memoryview(b"1,2\n"))
    assert cluster.read_back("preparation/test/part-00001.csv") == b"1,2\n"
