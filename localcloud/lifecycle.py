"""Starting, finding and stopping the local cloud.

The cloud is one detached gateway process (`python -m localcloud.gateway`), recorded in
`cloud.json` of the state directory. Everything it holds (buckets, stacks, executions, endpoints)
is in its memory: stopping it loses all of that, deliberately, and leaves only logs and job folders.
"""

import contextlib
import dataclasses
import fcntl
import functools
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

from localcloud import credentials, folders, process_identity
from localcloud.conditions import Conditions
from localcloud.credentials import Credentials
from localcloud.environment_variables import (
    BOUND_TO,
    HEALTH_PATH,
    STATE_FILE,
    client_environment,
    endpoint_url,
    isolated,
)

Progress = Callable[[str], None]

_START_SECONDS = 60.0
_STOP_SECONDS = 20.0


class CloudError(RuntimeError):
    """The local cloud could not be started or stopped; the message says why and what to do."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cloud:
    """A running local cloud.

    Attributes:
        home: Its state directory.
        port: The loopback port that answers for every service.
        pid: The gateway's process id.
        endpoint_url: `http://127.0.0.1:PORT`.
        region: The region clients use.
        account: The account everything is created in.
        credentials: The access key that its clients need.
        conditions: What it was started with, each as an option of `spine up`.
        sagemaker_runs: Whether its SageMaker process had not ended when the cloud was found. It is
            not started again: what it knew of models, jobs and endpoints is gone.
    """

    home: Path
    port: int
    pid: int
    endpoint_url: str
    region: str
    account: str
    credentials: Credentials
    conditions: tuple[str, ...] = ()
    sagemaker_runs: bool = dataclasses.field(default=True, compare=False)

    def environment(self) -> dict[str, str]:
        """Variables that point an AWS client at this cloud; `AWS_PROFILE` must be unset too."""
        return client_environment(self.port, self.credentials, region=self.region)

    def process_environment(self) -> dict[str, str]:
        """The whole environment for a child process that may only ever reach this cloud."""
        return isolated(os.environ) | self.environment()

    def client(self, service: str) -> Any:
        """A boto3 client of this cloud, whatever the person's own AWS set-up is."""
        with _session_lock:
            return _session().client(
                service,
                aws_access_key_id=self.credentials.access_key_id,
                aws_secret_access_key=self.credentials.secret_access_key,
                region_name=self.region,
                endpoint_url=self.endpoint_url,
                config=Config(
                    retries={"mode": "standard"},
                    s3={"addressing_style": "path"},
                    inject_host_prefix=False,
                    proxies={},
                ),
            )


# A session is not safe for threads while it builds a client; the clients are.
_session_lock = threading.Lock()


@functools.cache
def _session() -> Any:  # the stubs of boto3 know a service's client by the literal name only
    """One for all clients: it reads a service's description once, SageMaker's in 0.3 s."""
    # Where a session would look for a profile and its files: nowhere.
    nowhere = (None, None, os.devnull, None)
    variables = {
        "profile": (None, None, None, None),
        "config_file": nowhere,
        "credentials_file": nowhere,
    }
    return boto3.session.Session(botocore_session=botocore.session.Session(session_vars=variables))


def start(
    home: Path,
    *,
    port: int | None = None,
    on_progress: Progress = lambda _: None,
    sagemaker: Sequence[str] | None = None,
    conditions: Conditions | None = None,
) -> Cloud:
    """Start the local cloud, or find the one that runs.

    Args:
        home: State directory; made when missing.
        port: Port to listen on; a free one by default. Ignored when a cloud runs already.
        on_progress: Told in a few words what is being done.
        sagemaker: Command of the SageMaker process, for tests; `localcloud.sagemaker` by default.
        conditions: What the cloud is to be like. Ignored when a cloud runs already.

    Returns:
        The running cloud, healthy. Two calls at once return the same one.

    Raises:
        CloudError: It did not come up; the message holds the end of its log.
    """
    home = home.resolve()
    try:
        folders.prepare(home)
    except PermissionError as error:
        raise CloudError(
            f"{home} cannot be closed to other users: {error.strerror}. "
            "Take a folder of your own: SPINE_HOME names it."
        ) from error
    with _locked(home):
        found = running(home)
        if found:
            on_progress(f"The local cloud is running on {found.endpoint_url}")
            return found
        _end_remains(home)
        on_progress("Starting the local cloud")
        cloud = _spawn(home, port, sagemaker, conditions or Conditions())
        on_progress(f"The local cloud is running on {cloud.endpoint_url}")
        return cloud


def running(home: Path) -> Cloud | None:
    """The local cloud of a state directory, or None.

    A record left by a crash counts as none, and so does a cloud whose credentials are gone.
    """
    home = home.resolve()
    record = _record(home)
    if record is None or not process_identity.same(record["pid"], record["process_started"]):
        return None
    health = _health(record["port"])
    if health is None or health["instance"] != record["instance"]:
        return None
    own = credentials.read(home)
    if own is None:
        return None
    found = _cloud(home, record, own)
    return dataclasses.replace(found, sagemaker_runs=health["sagemaker"]["runs"])


def stop(home: Path) -> bool:
    """Stop the local cloud and wait until every process of it is gone.

    Returns:
        False when none was running.
    """
    home = home.resolve()
    if not home.exists():
        return False
    with _locked(home):
        return _end_remains(home)


def end_clouds_with_this_process() -> None:
    """Bind every cloud that this process and its children start from now on to this process.

    For what may be killed before it can stop what it started: tests and benchmarks.
    """
    os.environ[BOUND_TO] = str(os.getpid())


def _spawn(
    home: Path, port: int | None, sagemaker: Sequence[str] | None, conditions: Conditions
) -> Cloud:
    log = home / "logs" / "gateway.log"
    command = [sys.executable, "-m", "localcloud.gateway", "--home", str(home)]
    command += ["--port", str(port or 0), "--conditions", conditions.text()]
    if sagemaker is not None:
        command += ["--sagemaker", json.dumps(list(sagemaker))]
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=isolated(os.environ),
            # Not the caller's directory: with -m it would come first on the import path.
            cwd=home,
            start_new_session=True,
        )
    deadline = time.monotonic() + _START_SECONDS
    while True:
        record = _record(home)
        own = credentials.read(home)
        if record and own and record["pid"] == process.pid and _health(record["port"]):
            return _cloud(home, record, own)
        if process.poll() is not None or time.monotonic() > deadline:
            _kill_group(process.pid)
            process.wait()
            raise CloudError(
                f"The local cloud did not start. The end of {log}:\n{folders.tail(log)}"
            )
        time.sleep(0.03)


def _end_remains(home: Path) -> bool:
    """End the recorded gateway, healthy or not, and whatever a crashed one left behind."""
    record = _record(home)
    if record is None:
        folders.remove_temporary(home)
        return False
    pid: int = record["pid"]
    alive = process_identity.same(pid, record["process_started"])
    if alive:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        while time.monotonic() < deadline and process_identity.same(pid, record["process_started"]):
            _reap(pid)
            time.sleep(0.02)
        # The functions' processes are in the gateway's group, SageMaker leads its own.
        _kill_group(pid)
    sagemaker = record.get("sagemaker_pid")
    if sagemaker and process_identity.same(sagemaker, record.get("sagemaker_started")):
        _kill_group(sagemaker)
    (home / STATE_FILE).unlink(missing_ok=True)
    folders.remove_temporary(home)
    return alive


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while process_identity.start_mark(group) and time.monotonic() < deadline:
        _reap(group)
        time.sleep(0.01)


def _reap(pid: int) -> None:
    """Collect a child that ended, when it was this very process that started it."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _record(home: Path) -> dict[str, Any] | None:
    try:
        record = json.loads((home / STATE_FILE).read_text())
    except (FileNotFoundError, ValueError):
        return None
    needed = {"pid", "port", "instance", "process_started"}
    return record if isinstance(record, dict) and needed <= record.keys() else None


def _health(port: int) -> dict[str, Any] | None:
    # Opened without the environment's proxies: they cannot reach this machine's loopback.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(endpoint_url(port) + HEALTH_PATH, timeout=5) as answer:
            health: dict[str, Any] = json.load(answer)
    except (OSError, ValueError, urllib.error.URLError):
        return None
    return health if "instance" in health else None


def _cloud(home: Path, record: dict[str, Any], own: Credentials) -> Cloud:
    return Cloud(
        home=home,
        port=record["port"],
        pid=record["pid"],
        endpoint_url=endpoint_url(record["port"]),
        region=record["region"],
        account=record["account"],
        credentials=own,
        conditions=tuple(record.get("conditions", ())),
    )


@contextlib.contextmanager
def _locked(home: Path) -> Iterator[None]:
    """Let one process at a time start or stop the cloud of a state directory."""
    with (home / "cloud.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
