"""Clients of the services beside SageMaker: S3, CloudWatch and its logs."""

import functools
import threading
from typing import Any

import boto3
from botocore.config import Config

from localcloud.sagemaker.settings import Settings

# A session is not safe for threads while it builds a client; the clients are.
_session_lock = threading.Lock()


@functools.cache
def _session() -> Any:  # the typed overloads do not take a service's name that is a variable
    """One for all clients: it reads a service's description once, S3's in 0.1 s."""
    return boto3.session.Session()


def make_client(service: str, **options: Any) -> Any:
    """A boto3 client, from any thread; `options` are those of `Session.client`."""
    with _session_lock:
        return _session().client(service, **options)


class Connection:
    """Clients at the settings' endpoint, each made once.

    Without an endpoint there are none: AWS's own logs and metrics are not this process's.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """A service's client, or None."""
        if not self._settings.aws_endpoint:
            return None
        with self._lock:
            if service not in self._clients:
                self._clients[service] = make_client(
                    service,
                    endpoint_url=self._settings.aws_endpoint,
                    region_name=self._settings.region,
                    aws_access_key_id=self._settings.access_key_id,
                    aws_secret_access_key=self._settings.secret_access_key,
                    aws_session_token=None,
                    config=Config(
                        connect_timeout=2,
                        read_timeout=10,
                        retries={"mode": "standard", "max_attempts": 2},
                        max_pool_connections=50,
                    ),
                )
            return self._clients[service]
