"""The access key of one local cloud, which its state directory keeps.

It is random, so that nobody who cannot read the state directory can call the cloud (see
`localcloud.gateway.door`), and it stays from one start to the next, so that a shell with the
variables of `spine env` stays usable.
"""

import dataclasses
import json
import secrets
from pathlib import Path

FILE = "credentials.json"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Credentials:
    """An access key.

    Attributes:
        access_key_id: `SPINE` and 160 random bits, base 16; no AWS key looks like it.
        secret_access_key: 240 random bits.
    """

    access_key_id: str
    secret_access_key: str = dataclasses.field(repr=False)


def read(home: Path) -> Credentials | None:
    """The credentials of a state directory, or None when it has none that can be read."""
    try:
        found = json.loads((home / FILE).read_text())
        return Credentials(**found)
    except (FileNotFoundError, ValueError, TypeError):
        return None


def make(home: Path) -> Credentials:
    """The credentials of a state directory, generated unless it has them."""
    found = read(home)
    if found is not None:
        return found
    made = Credentials(
        access_key_id=f"SPINE{secrets.token_hex(20).upper()}",
        secret_access_key=secrets.token_urlsafe(30),
    )
    partial = home / f"{FILE}.partial"
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600, exist_ok=False)
    partial.write_text(json.dumps(dataclasses.asdict(made)))
    partial.replace(home / FILE)
    return made
