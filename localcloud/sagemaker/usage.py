"""What a job's processes take of this machine, as Linux accounts for it; elsewhere nothing is told.

SageMaker shows an instance's use as metrics in percent of it. Here a job's log ends with the
figures themselves, as a function's does on Lambda: an instance is no machine of its own.
"""

import os
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, Self, TypeVar

_PROC = Path("/proc")
# Seconds between two looks: soon at first, since most jobs are short.
_SOONEST, _LATEST = 0.2, 1.0
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")

K = TypeVar("K")


def peak(pid: int) -> int | None:
    """Return the most bytes a process has had resident; None where that is not known.

    A process that was forked begins with what it shares with the one that it was forked from.
    """
    with suppress(OSError, StopIteration):
        status = (_PROC / str(pid) / "status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) << 10
    return None


@dataclass
class Use:
    """What the processes of one session have taken so far.

    Attributes:
        seconds: Of the processor.
        memory: Bytes resident at once, at most; a page that several share counts once.
    """

    seconds: float = 0.0
    memory: int = 0

    def __str__(self) -> str:
        """Say it for a log."""
        return (
            f"The processes of this host took {self.seconds:.1f} s of processor time and, at most,"
            f" {self.memory / 2**20:.0f} MiB of memory."
        )


@dataclass
class Watch(Generic[K]):
    """Looks at sessions every now and then, from entering to leaving.

    A process that comes and goes between two looks is not seen, nor is the end of the last one.

    Attributes:
        leaders: Ids of the processes that lead a session each.
        used: What they have taken; empty where nothing is told.
    """

    leaders: Mapping[K, int]
    used: dict[K, Use] = field(default_factory=dict)
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread = field(init=False)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread = threading.Thread(target=self._run, name="usage", daemon=True)
        if (_PROC / "self" / "stat").exists():
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        begun = time.monotonic()
        while not self._ended.wait(min(_LATEST, max(_SOONEST, time.monotonic() - begun))):
            self._look()

    def _look(self) -> None:
        keys = {leader: key for key, leader in self.leaders.items()}
        now: dict[K, Use] = {}
        for folder in _PROC.iterdir():
            if not folder.name.isdigit():
                continue
            # It may end meanwhile.
            with suppress(OSError, ValueError):
                # https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html from the third on: the
                # second is a name, in brackets, that may hold anything.
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                key = keys.get(int(fields[3]))
                if key is None:
                    continue
                use = now.setdefault(key, Use())
                # Its own and those of its children that have ended, user's and system's.
                use.seconds += sum(map(int, fields[11:15])) / _TICKS
                use.memory += _share(folder, int(fields[21]) * _PAGE)
                alone = peak(int(folder.name)) or 0
                known = self.used.setdefault(key, Use())
                known.memory = max(known.memory, alone)
        for key, use in now.items():
            known = self.used[key]
            known.seconds = max(known.seconds, use.seconds)
            known.memory = max(known.memory, use.memory)


def _share(folder: Path, resident: int) -> int:
    """A process's memory, of shared pages its share."""
    with suppress(OSError):
        for line in (folder / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) << 10
    return resident
