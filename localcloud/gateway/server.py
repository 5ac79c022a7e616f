"""The local cloud's one server: what it is made of, from its start to its end.

MiniStack answers for every service but two: state machines run in moto's interpreter
(`localcloud.stepfunctions`) and SageMaker in a process of its own, to which requests are passed
on. All of it is reached on one loopback port. Everything lives in memory and ends with the process.
"""

import asyncio
import contextlib
import dataclasses
import importlib
import json
import logging
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn

from localcloud import credentials, folders, process_identity
from localcloud.asgi import App
from localcloud.conditions import Conditions
from localcloud.credentials import Credentials
from localcloud.environment_variables import (
    ACCOUNT,
    BOUND_TO,
    HOST,
    REGION,
    STATE_FILE,
    endpoint_url,
    gateway_environment,
)
from localcloud.gateway.app import Gateway
from localcloud.gateway.door import Door
from localcloud.gateway.faults import FaultInjection
from localcloud.gateway.proxy import SageMakerProxy
from localcloud.gateway.sagemaker_process import SageMakerProcess
from localcloud.hooks import HookError
from localcloud.sagemaker.child_processes import wait_for_end

logger = logging.getLogger(__name__)

# How long everything may take to stop once nobody waits for it.
_STOP_SECONDS = 20.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """What the gateway is started with.

    Attributes:
        home: The state directory (`.spine`).
        port: The port to listen on; 0 takes a free one.
        sagemaker: The command that runs the SageMaker process.
        conditions: What the cloud is to be like.
    """

    home: Path
    port: int
    sagemaker: tuple[str, ...]
    conditions: Conditions


def run(options: Options) -> None:
    """Serve until told to stop (SIGTERM or SIGINT), and say why when that cannot be.

    Raises:
        SystemExit: The port is taken, or a hook does not fit the installed libraries.
    """
    if bound_to := os.environ.get(BOUND_TO):
        threading.Thread(target=_end_with, args=[int(bound_to)], daemon=True).start()
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", force=True
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for every call otherwise
    # What it and its children write is their owner's alone.
    os.umask(0o077)
    folders.prepare(options.home)
    folders.make_temporary(options.home)
    own = credentials.make(options.home)
    listener = _listen(options.port)
    port: int = listener.getsockname()[1]
    # Before MiniStack and moto are imported: they read their settings at import.
    isolated = gateway_environment(
        os.environ,
        home=options.home,
        port=port,
        credentials=own,
        enforce_iam=options.conditions.enforce_iam,
    )
    os.environ.clear()
    os.environ.update(isolated)
    try:
        asyncio.run(_serve(options, own, listener, port))
    except (HookError, RuntimeError) as error:
        raise SystemExit(str(error)) from error
    finally:
        folders.remove_temporary(options.home)


def _end_with(pid: int) -> None:
    """Stop this process, the leader of its group, once another one has ended."""
    wait_for_end(pid)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_STOP_SECONDS)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _listen(port: int) -> socket.socket:
    # With the protocol named: asyncio turns Nagle's delay off only for sockets that say TCP, and
    # accepted ones say what this one does. It would cost every answer 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        raise SystemExit(
            f"The local cloud cannot listen on {HOST}:{port}: {error.strerror}. "
            "Stop what uses the port, or leave the port out to take a free one."
        ) from error
    return listener


async def _serve(options: Options, own: Credentials, listener: socket.socket, port: int) -> None:
    uds = folders.socket_folder(options.home) / "sagemaker.sock"
    logs = options.home / "logs"
    record = logs / "iam.jsonl"
    record.unlink(missing_ok=True)
    enforce_iam = options.conditions.enforce_iam
    if enforce_iam:
        record.touch()
    emulator = _emulator(
        port,
        record=record if enforce_iam else None,
        concurrent=options.conditions.concurrent_functions,
        retry_delay=options.conditions.retry_delay,
    )
    sagemaker = SageMakerProcess(
        command=(
            *options.sagemaker,
            *options.conditions.sagemaker(),
            *(["--assume-roles"] if enforce_iam else []),
            *("--credentials", str(options.home / credentials.FILE)),
        ),
        uds=uds,
        jobs=options.home / "jobs",
        log=logs / "sagemaker.log",
        endpoint_url=endpoint_url(port),
        environment=os.environ,
    )
    proxy = SageMakerProxy(uds=uds, log=logs / "sagemaker.log")
    instance = secrets.token_hex(8)
    gate = _gate(proxy) if enforce_iam else proxy
    app = _door(
        FaultInjection(
            Gateway(
                emulator=emulator, proxy=proxy, gate=gate, sagemaker=sagemaker, instance=instance
            )
        ),
        port,
        own,
        options.conditions.allowed_origins,
    )
    config = uvicorn.Config(
        app,
        log_level="warning",
        lifespan="on",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=3,
        date_header=False,  # MiniStack writes its own
        server_header=False,
        access_log=False,
        log_config=None,
    )
    server = _Server(config)
    state = options.home / STATE_FILE
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        await sagemaker.start()
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.01)
        if server.started:
            _record(
                state,
                port=port,
                instance=instance,
                uds=uds,
                sagemaker_pid=sagemaker.pid,
                conditions=options.conditions.shown(),
            )
            logger.info("The local cloud listens on %s", endpoint_url(port))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving
    finally:
        if _is_ours(state, instance):
            state.unlink(missing_ok=True)
        await proxy.aclose()
        await sagemaker.stop()
        _stop_functions()


def _emulator(
    port: int, *, record: Path | None, concurrent: int | None, retry_delay: float | None
) -> App:
    """MiniStack's app with every hook checked, then installed.

    Args:
        port: What the state machines' calls go to.
        record: Where decisions about roles are written; None does not enforce permissions.
        concurrent: Calls of functions that run at once; None decides by the machine.
        retry_delay: Seconds to the first retry of a function that an event called; None: 1.
    """
    from localcloud import emulator, hooks
    from localcloud.emulator import asynchronous, execution_environments, keys
    from localcloud.stepfunctions import clients, engine

    rooms = [
        importlib.import_module(f"{emulator.__name__}.{name}") for name in emulator.ALWAYS_HOOKED
    ]
    if record is not None:
        from localcloud.emulator import iam

        rooms.append(iam)
        iam.configure(record=record)
        clients.sign_as_roles(keys.session)
    found = hooks.registered("localcloud.stepfunctions", *(each.__name__ for each in rooms))
    hooks.check(found)
    hooks.install(found)
    keys.configure(enforce_iam=record is not None)
    execution_environments.configure(limit=concurrent)
    asynchronous.configure(retry_delay=retry_delay)
    engine.start(endpoint_url=endpoint_url(port))
    from ministack.app import app

    ministack: App = app
    return ministack


def _door(app: App, port: int, own: Credentials, origins: tuple[str, ...]) -> App:
    from localcloud.emulator import keys

    return Door(
        app,
        port=port,
        credentials=own,
        key_of=keys.of_request,
        issued=keys.issued,
        origins=origins,
    )


def _gate(proxy: App) -> App:
    from localcloud.emulator.iam import SageMakerGate

    return SageMakerGate(proxy, region=REGION, account=ACCOUNT)


def _stop_functions() -> None:
    from localcloud.emulator import functions

    functions.stop_workers()


class _Server(uvicorn.Server):
    """A server that leaves signals alone.

    uvicorn ends the process with the signal it got once it has stopped serving; the SageMaker
    process and the functions' have to be stopped after that.
    """

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle no signal."""
        yield


def _record(
    state: Path,
    *,
    port: int,
    instance: str,
    uds: Path,
    sagemaker_pid: int | None,
    conditions: tuple[str, ...],
) -> None:
    """Write the state file in one step, so that a reader sees all of it or none."""
    record: dict[str, Any] = {
        "pid": os.getpid(),
        "process_started": process_identity.start_mark(os.getpid()),
        "port": port,
        "instance": instance,
        "account": ACCOUNT,
        "region": REGION,
        "sagemaker_pid": sagemaker_pid,
        "sagemaker_started": process_identity.start_mark(sagemaker_pid) if sagemaker_pid else None,
        "sagemaker_socket": str(uds),
        "conditions": list(conditions),
    }
    partial = state.with_suffix(".partial")
    partial.write_text(json.dumps(record, indent=2) + "\n")
    partial.replace(state)


def _is_ours(state: Path, instance: str) -> bool:
    try:
        return bool(json.loads(state.read_text()).get("instance") == instance)
    except (FileNotFoundError, ValueError):
        return False
