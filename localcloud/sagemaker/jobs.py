"""What every kind of job shares: its folder, its thread, stopping and waiting."""

import json
import queue
import re
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from botocore.exceptions import ClientError

from localcloud.sagemaker import usage
from localcloud.sagemaker.child_processes import Process, Processes
from localcloud.sagemaker.concurrency import ConcurrencyLimit
from localcloud.sagemaker.connection import Connection
from localcloud.sagemaker.errors import invalid
from localcloud.sagemaker.logs import Logs
from localcloud.sagemaker.metrics import Metrics
from localcloud.sagemaker.records import Record, Store
from localcloud.sagemaker.settings import Settings
from localcloud.sagemaker.storage import Storage

# The path of a socket has room for 103 bytes on macOS; here a number follows the folder.
_LONGEST_SOCKET_FOLDER = 90
# Threads cannot wait longer than this at once, and no job may run so long.
_LONGEST_WAIT = 30 * 86_400.0
# Seconds in which no job has begun or ended, after which one more goes ahead: long jobs come to run
# side by side, and a job that waits for another one's end cannot keep it from beginning.
_STALL_SECONDS = 5.0
# What a training container finds below /opt/ml.
_LAYOUT = ("input/config", "input/data", "model", "output/data")


class Stopped(Exception):  # noqa: N818 (no error: the client asked for it)
    """The job has been told to stop."""


@dataclass
class Platform:
    """What resources need to run things: one for the whole process."""

    settings: Settings
    store: Store = field(init=False)
    storage: Storage = field(init=False)
    logs: Logs = field(init=False)
    metrics: Metrics = field(init=False)
    processes: Processes = field(default_factory=Processes)
    closing: threading.Event = field(default_factory=threading.Event)
    sockets: Path = field(init=False)
    # Whose processes compute, and whose are starting: more at once than there are cores would only
    # take more memory and longer.
    computing: ConcurrencyLimit = field(init=False)
    starting: ConcurrencyLimit = field(init=False)

    def __post_init__(self) -> None:
        self.settings.jobs.mkdir(parents=True, exist_ok=True)
        self.store = Store(
            region=self.settings.region,
            account=self.settings.account,
            lag=self.settings.consistency_lag,
        )
        self.storage = Storage(self.settings)
        connection = Connection(self.settings)
        self.logs = Logs(connection)
        self.metrics = Metrics(connection)
        most = self.settings.concurrent_jobs
        self.computing = ConcurrencyLimit(most, stall_seconds=_STALL_SECONDS)
        self.starting = ConcurrencyLimit(most, stall_seconds=_STALL_SECONDS)
        self.sockets = self.settings.jobs / ".sockets"
        if len(str(self.sockets)) > _LONGEST_SOCKET_FOLDER:
            self.sockets = Path(
                tempfile.mkdtemp(prefix="sagemaker-", dir=self.settings.short_folder)
            )
        # A process that was killed has left its own.
        shutil.rmtree(self.sockets, ignore_errors=True)
        self.sockets.mkdir()

    def storage_of(self, role: str | None) -> Storage:
        """S3 as a role sees it, or as this process does where roles are not assumed.

        A new session each time: an hour later the last one would have expired.

        Raises:
            ApiError: The role cannot be assumed.
        """
        if not self.settings.assume_roles:
            return self.storage
        try:
            return Storage(self.settings, role)
        except ClientError as error:
            raise invalid(
                f"Could not assume role {role}. Please ensure that the role exists and allows "
                f"principal 'sagemaker.amazonaws.com' to assume the role. ({error})"
            ) from error

    def folder(self, record: Record, layout: Sequence[str] = _LAYOUT) -> Path:
        """A new, empty job folder with the container's layout, kept after the job.

        A resource deleted and made again keeps the folder of its name: the older one is removed.
        """
        folder = self.settings.jobs / record.kind.segment / record.name
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        for part in layout:
            (folder / part).mkdir(parents=True)
        return folder

    def hosts(self, record: Record, count: int, layout: Sequence[str] = _LAYOUT) -> list["Host"]:
        """The hosts of a job, each with a new, empty folder that has the container's layout.

        The only host of a job has the job's folder itself; several have one each in it.
        """
        if count == 1:
            return [Host("algo-1", self.folder(record, layout))]
        folder = self.folder(record, ())
        hosts = [
            Host(f"algo-{number}", folder / f"algo-{number}") for number in range(1, count + 1)
        ]
        for host in hosts:
            for part in layout:
                (host.folder / part).mkdir(parents=True)
        return hosts

    def start(self, record: Record, run: Callable[[], None]) -> None:
        """Runs a job's life in a thread of its own."""
        name = f"{record.kind.segment}/{record.name}"
        threading.Thread(target=run, name=name, daemon=True).start()

    def close(self) -> None:
        """Ends everything that runs."""
        self.closing.set()
        for record in self.store.records():
            if isinstance(record.runtime, Job):
                record.runtime.stopping.set()
        self.computing.wake()
        self.starting.wake()
        self.processes.close()
        self.logs.close()
        shutil.rmtree(self.sockets, ignore_errors=True)


@dataclass(frozen=True)
class Host:
    """One instance of a job: a name that its container knows it by, and a folder."""

    name: str
    folder: Path


@dataclass(frozen=True)
class Ended:
    """How a job's processes ended.

    Attributes:
        host: The first that failed, or the first of all.
        code: Its exit code; negative: the signal.
        late: Whether they were stopped because their time had run out.
    """

    host: Host
    code: int
    late: bool


class Job:
    """A running job, as seen by the client's calls that stop it."""

    def __init__(self, platform: Platform, folder: Path) -> None:
        self.platform = platform
        self.folder = folder
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._processes: list[Process] = []

    def pause(self, delay: str) -> None:
        """Waits as long as the setting `delay` says.

        Raises:
            Stopped: The job has been told to stop, before or meanwhile.
        """
        if self.linger(delay):
            raise Stopped

    def linger(self, delay: str) -> bool:
        """Waits as `pause` does; says whether the job has been told to stop."""
        return self.stopping.wait(self.platform.settings.delay(delay))

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Waits for the job's slot on this machine's cores and holds it.

        Raises:
            Stopped: The job has been told to stop before it came.
        """
        with self.platform.computing.slot(self.stopping.is_set) as taken:
            if not taken:
                raise Stopped
            yield

    def attach(self, process: Process) -> None:
        """Makes `stop` stop this process too, at once if the job has already been stopped."""
        with self._lock:
            self._processes.append(process)
            stopping = self.stopping.is_set()
        if stopping:
            process.stop(self.platform.settings.stop_grace)

    def stop(self) -> None:
        """Tells the job to stop: SIGTERM to its processes, SIGKILL after the grace time."""
        with self._lock:
            self.stopping.set()
            processes = list(self._processes)
        self.platform.computing.wake()
        for process in processes:
            process.stop(self.platform.settings.stop_grace)

    def wait(self, processes: Mapping[Host, Process], seconds: float) -> Ended:
        """Waits for the end of every process; when one fails the others are killed.

        Args:
            processes: One a host.
            seconds: How long they may take; then they are stopped as `stop` does.
        """
        with usage.Watch({host: process.pid for host, process in processes.items()}) as watch:
            ended = self._ends(processes, seconds)
        for host, use in watch.used.items():
            with suppress(OSError), (host.folder / "log").open("a") as log:
                log.write(f"{use}\n")
        return ended

    def _ends(self, processes: Mapping[Host, Process], seconds: float) -> Ended:
        ended: queue.Queue[tuple[Host, int]] = queue.Queue()

        def watch(host: Host, process: Process) -> None:
            code = process.wait() or 0
            process.release()
            ended.put((host, code))

        for host, process in processes.items():
            threading.Thread(target=watch, args=(host, process), daemon=True).start()
        deadline = time.monotonic() + seconds
        late = False
        failed: tuple[Host, int] | None = None
        for _ in processes:
            try:
                left = None if late else max(0.0, min(deadline - time.monotonic(), _LONGEST_WAIT))
                host, code = ended.get(timeout=left)
            except queue.Empty:
                late = True
                for process in processes.values():
                    process.stop(self.platform.settings.stop_grace)
                host, code = ended.get()
            if code != 0 and failed is None:
                failed = host, code
                if not late and not self.stopping.is_set():
                    # The others may wait for it without end.
                    for process in processes.values():
                        process.signal(signal.SIGKILL)
        first, code = failed or (next(iter(processes)), 0)
        return Ended(first, code, late)

    def log(self, line: str) -> None:
        """Adds a line of the platform to the job's log."""
        with suppress(OSError), (self.folder / "log").open("a") as log:
            log.write(f"{line}\n")


def write_hosts(hosts: Sequence[Host], instance_type: str, config: str) -> None:
    """Writes each host's `resourceconfig.json`, in the folder `config` of its own.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html
    """
    names = [host.name for host in hosts]
    group = {
        "instance_group_name": "homogeneousCluster",
        "instance_type": instance_type,
        "hosts": names,
    }
    for host in hosts:
        content = {
            "current_host": host.name,
            "hosts": names,
            "network_interface_name": "lo",
            "current_instance_type": instance_type,
            "current_group_name": "homogeneousCluster",
            "instance_groups": [group],
        }
        (host.folder / config / "resourceconfig.json").write_text(json.dumps(content))


def failure_reason(folder: Path) -> str:
    """What the container wrote about its failure; AWS keeps the first 1024 characters."""
    with suppress(OSError):
        text = (folder / "output" / "failure").read_text(errors="replace")[:1024]
        return re.sub(r"\s+$", "", text)
    return ""
