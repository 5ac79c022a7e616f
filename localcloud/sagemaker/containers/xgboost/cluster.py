"""Distributed training: the job's hosts joined by XGBoost's own collective."""

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from localcloud.sagemaker.containers.xgboost.errors import AlgorithmError, UserError
from localcloud.sagemaker.containers.xgboost.library import xgboost as xgb

# How long hosts wait for the first of them, which starts with them and loads its data first.
_SECONDS = 3600.0
_PAUSE = 0.01


@dataclass(frozen=True)
class Cluster:
    """The hosts of a job that train, as one of them sees them."""

    hosts: tuple[str, ...]
    current: str

    @property
    def distributed(self) -> bool:
        """Whether there are several."""
        return len(self.hosts) > 1

    @property
    def first(self) -> bool:
        """Whether this is the host that saves the model."""
        return self.hosts[0] == self.current

    def any(self, flag: bool) -> bool:
        """Whether a flag is set on any host; every host must ask."""
        if not self.distributed:
            return flag
        flags = np.array([int(flag)], np.int32)
        return bool(xgb.collective.allreduce(flags, xgb.collective.Op.MAX)[0])


@contextmanager
def join(resources: dict[str, Any], *, has_data: bool) -> Iterator[Cluster | None]:
    """Joins the other hosts that have data.

    As in the real container, every host first says whether it has any, and those without take no
    part: with ShardedByS3Key and fewer objects than hosts some get none.

    Args:
        resources: The content of `resourceconfig.json`.
        has_data: Whether this host has rows to train on.

    Yields:
        The hosts that train; None when this is none of them.

    Raises:
        UserError: No host has data.
        AlgorithmError: The hosts do not find each other.
    """
    hosts: list[str] = resources.get("hosts", ["algo-1"])
    current: str = resources.get("current_host", "algo-1")
    if len(hosts) == 1:
        if not has_data:
            raise UserError("No data in the train channel")
        yield Cluster((current,), current)
        return
    flags = np.zeros(len(hosts), np.int32)
    flags[hosts.index(current)] = has_data
    with _collective(hosts, current, "tracker"):
        flags = xgb.collective.allreduce(flags, xgb.collective.Op.MAX)
    training = [host for host, flag in zip(hosts, flags, strict=True) if flag]
    if not training:
        raise UserError("No data in the train channel of any host")
    if current not in training:
        yield None
    elif len(training) == 1:
        yield Cluster((current,), current)
    else:
        with _collective(training, current, "tracker-of-training"):
            yield Cluster(tuple(training), current)


@contextmanager
def _collective(hosts: Sequence[str], current: str, name: str) -> Iterator[None]:
    """A collective of `hosts`, whose first runs the tracker and tells the others its address.

    On AWS hosts find each other by name in a network of their own. Here they are processes that
    share a folder, and the port is whichever is free on the loopback interface.
    """
    meeting = Path(os.environ["SAGEMAKER_CLUSTER_DIR"]) / f"{name}.json"
    tracker = None
    if current == hosts[0]:
        tracker = xgb.tracker.RabitTracker(n_workers=len(hosts), host_ip="127.0.0.1", sortby="task")
        tracker.start()
        arguments = tracker.worker_args()
        unfinished = meeting.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(arguments))
        unfinished.replace(meeting)
    else:
        arguments = _address(meeting, hosts[0])
    # Ranks follow the order of the hosts.
    task = f"{hosts.index(current):04d}"
    with xgb.collective.CommunicatorContext(**arguments, DMLC_TASK_ID=task):
        yield
    if tracker is not None:
        tracker.wait_for(60)


def _address(meeting: Path, host: str) -> dict[str, Any]:
    deadline = time.monotonic() + _SECONDS
    while not meeting.exists():
        if time.monotonic() > deadline:
            raise AlgorithmError(f"{host} has not started its tracker within {_SECONDS:g} seconds")
        time.sleep(_PAUSE)
    arguments: dict[str, Any] = json.loads(meeting.read_text())
    return arguments
