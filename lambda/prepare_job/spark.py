"""Spark as the several machines of `data_prep.spread`; blocks and files travel by S3.

The driver runs on the job's first instance. Executors import this code from the same folder of
their own instance, where SageMaker has put the archive on each of them.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..common import aws, s3

if TYPE_CHECKING:
    from pyspark import SparkContext

T = TypeVar("T")
R = TypeVar("R")
Hashes = NDArray[np.uint64]

_UPLOADS = 8
# What an executor's process must know, and YARN does not hand on by itself.
_HANDED_ON = (
    "PYTHONPATH",
    "TMPDIR",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
)
# Shares of an instance's memory for the JVM and for Python beside it. The rest is for the driver,
# HDFS and YARN, which share the first instance with an executor.
_JVM, _PYTHON = 0.3, 0.3
_MOST_DELETED = 1000


@dataclass
class Cluster:
    """A Spark cluster, and the folder of the run that its machines exchange blocks through.

    Attributes:
        context: Spark's.
        folder: Of the run.
        machines: How many instances there are, or how many will read the shards.
    """

    context: "SparkContext"
    folder: s3.Location
    machines: int
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(_UPLOADS))
    _uploads: deque[Future[None]] = field(default_factory=deque)

    @classmethod
    def of(cls, plan: dict[str, Any]) -> Self:
        """Start Spark for a run."""
        from pyspark import SparkConf, SparkContext

        conf = SparkConf().setAppName(plan["run"]["name"])
        conf.set("spark.ui.enabled", "false")
        # A byte a row comes back to the driver, which has the memory for it.
        conf.set("spark.driver.maxResultSize", "0")
        for name in _HANDED_ON:
            if value := os.environ.get(name):
                conf.set(f"spark.executorEnv.{name}", value)
        if conf.get("spark.master") == "yarn":
            megabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
            conf.set("spark.executor.memory", f"{int(megabytes * _JVM)}m")
            conf.set("spark.executor.memoryOverhead", f"{int(megabytes * _PYTHON)}m")
            conf.set("spark.executor.cores", str(os.cpu_count() or 1))
            conf.set("spark.executor.instances", str(plan["preparation"]["instance_count"]))
        folder = s3.Location(plan["bucket"], plan["prefix"])
        return cls(SparkContext(conf=conf), folder, plan["preparation"]["shards"])

    def __enter__(self) -> Self:
        """Return this."""
        return self

    def __exit__(self, *error: object) -> None:
        """Delete what was exchanged, and stop Spark."""
        self._pool.shutdown(cancel_futures=True)
        try:
            self._delete("preparation/blocks/", "preparation/test/", "preparation/batch-in/")
        finally:
            self.context.stop()

    def put(self, number: int, data: bytes) -> None:
        """Upload a block, while the next one is cut."""
        while len(self._uploads) >= _UPLOADS:
            self._uploads.popleft().result()
        place = self.folder.join(_block(number))
        self._uploads.append(
            self._pool.submit(s3.write, place, data, content_type="application/octet-stream")
        )

    def reader(self) -> Callable[[int], bytes]:
        """Return what downloads a block, once all of them are there."""
        while self._uploads:
            self._uploads.popleft().result()
        return _Reader(self.folder)

    def writer(self) -> Callable[[str, memoryview], None]:
        """Return what uploads a file of the run, once those of an earlier attempt are gone."""
        self._delete("train/", "validate/")
        return _Writer(self.folder)

    def read_back(self, path: str) -> bytes:
        """Download a file of the run."""
        return s3.read(self.folder.join(path))

    def survey(
        self, function: Callable[[T], tuple[R, Hashes]], items: Sequence[T]
    ) -> tuple[list[R], int]:
        """Call a function on every item, one a task; count the repeated hashes by a shuffle."""
        from pyspark import StorageLevel

        tasks = len(items) or 1
        found = self.context.parallelize(items, tasks).map(function)
        found.persist(StorageLevel.MEMORY_AND_DISK)
        answers = found.map(_answer).collect()
        repeated = found.flatMap(_Dealer(tasks)).groupByKey(tasks).map(_repeated).sum()
        found.unpersist()
        return answers, int(repeated)

    def each(self, function: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """Call a function on every item, one a task."""
        answers: list[R] = self.context.parallelize(items, len(items) or 1).map(function).collect()
        return answers

    def _delete(self, *folders: str) -> None:
        client = aws.client("s3")
        for folder in folders:
            pages = client.get_paginator("list_objects_v2").paginate(
                Bucket=self.folder.bucket,
                Prefix=self.folder.join(folder).key,
                PaginationConfig={"PageSize": _MOST_DELETED},
            )
            for page in pages:
                for found in page.get("Contents", []):
                    client.delete_object(Bucket=self.folder.bucket, Key=found["Key"])


def _block(number: int) -> str:
    return f"preparation/blocks/{number:05}"


@dataclass(frozen=True)
class _Reader:
    folder: s3.Location

    def __call__(self, number: int) -> bytes:
        return s3.read(self.folder.join(_block(number)))


@dataclass(frozen=True)
class _Writer:
    folder: s3.Location

    def __call__(self, path: str, data: memoryview) -> None:
        s3.write(self.folder.join(path), bytes(data), content_type="text/csv")


@dataclass(frozen=True)
class _Dealer:
    """Deals a block's hashes out to as many tasks, equal ones to the same."""

    tasks: int

    def __call__(self, both: tuple[object, Hashes]) -> Iterator[tuple[int, bytes]]:
        hashes = both[1]
        to = hashes % np.uint64(self.tasks)
        for task in range(self.tasks):
            mine = hashes[to == task]
            if len(mine):
                yield task, mine.tobytes()


def _answer(both: tuple[R, Hashes]) -> R:
    return both[0]


def _repeated(dealt: tuple[int, Sequence[bytes]]) -> int:
    hashes = np.concatenate([np.frombuffer(each, np.uint64) for each in dealt[1]])
    hashes.sort()
    return int(np.count_nonzero(hashes[1:] == hashes[:-1]))
