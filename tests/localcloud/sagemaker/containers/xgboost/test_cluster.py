"""Hosts of a job: which of them train, and which saves the model."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost

from localcloud.sagemaker.containers.xgboost import cluster
from localcloud.sagemaker.containers.xgboost.cluster import Cluster
from localcloud.sagemaker.containers.xgboost.errors import AlgorithmError, UserError

HOSTS = ("algo-1", "algo-2", "algo-3")
Joined = list[tuple[str, ...]]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Joined]:
    """Say which hosts have data; what is returned lists the collectives that are joined."""

    def tell(*with_data: str) -> Joined:
        joined: Joined = []

        @contextmanager
        def collective(hosts: Sequence[str], current: str, name: str) -> Iterator[None]:
            assert current in hosts
            joined.append((name, *hosts))
            yield

        def largest(mine: np.ndarray[Any, Any], operation: object) -> np.ndarray[Any, Any]:
            assert operation == xgboost.collective.Op.MAX
            others = np.array([host in with_data for host in HOSTS], np.int32)
            found: np.ndarray[Any, Any] = np.maximum(mine, others)
            return found

        monkeypatch.setattr(cluster, "_collective", collective)
        monkeypatch.setattr(xgboost.collective, "allreduce", largest)
        return joined

    return tell


def seen_by(host: str, *, has_data: bool) -> Cluster | None:
    """The cluster as a host sees it."""
    resources = {"hosts": list(HOSTS), "current_host": host}
    with cluster.join(resources, has_data=has_data) as joined:
        return joined


@pytest.mark.parametrize("resources", [{}, {"hosts": ["algo-1"], "current_host": "algo-1"}])
def test_the_only_host_joins_nobody(resources: dict[str, Any]) -> None:
    """It saves the model, and a flag is its own."""
    with cluster.join(resources, has_data=True) as joined:
        assert joined == Cluster(("algo-1",), "algo-1")
        assert joined.first
        assert not joined.distributed
        assert (joined.any(flag=True), joined.any(flag=False)) == (True, False)


def test_the_only_host_needs_data() -> None:
    """In the container's words."""
    with (
        pytest.raises(UserError, match=r"^No data in the train channel$"),
        cluster.join({}, has_data=False),
    ):
        pytest.fail("there is nothing to train on")


def test_hosts_with_data_train_together(told: Callable[..., Joined]) -> None:
    """Those without take no part; the first of the others saves."""
    joined = told("algo-2", "algo-3")
    assert seen_by("algo-1", has_data=False) is None
    second, third = seen_by("algo-2", has_data=True), seen_by("algo-3", has_data=True)
    assert second == Cluster(("algo-2", "algo-3"), "algo-2")
    assert third == Cluster(("algo-2", "algo-3"), "algo-3")
    assert second is not None
    assert third is not None
    assert (second.first, third.first) == (True, False)
    assert second.distributed
    everybody = ("tracker", *HOSTS)
    some = ("tracker-of-training", "algo-2", "algo-3")
    assert joined == [everybody, everybody, some, everybody, some]


def test_the_one_host_that_has_data_trains_alone(told: Callable[..., Joined]) -> None:
    """It waits for no other any more."""
    joined = told("algo-2")
    assert seen_by("algo-2", has_data=True) == Cluster(("algo-2",), "algo-2")
    assert seen_by("algo-3", has_data=False) is None
    assert joined == [("tracker", *HOSTS)] * 2


def test_data_on_no_host_is_the_users_error(told: Callable[..., Joined]) -> None:
    """Every host says so, rather than waiting for the others."""
    told()
    for host in HOSTS:
        with pytest.raises(UserError, match="No data in the train channel of any host"):
            seen_by(host, has_data=False)


def test_a_flag_of_any_host_is_everybodys(told: Callable[..., Joined]) -> None:
    """As when one of them has been told to stop."""
    told("algo-1")
    assert Cluster(HOSTS, "algo-2").any(flag=False)
    told()
    assert not Cluster(HOSTS, "algo-2").any(flag=False)


def test_a_host_waits_for_the_address_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes what is written as soon as it is there."""
    meeting = tmp_path / "tracker.json"
    written = {"dmlc_tracker_uri": "127.0.0.1", "dmlc_tracker_port": 9}
    monkeypatch.setattr("time.sleep", lambda _: meeting.write_text(json.dumps(written)))
    assert cluster._address(meeting, "algo-1") == written


def test_a_first_host_that_never_comes_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An hour is enough to load data; the job fails then and does not hang."""
    now = [0.0]

    def sleep(_: float) -> None:
        now[0] += 1800

    monkeypatch.setattr("time.monotonic", lambda: now[0])
    monkeypatch.setattr("time.sleep", sleep)
    with pytest.raises(AlgorithmError, match=r"^algo-1 has not started its tracker within 3600 s"):
        cluster._address(tmp_path / "tracker.json", "algo-1")
    assert now[0] == 5400
