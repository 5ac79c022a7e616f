"""What `spine env` prints for a shell: the local cloud's variables, and the way back. Pure.

What is set for AWS already would go past the local cloud: a profile, an endpoint of a single
service. It is kept in one variable of the shell, from which `spine env --unset` brings it back.
"""

import json
import shlex
from collections.abc import Iterable, Mapping

# Holds, as JSON, the values of the variables that were replaced or taken away.
REPLACED = "SPINE_REPLACED"

# What may point at a real account, or past the one endpoint, beside the local cloud's own
# variables. Source: AWS SDKs and Tools Reference Guide, environment variables.
_FOREIGN = (
    *("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"),
    *("AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_WEB_IDENTITY_TOKEN_FILE"),
    *("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
    *("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "AWS_USE_FIPS_ENDPOINT"),
    "AWS_USE_DUALSTACK_ENDPOINT",
)
# Of single services: it comes before the one for all.
_OF_A_SERVICE = "AWS_ENDPOINT_URL_"


def entering(variables: Mapping[str, str], environment: Mapping[str, str]) -> list[str]:
    """Return the lines that point a shell at the local cloud and nowhere else.

    Args:
        variables: The local cloud's.
        environment: The shell's.
    """
    kept = _kept(environment)
    gone = _foreign(environment).difference(variables)
    # Of a shell that has been here before, the cloud's own are none of its own.
    ours = set(variables) if REPLACED in environment else set[str]()
    for name in (gone | set(variables)) & set(environment) - ours:
        kept[name] = environment[name]
    return [
        *_exports({**variables, REPLACED: json.dumps(kept, sort_keys=True)}),
        f"unset {' '.join(sorted(gone))}",
    ]


def leaving(names: Iterable[str], environment: Mapping[str, str]) -> list[str]:
    """Return the lines that take the variables back, and give the shell those it had before.

    Args:
        names: Of the local cloud's variables.
        environment: The shell's.
    """
    kept = _kept(environment)
    return [*_exports(kept), f"unset {' '.join(sorted({*names, REPLACED}.difference(kept)))}"]


def _foreign(environment: Mapping[str, str]) -> set[str]:
    return {*_FOREIGN, *(name for name in environment if name.startswith(_OF_A_SERVICE))}


def _kept(environment: Mapping[str, str]) -> dict[str, str]:
    try:
        found = json.loads(environment.get(REPLACED, "{}"))
    except ValueError:
        return {}
    return {
        str(name): str(value)
        for name, value in (found.items() if isinstance(found, dict) else ())
        # Nothing else is this command's to set.
        if str(name).startswith("AWS_") and str(name).isidentifier()
    }


def _exports(variables: Mapping[str, str]) -> list[str]:
    return [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
