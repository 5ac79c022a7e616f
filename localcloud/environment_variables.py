"""The two environments of the local cloud: its own process's, and the one its clients use.

The functions that run locally inherit the gateway's environment. Whatever the person has set up
for AWS (a profile, credentials, a region, an endpoint) must not reach them: a pipeline on a laptop
would otherwise read or write a real account. So the gateway keeps a short list of harmless
variables and drops the rest.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from localcloud import folders
from localcloud.credentials import Credentials

ACCOUNT = "000000000000"
REGION = "us-east-1"
HOST = "127.0.0.1"
HEALTH_PATH = "/_spine/health"
# Botocore puts it into the user agent of every call of the gateway's process and its children.
PIPELINE_APP_ID = "spine-pipeline"
STATE_FILE = "cloud.json"
# Holds the id of the process with which a cloud ends (lifecycle.end_clouds_with_this_process).
BOUND_TO = "SPINE_BOUND_TO"

# What Node functions find without bundling it, as in Lambda's Node runtime.
_NODE_MODULES = Path(__file__).parent / "emulator" / "node"

# What a process needs to run at all, and to reach the data sources (prepare downloads over https,
# which may need the company's proxy and certificates).
_KEPT = frozenset(
    (
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ"),
        *("TMPDIR", "TEMP", "TMP", "LD_LIBRARY_PATH", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"),
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
        *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
        *("NODE_EXTRA_CA_CERTS", BOUND_TO),
    )
)


def endpoint_url(port: int) -> str:
    """The one address that answers for every service."""
    return f"http://{HOST}:{port}"


def client_environment(
    port: int, credentials: Credentials, *, region: str = REGION
) -> dict[str, str]:
    """Variables that point boto3, the AWS CLI and the CDK CLI at the local cloud and nowhere else.

    `AWS_PROFILE` cannot be unset by a mapping: whoever starts a process with these variables
    must drop it, as `isolated` does.
    """
    url = endpoint_url(port)
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ENDPOINT_URL_S3": url,
        **_signing(credentials),
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        # StartSyncExecution and TestState would go to `sync-127.0.0.1`.
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
    }


def _signing(credentials: Credentials) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
    }


def isolated(environment: Mapping[str, str]) -> dict[str, str]:
    """What is left of an environment once nothing in it can lead to a real AWS account.

    Proxies stay, for the data sources, but never apply to the loopback address.
    """
    kept = {
        name: value
        for name, value in environment.items()
        if name in _KEPT or name.startswith("LC_")
    }
    proxied = any(name.lower() in {"http_proxy", "https_proxy", "all_proxy"} for name in kept)
    if proxied:
        direct = ",".join(
            filter(None, [kept.get("no_proxy") or kept.get("NO_PROXY"), HOST, "localhost"])
        )
        kept["NO_PROXY"] = kept["no_proxy"] = direct
    return kept


def gateway_environment(
    environment: Mapping[str, str],
    *,
    home: Path,
    port: int,
    credentials: Credentials,
    enforce_iam: bool = False,
) -> dict[str, str]:
    """The environment of the gateway process and so of every function it runs."""
    temporary = folders.temporary(home)
    kept = isolated(environment)
    for name in ("TEMP", "TMP"):  # which Python reads after TMPDIR, and other programs before
        kept.pop(name, None)
    return kept | {
        "TMPDIR": str(temporary),
        # What MiniStack would have under predictable names in the system's temporary folder.
        "S3_DATA_DIR": str(temporary / "s3"),
        "STATE_DIR": str(temporary / "state"),
        # The key of the gateway's own clients, which MiniStack takes for its root's.
        **_signing(credentials),
        # MiniStack: loopback only, and none of the listeners that would bind 0.0.0.0.
        "GATEWAY_PORT": str(port),
        "BIND_HOST": HOST,
        "MINISTACK_HOST": HOST,
        "MINISTACK_REGION": REGION,
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PERSIST_STATE": "0",
        "AUTH": str(enforce_iam).lower(),
        # A surplus function process (one per concurrent call, 49 MB each) goes after a minute.
        "LAMBDA_WARM_TTL_SECONDS": "60",
        # Not MiniStack's Docker features, even where a daemon is running.
        "DOCKER_HOST": "unix:///nonexistent",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NODE_PATH": str(_NODE_MODULES),
        # Tells the pipeline's own calls from a person's, for faults on purpose (faults.py).
        "AWS_SDK_UA_APP_ID": PIPELINE_APP_ID,
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
