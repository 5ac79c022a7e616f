"""The command line `spine`: the local cloud, and runs of the pipeline on it."""

import io
import sys


def main() -> None:
    """Run the command line; the entry point of the `spine` script."""
    from spine.app import app

    for stream in (sys.stdout, sys.stderr):
        # A log may hold any character; a terminal that cannot show it gets a question mark.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    app()
