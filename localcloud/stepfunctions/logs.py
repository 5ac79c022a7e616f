"""State machine logs in CloudWatch Logs, as the machine's logging configuration asks for.

moto writes them to its own in-memory service. Events are handed to one thread that delivers them,
so that logging costs an execution nothing; AWS delivers late, too.
"""

import contextlib
import datetime as dt
import json
import queue
import threading
import uuid
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.stepfunctions.parser.asl.eval.event import logging as moto_logging

from localcloud import hooks
from localcloud.stepfunctions.clients import client_for

_LOGGING = "moto.stepfunctions.parser.asl.eval.event.logging"

# AWS's limit for one PutLogEvents call is 10,000; a batch is what came in meanwhile.
_BATCH = 500
_events: queue.SimpleQueue[tuple["LogSession", dict[str, Any]]] = queue.SimpleQueue()


@hooks.uses(
    f"{_LOGGING}:CloudWatchLoggingSession.log_level_filter",
    reason="which events a log level records",
    parameters=("self", "history_event_type"),
)
class LogSession(moto_logging.CloudWatchLoggingSession):
    """One execution's way to its log group."""

    def __init__(self, execution_arn: str, configuration: Any) -> None:
        # Not moto's own set-up: it binds the session to moto's in-memory service.
        hooks.put(self, "execution_arn", execution_arn)
        hooks.put(self, "configuration", configuration)
        day = dt.datetime.now(dt.UTC).strftime("%Y-%m-%d-%H-%M")
        self.stream = f"states/{execution_arn.split(':')[-2]}/{day}/{uuid.uuid4().hex[:8]}"
        self.created = False
        self.redrive_count = 0

    @hooks.overrides(
        f"{_LOGGING}:CloudWatchLoggingSession.publish_history_log",
        reason="logs go to moto's own CloudWatch Logs",
    )
    def publish_history_log(self, history_log: Any) -> None:
        """Hand an event on; the log line has the fields and the types AWS's have."""
        moment = dt.datetime.fromisoformat(
            str(history_log["event_timestamp"]).replace("Z", "+00:00")
        )
        millis = round(moment.timestamp() * 1000)
        line = {
            "id": history_log["id"],
            "type": str(getattr(history_log["type"], "value", history_log["type"])),
            "details": history_log.get("details", {}),
            "redrive_count": str(self.redrive_count),
            "previous_event_id": history_log["previous_event_id"],
            "event_timestamp": str(millis),
            "execution_arn": self.execution_arn,
        }
        _events.put((self, {"timestamp": millis, "message": json.dumps(line, default=str)}))


@hooks.uses(
    f"{_LOGGING}:CloudWatchLoggingConfiguration.from_logging_configuration",
    reason="reads the machine's logging configuration",
    parameters=("state_machine_arn", "logging_configuration"),
)
def session(execution_arn: str, machine: dict[str, Any]) -> LogSession | None:
    """The log session of a new execution, or None when its machine does not log."""
    configured: Any = {"includeExecutionData": False} | (machine.get("loggingConfiguration") or {})
    configuration = moto_logging.CloudWatchLoggingConfiguration.from_logging_configuration(
        state_machine_arn=machine["stateMachineArn"],
        logging_configuration=configured,
    )
    return LogSession(execution_arn, configuration) if configuration else None


def redriven(log: Any, count: int) -> None:
    """Have a session's lines, where there is one, say how often the execution was redriven."""
    if isinstance(log, LogSession):
        log.redrive_count = count


def start() -> None:
    """Start the thread that delivers."""
    threading.Thread(target=_deliver, name="state-machine-logs", daemon=True).start()


def _deliver() -> None:
    while True:
        batches: dict[LogSession, list[dict[str, Any]]] = {}
        current, event = _events.get()
        batches[current] = [event]
        with contextlib.suppress(queue.Empty):
            for _ in range(_BATCH):
                current, event = _events.get_nowait()
                batches.setdefault(current, []).append(event)
        for target, events in batches.items():
            # As on AWS, an execution does not fail because its log group is gone.
            with contextlib.suppress(ClientError, BotoCoreError):
                _send(target, events)


def _send(target: LogSession, events: list[dict[str, Any]]) -> None:
    client: Any = client_for(target.configuration.log_region, "logs")
    where = {
        "logGroupName": target.configuration.log_group_name,
        "logStreamName": target.stream,
    }
    if not target.created:
        client.create_log_stream(**where)
        target.created = True
    client.put_log_events(**where, logEvents=events)
