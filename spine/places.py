"""Where the project and its local state are."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def home() -> Path:
    """The folder of everything the local cloud keeps: `SPINE_HOME`, or `.spine` in the project."""
    chosen = os.environ.get("SPINE_HOME")
    return Path(chosen).expanduser().resolve() if chosen else ROOT / ".spine"


def shown(path: Path) -> str:
    """A path as a person types it here: relative to the current folder when it lies below."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
