"""The access keys that the emulator itself gives out: to functions, and by STS and IAM.

MiniStack takes twelve digits for the access key of an account and gives functions that, or one
that it derives from the names of function and role. Anybody can write those down, so functions get
the cloud's own key instead, or under ``--enforce-iam`` a session of their role that nobody can
derive.
"""

import hashlib
import os
import secrets
import time
from collections.abc import Callable
from typing import Any

from ministack.core import iam_evaluator, lambda_runtime
from ministack.services import lambda_svc, sts

from localcloud.hooks import Hook, put

HOOKS = (
    Hook(
        target="ministack.core.lambda_runtime:execution_credentials",
        reason="functions get an access key that anybody can write down",
        parameters=("config",),
    ),
    Hook(
        target="ministack.services.lambda_svc:execution_credentials",
        reason="the same, where a function is no warm process",
        parameters=("config",),
    ),
    Hook(
        target="ministack.services.lambda_svc:_presigned_code_url",
        reason="the address of a function's code is signed with no key",
        parameters=("func_name",),
    ),
    Hook(
        target="ministack.services.lambda_svc:_layer_content_url",
        reason="the same, of a layer",
        parameters=("layer_name", "version"),
    ),
    Hook(
        target="ministack.services.sts:register_session",
        reason="makes credentials of a role",
        parameters=("access_key", "session"),
    ),
    Hook(target="ministack.services.sts:_sessions", reason="the keys that STS has issued"),
    Hook(
        target="ministack.core.iam_evaluator:find_iam_access_key_account",
        reason="finds the keys that IAM has issued",
        parameters=("access_key_id",),
    ),
    Hook(
        target="ministack.core.router:extract_access_key_id",
        reason="finds the key of a request",
        parameters=("headers", "query_params"),
    ),
)

_seed = secrets.token_bytes(32)


def install(*, enforce_iam: bool) -> None:
    """Put the hooks in place. Call once, after the hooks are checked."""
    credentials = _of_role if enforce_iam else _own
    for module in (lambda_runtime, lambda_svc):
        put(module, "execution_credentials", credentials)
    put(lambda_svc, "_presigned_code_url", _signed(lambda_svc._presigned_code_url))
    put(lambda_svc, "_layer_content_url", _signed(lambda_svc._layer_content_url))


def issued(access_key_id: str) -> bool:
    """Tell whether STS or IAM of this cloud has issued a key, which has not expired."""
    session = sts._sessions.get(access_key_id)
    if session is not None:
        return bool(time.time() <= session.get("Expiration", float("inf")))
    try:
        return iam_evaluator.find_iam_access_key_account(access_key_id) is not None
    except iam_evaluator.AmbiguousAccessKeyError:
        return False


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


def _own(config: dict[str, Any]) -> dict[str, str]:
    """The cloud's own key, which is in the environment of the gateway."""
    del config
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    return {name: os.environ[name] for name in names} | {"AWS_SESSION_TOKEN": ""}


def _of_role(config: dict[str, Any]) -> dict[str, str]:
    return session(str(config["Role"]), str(config["FunctionName"])[:64])


def _signed(address: Callable[..., str]) -> Callable[..., str]:
    """Name the cloud's own key in an address, as a presigned one does."""

    def signed(*of: Any) -> str:
        found = address(*of)
        joint = "&" if "?" in found else "?"
        return f"{found}{joint}X-Amz-Credential={os.environ['AWS_ACCESS_KEY_ID']}/lambda"

    return signed
