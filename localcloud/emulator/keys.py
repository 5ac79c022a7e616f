"""The access keys that the emulator itself gives out: to functions, and by STS and IAM.

MiniStack takes twelve digits for the access key of an account and gives functions that, or one
that it derives from the names of function and role. Anybody can write those down, so functions get
the cloud's own key instead, or under `--enforce-iam` a session of their role that nobody can
derive.
"""

import hashlib
import os
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.router import extract_access_key_id
from ministack.services import sts

from localcloud import hooks

_seed = secrets.token_bytes(32)
_as_roles = False


def configure(*, enforce_iam: bool) -> None:
    """Set whether functions act under their roles, instead of with the cloud's own key."""
    global _as_roles  # noqa: PLW0603 - one gateway a process
    _as_roles = enforce_iam


def enforced() -> bool:
    """Whether the deployed policies decide."""
    return _as_roles


@hooks.uses(
    "ministack.core.router:extract_access_key_id",
    reason="finds the key of a request",
    parameters=("headers", "query_params"),
)
def of_request(headers: Mapping[str, str], query: Mapping[str, list[str]]) -> str:
    """The id of the access key that a request is signed with, or ""."""
    return str(extract_access_key_id(headers, query))


@hooks.uses("ministack.services.sts:_sessions", reason="the keys that STS has issued")
@hooks.uses(
    "ministack.core.iam_evaluator:find_iam_access_key_account",
    reason="finds the keys that IAM has issued",
    parameters=("access_key_id",),
)
def issued(access_key_id: str) -> bool:
    """Tell whether STS or IAM of this cloud has issued a key, which has not expired."""
    session = sts._sessions.get(access_key_id)
    if session is not None:
        return bool(time.time() <= session.get("Expiration", float("inf")))
    try:
        return iam_evaluator.find_iam_access_key_account(access_key_id) is not None
    except iam_evaluator.AmbiguousAccessKeyError:
        return False


@hooks.uses(
    "ministack.services.sts:register_session",
    reason="makes credentials of a role",
    parameters=("access_key", "session"),
)
def session(role_arn: str, name: str) -> dict[str, str]:
    """Credentials of a role, for a service of this process that acts under it.

    Args:
        role_arn: The role.
        name: The session's name, in the ARN that the role's calls are made under.

    Returns:
        `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`; the same each time.
    """
    account, role = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
    mark = hashlib.blake2b(f"{role_arn}\n{name}".encode(), key=_seed).hexdigest()
    key, secret, token = f"ASIA{mark[:32].upper()}", f"secret-{mark[32:96]}", f"token-{mark[96:]}"
    sts.register_session(
        key,
        {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{role}/{name}",
            "UserId": f"{role}:{name}",
            "SecretAccessKey": secret,
            "SessionToken": token,
        },
    )
    return {
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_SESSION_TOKEN": token,
    }


@hooks.replaces(
    "ministack.core.lambda_runtime:execution_credentials",
    reason="functions get an access key that anybody can write down",
    imported_by="ministack.services.lambda_svc",  # where a function is no warm process
)
def _credentials(config: dict[str, Any]) -> dict[str, str]:
    """A session of a function's role, or the cloud's own key: in the environment of the gateway."""
    if _as_roles:
        return session(str(config["Role"]), str(config["FunctionName"])[:64])
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    return {name: os.environ[name] for name in names} | {"AWS_SESSION_TOKEN": ""}


@hooks.around(
    "ministack.services.lambda_svc:_presigned_code_url",
    reason="the address of a function's code is signed with no key",
)
def _signed_code_url(address: Callable[..., str], func_name: str) -> str:
    return _signed(address(func_name))


@hooks.around(
    "ministack.services.lambda_svc:_layer_content_url",
    reason="the address of a layer's code is signed with no key",
)
def _signed_layer_url(address: Callable[..., str], layer_name: str, version: int) -> str:
    return _signed(address(layer_name, version))


def _signed(address: str) -> str:
    """An address that names the cloud's own key, as a presigned one does."""
    joint = "&" if "?" in address else "?"
    return f"{address}{joint}X-Amz-Credential={os.environ['AWS_ACCESS_KEY_ID']}/lambda"
