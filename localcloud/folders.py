"""The state directory (`.spine`) and what of it lives only as long as the cloud.

It holds the cloud's credentials and whatever the cloud's functions and jobs read: nobody but its
owner may look into it. Everything temporary is in its folder `tmp`, functions' code included, so
that the next start or stop removes what a killed cloud has left.
"""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

# sun_path holds 108 bytes on Linux and 104 on macOS, the closing NUL included.
_LONGEST_SOCKET_PATH = 100
# The longest path of a socket in a state directory: those of model servers are numbered.
_LONGEST_SOCKET = "jobs/.sockets/99999999"
# Points to the folder of the sockets where the state directory's own path is too long for them.
_SOCKETS = "sockets"
_SHORT_PREFIX = "spine-"


def prepare(home: Path) -> None:
    """Make a state directory that only its owner can open, or close an existing one to others.

    Raises:
        PermissionError: It belongs to somebody else.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if home.stat().st_mode & 0o077:
        home.chmod(0o700)
    (home / "logs").mkdir(exist_ok=True)


def temporary(home: Path) -> Path:
    """The folder for everything temporary of a cloud's processes."""
    return home / "tmp"


def make_temporary(home: Path) -> None:
    """Give a cloud that starts its temporary folder, empty."""
    remove_temporary(home)
    temporary(home).mkdir(mode=0o700, exist_ok=True)


def remove_temporary(home: Path) -> None:
    """Remove what a cloud had in its temporary folder and its folder of sockets, if it has any."""
    # A process that is just ending may still write; what it leaves goes the next time.
    shutil.rmtree(temporary(home), ignore_errors=True)
    link = home / _SOCKETS
    with contextlib.suppress(FileNotFoundError):
        folder = link.readlink()
        if folder.name.startswith(_SHORT_PREFIX):
            shutil.rmtree(folder, ignore_errors=True)
        link.unlink()


def socket_folder(home: Path) -> Path:
    """A folder whose path is short enough for Unix sockets: the state directory's, or another.

    The other one has a random name, and the state directory remembers it.
    """
    if len(os.fsencode(home / _LONGEST_SOCKET)) <= _LONGEST_SOCKET_PATH:
        return home
    # Not in the cloud's own temporary folder, which would be as long.
    folder = Path(tempfile.mkdtemp(prefix=_SHORT_PREFIX, dir=_system_temporary()))
    (home / _SOCKETS).symlink_to(folder)
    return folder


def tail(path: Path, lines: int = 25) -> str:
    """The last lines of a log, or a note that there are none."""
    try:
        text = path.read_text(errors="replace")
    except FileNotFoundError:
        return "(there is no log)"
    return "\n".join(text.splitlines()[-lines:]) or "(the log is empty)"


def _system_temporary() -> str:
    return "/tmp" if Path("/tmp").is_dir() else tempfile.gettempdir()  # noqa: S108 (mkdtemp's)
