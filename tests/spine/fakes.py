# ruff: noqa: N803 (the fakes take boto3's own argument names)
"""An in-memory cloud for the command line: the few calls it makes, answered as AWS answers."""

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from spine.history import Event
from tests.spine.stories import BEGIN, Story
from tests.support import client_error

MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:machine"
PREPARING = "arn:aws:states:us-east-1:000000000000:stateMachine:preparing"
BUCKET = "spine-bucket"
RUN = "first-0a1b2c3d"
ENDPOINT = f"spine-dev-{RUN}"


def execution_arn(name: str, machine: str = MACHINE) -> str:
    """The ARN of an execution of a fake state machine."""
    return f"{machine.replace('stateMachine', 'execution')}:{name}"


def output(**changes: Any) -> dict[str, Any]:
    """The output of a run with both branches on, changed at the top."""
    folder = f"s3://{BUCKET}/runs/{RUN}"
    return {
        "run": {"id": RUN, "execution": execution_arn("first"), "model_name": ENDPOINT},
        "data": {
            "rows": 310,
            "counts": {"train": 248, "test": 31, "validate": 31},
            "feature_count": 6,
            "label": "class",
            "classes": {"positive": "Abnormal", "negative": "Normal"},
            "source": {"uri": f"s3://{BUCKET}/uploads/0123456789ab/spine.csv", "member": None},
        },
        "metrics": {
            "rows": 31,
            "threshold": 0.65,
            "auc": 0.8905,
            "accuracy": 0.8065,
            "precision": 0.8947,
            "recall": 0.8095,
            "f1": 0.85,
            "confusion_matrix": {"tn": 8, "fp": 2, "fn": 4, "tp": 17},
        },
        "quality_gate": {
            "passed": True,
            "checks": [{"metric": "auc", "minimum": 0.8, "value": 0.8905, "passed": True}],
        },
        "predictions": [
            {"row": 1, "label": 1, "probability": 0.9967, "class": 1},
            {"row": 2, "label": 0, "probability": 0.9884, "class": 1},
        ],
        "artifacts": {
            "batch_input": f"{folder}/batch-in/batch-in.csv",
            "report": f"{folder}/evaluation/report.html",
        },
        "endpoint": {"left": False, "name": None, "until": None},
        **changes,
    }


def story(
    *,
    uri: str = "s3://b/uploads/x/spine.csv",
    objective: str = "binary:logistic",
    threshold: float | None = 0.65,
    classes: dict[str, str] | None = None,
) -> Story:
    """The first states of a run."""
    told = Story()
    plan = {
        "run": {"id": RUN},
        "source": {"uri": uri},
        "training": {"hyperparameters": {"objective": objective}},
        "evaluation": {"threshold": threshold},
    }
    data = output()["data"]
    prepared = {**data, "classes": data["classes"] if classes is None else classes}
    told.task("Plan the run", output=json.dumps({"Payload": plan}))
    told.task("Prepare the data", output=json.dumps({"Payload": prepared}))
    return told


class Pages:
    """A paginator over one page."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def paginate(self, **arguments: Any) -> Iterator[Any]:
        """The page."""
        yield self._answer(**arguments)


class Client:
    """What all fakes share: paginators over their own methods, and error classes."""

    def get_paginator(self, operation: str) -> Pages:
        """Page through an operation of this fake."""
        return Pages(getattr(self, operation))

    @property
    def exceptions(self) -> "Client":
        """Any error class that is asked for, matched by its name."""
        return self

    def __getattr__(self, name: str) -> type[Exception]:
        if not name[:1].isupper():
            raise AttributeError(name)
        return _ERRORS.setdefault(name, type(name, (Exception,), {}))


_ERRORS: dict[str, type[Exception]] = {}


@dataclass
class States(Client):
    """Step Functions with executions that reveal one more event at every look."""

    events: Sequence[Event] = ()
    status: str = "SUCCEEDED"
    result: dict[str, Any] = field(default_factory=output)
    error: str | None = None
    cause: str | None = None
    page_size: int = 1000
    # The looks an execution stays RUNNING for; one more event shows at each.
    looks: int = 0
    # The inputs by name: of the first state machine, and of the preparing one.
    started: dict[str, dict[str, Any]] = field(default_factory=dict)
    preparing: dict[str, dict[str, Any]] = field(default_factory=dict)
    stopped: list[str] = field(default_factory=list)
    history_calls: list[int] = field(default_factory=list)

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> dict[str, Any]:  # noqa: A002
        """Begin, each name once for each machine."""
        if name in self._of(stateMachineArn):
            raise self.ExecutionAlreadyExists(name)
        self._of(stateMachineArn)[name] = json.loads(input)
        return {"executionArn": execution_arn(name, stateMachineArn)}

    def _of(self, machine: str) -> dict[str, dict[str, Any]]:
        return {MACHINE: self.started, PREPARING: self.preparing}[machine]

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:
        """The state of an execution."""
        over = self.looks <= 0 or bool(self.stopped)
        self.looks -= 1
        machine, _, name = executionArn.replace(":execution:", ":stateMachine:").rpartition(":")
        answer: dict[str, Any] = {
            "executionArn": executionArn,
            "status": "ABORTED" if self.stopped else self.status if over else "RUNNING",
            "startDate": BEGIN,
            "input": json.dumps(self._of(machine).get(name, {})),
        }
        if not over:
            return answer
        answer["stopDate"] = BEGIN + timedelta(seconds=8)
        if self.stopped:
            answer["error"], answer["cause"] = self.stopped
        elif self.status == "SUCCEEDED":
            answer["output"] = json.dumps(self.result)
        else:
            answer |= {"error": self.error, "cause": self.cause}
        return answer

    def get_execution_history(
        self,
        *,
        executionArn: str,
        reverseOrder: bool = False,
        maxResults: int = 1000,
        nextToken: str = "0",
    ) -> dict[str, Any]:
        """The events, in pages."""
        ordered = list(reversed(self.events)) if reverseOrder else list(self.events)
        first = int(nextToken)
        page = ordered[first : first + self.page_size]
        self.history_calls.append(len(page))
        rest = first + self.page_size < len(ordered)
        return {"events": page} | ({"nextToken": str(first + self.page_size)} if rest else {})

    def stop_execution(self, *, executionArn: str, error: str, cause: str) -> None:
        """End an execution."""
        self.stopped = [error, cause]

    def list_executions(self, *, stateMachineArn: str, maxResults: int) -> dict[str, Any]:
        """All that were started, a minute apart; the preparing machine's half a minute later."""
        begin = BEGIN + timedelta(seconds=30 if stateMachineArn == PREPARING else 0)
        return {
            "executions": [
                {
                    "name": name,
                    "executionArn": execution_arn(name, stateMachineArn),
                    "status": self.status,
                    "startDate": begin + timedelta(minutes=number),
                    "stopDate": begin + timedelta(minutes=number, seconds=8),
                }
                for number, name in enumerate(self._of(stateMachineArn))
            ]
        }


@dataclass
class Formation(Client):
    """CloudFormation with the app's stacks, once they are deployed."""

    deployed: int = 0
    status: str = "CREATE_COMPLETE"
    # By label; in another order than the app's, which CloudFormation does not keep.
    further: dict[str, str] = field(default_factory=dict)

    def describe_stacks(self) -> dict[str, Any]:
        """The stacks; those of others among them."""
        outputs = {
            "storage": {"BucketName": BUCKET, "SageMakerRoleArn": "arn:role"},
            "pipeline": {
                **{f"{label}StateMachineArn": arn for label, arn in self.further.items()},
                "StateMachineArn": MACHINE,
            },
            "triggers": {},
        }
        stacks: list[dict[str, Any]] = [
            {"StackName": "CDKToolkit", "StackId": "t", "StackStatus": "CREATE_COMPLETE"}
        ]
        if self.deployed:
            stacks += [
                {
                    "StackName": f"spine-dev-{name}",
                    "StackId": f"arn:{name}:{self.deployed}",
                    "StackStatus": self.status,
                    "Outputs": [
                        {"OutputKey": key, "OutputValue": value} for key, value in found.items()
                    ],
                }
                for name, found in outputs.items()
            ]
        return {"Stacks": stacks}


@dataclass
class S3(Client):
    """S3 as the command line uses it."""

    objects: dict[str, bytes] = field(default_factory=dict)
    uploads: list[str] = field(default_factory=list)

    def list_objects_v2(self, *, Bucket: str, Prefix: str, MaxKeys: int) -> dict[str, Any]:
        """Keys under a prefix, with their sizes."""
        found = [
            {"Key": key, "Size": len(content)}
            for key, content in self.objects.items()
            if key.startswith(Prefix)
        ]
        return {"Contents": found[:MaxKeys]} if found else {}

    def upload_file(self, path: str, bucket: str, key: str, *, Callback: Any) -> None:
        """Store a file."""
        self.objects[key] = Path(path).read_bytes()
        self.uploads.append(key)
        Callback(len(self.objects[key]))

    def download_file(self, bucket: str, key: str, path: str) -> None:
        """Write an object to a file."""
        Path(path).write_bytes(self.objects[key])

    def get_object(self, *, Bucket: str, Key: str, Range: str) -> dict[str, Any]:
        """The beginning of an object."""
        return {"Body": io.BytesIO(self.objects[Key])}


@dataclass
class SageMaker(Client):
    """SageMaker's endpoints and their tags."""

    endpoints: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def list_endpoints(self, *, NameContains: str) -> dict[str, Any]:
        """The endpoints by name."""
        return {
            "Endpoints": [
                {"EndpointName": name, "EndpointArn": f"arn:{name}", "EndpointStatus": status}
                for name, status in self.endpoints.items()
                if NameContains in name
            ]
        }

    def list_tags(self, *, ResourceArn: str) -> dict[str, Any]:
        """The same tags for all of them."""
        return {"Tags": [{"Key": key, "Value": value} for key, value in self.tags.items()]}


@dataclass
class Runtime(Client):
    """Endpoints that answer every row with the first of its values, or as they are told to."""

    bodies: list[str] = field(default_factory=list)
    answer: str | None = None

    def invoke_endpoint(
        self, *, EndpointName: str, ContentType: str, Accept: str, Body: str
    ) -> dict[str, Any]:
        """One probability a row."""
        self.bodies.append(Body)
        answer = self.answer or "".join(f"{line.split(',')[0]}\n" for line in Body.splitlines())
        return {"Body": io.BytesIO(answer.encode())}


@dataclass
class Functions(Client):
    """Lambda's list of functions."""

    def list_functions(self) -> dict[str, Any]:
        """The app's, one of which logs to a group with a name of its own, and a stranger."""
        return {
            "Functions": [
                {
                    "FunctionName": "spine-dev-pipeline-Prepare1",
                    "Handler": "lambda.prepare.handler.handler",
                    "LoggingConfig": {"LogGroup": "own-group"},
                },
                {
                    "FunctionName": "spine-dev-triggers-Sweep1",
                    "Handler": "lambda.cleanup.sweep.handler",
                },
                {"FunctionName": "other", "Handler": "index.handler"},
            ]
        }


@dataclass
class Logs(Client):
    """CloudWatch Logs; like the local cloud it gives events no ids."""

    groups: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    def filter_log_events(
        self, *, logGroupName: str, startTime: int = 0, endTime: int = 1 << 60
    ) -> dict[str, Any]:
        """Events of a group in a window."""
        if logGroupName not in self.groups:
            raise self.ResourceNotFoundException(logGroupName)
        return {
            "events": [
                {"timestamp": when, "message": message, "logStreamName": "s"}
                for when, message in self.groups[logGroupName]
                if startTime <= when <= endTime
            ]
        }


@dataclass
class Cloud:
    """A cloud that runs."""

    port: int = 4566
    pid: int = 77
    conditions: tuple[str, ...] = ()
    sagemaker_runs: bool = True
    states: States = field(default_factory=States)
    formation: Formation = field(default_factory=Formation)
    s3: S3 = field(default_factory=S3)
    sagemaker: SageMaker = field(default_factory=SageMaker)
    runtime: Runtime = field(default_factory=Runtime)
    logs: Logs = field(default_factory=Logs)

    @property
    def endpoint_url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        """A part of the variables."""
        return {"AWS_ENDPOINT_URL": self.endpoint_url, "AWS_ACCESS_KEY_ID": "it's a test"}

    def client(self, service: str) -> Any:
        """One of the fakes."""
        return {
            "stepfunctions": self.states,
            "cloudformation": self.formation,
            "s3": self.s3,
            "sagemaker": self.sagemaker,
            "sagemaker-runtime": self.runtime,
            "lambda": Functions(),
            "logs": self.logs,
        }[service]


def refused() -> Exception:
    """What boto3 raises when a service refuses."""
    return client_error("ValidationException", "Name is too long.", "StartExecution")
