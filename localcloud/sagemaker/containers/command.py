"""Runs any command as a container: `python -m ...containers.command FILE`.

The file holds `command`, `environment` and `folder`. This process becomes the command, so that its
end and its signals are the command's; a guard stays beside it and ends whatever is left of its
group when the process that started it closes the pipe or ends.
"""

import json
import os
import signal
import sys
from pathlib import Path

from localcloud.sagemaker.containers import guard

# What a shell answers when there is no such command.
_NOT_FOUND = 127


def main() -> int:
    """Becomes the command; returns only if there is none."""
    told = json.loads(Path(sys.argv[1]).read_text())
    if os.fork() == 0:
        # The group is told to end before it is made to: the guard stays for the second.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        guard.watch()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.chdir(told["folder"])
    command = told["command"]
    try:
        os.execvpe(command[0], command, told["environment"])  # noqa: S606 (what the job asks for)
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        return _NOT_FOUND


if __name__ == "__main__":
    sys.exit(main())
