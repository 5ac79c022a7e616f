"""Telling one process from another that got its number later."""

import subprocess
from pathlib import Path


def start_mark(pid: int) -> str | None:
    """When a process started, in whatever unit the system gives; None when there is none.

    One that ended but was not collected yet (a zombie) counts as none.

    A process id alone may have been given away again after a crash or a reboot. Linux counts clock
    ticks since boot in field 22 of `/proc/PID/stat`; elsewhere `ps` says when.
    """
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            # The second field is the command's name in parentheses and may hold anything.
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        return None if fields[0] == "Z" else f"{_boot_id()}:{fields[19]}"
    found = subprocess.run(  # noqa: S603 - no shell, a number as the argument
        ["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or None


def same(pid: int, mark: str | None) -> bool:
    """Tell whether `pid` is still the process that `mark` was taken from."""
    return mark is not None and start_mark(pid) == mark


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except FileNotFoundError:
        return ""
