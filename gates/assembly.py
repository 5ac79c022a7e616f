"""A synthesized app with its references resolved, so that rules see ARNs and names as AWS would."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from localcloud.environment_variables import BOUND_TO

ROOT = Path(__file__).resolve().parent.parent

PARTITION = "aws"
REGION = "us-east-1"
ACCOUNT = "000000000000"

_PSEUDO = {
    "AWS::Partition": PARTITION,
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "stack",
    "AWS::NoValue": "",
}
# CDK ends a logical id with a hash of the construct's path.
_HASH = re.compile(r"[0-9A-F]{8}$")

# CDK names an asset after a hash of its content, which changes with every change to the code.
ASSET = re.compile(r"\b[0-9a-f]{64}\.zip\b")

# The ARN of a resource, by type; `{}` is its name, which is its logical id here.
_ARNS = {
    "AWS::S3::Bucket": "arn:aws:s3:::{}",
    "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/{{}}",
    "AWS::Lambda::Function": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{{}}",
    "AWS::StepFunctions::StateMachine": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{{}}",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{{}}:*",
    "AWS::KMS::Key": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{{}}",
    "AWS::SQS::Queue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{{}}",
    "AWS::SNS::Topic": f"arn:aws:sns:{REGION}:{ACCOUNT}:{{}}",
    "AWS::Events::Rule": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{{}}",
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{{}}",
    "AWS::CloudWatch::Alarm": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{{}}",
    "AWS::CloudWatch::CompositeAlarm": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{{}}",
}
# Where the templates name a resource.
_NAMES = {
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::StepFunctions::StateMachine": "StateMachineName",
    # Our own resource: its function calls it after the key (`lambda/publish`).
    "Custom::SpineJobCode": "Key",
}
# Resources whose `Ref` is their ARN; of the others it is their name.
_REF_IS_ARN = {"AWS::StepFunctions::StateMachine", "AWS::SNS::Topic"}


# The CDK's feature flag for findings of its own rules: without it they are warnings.
_REFUSE_FINDINGS = "@aws-cdk/core:validateAgainstDefaultRules"

# What `app.py` may know of the environment: the last is how a test run finds what it started.
_INHERITED = ("PATH", "HOME", BOUND_TO)


def short(logical_id: str) -> str:
    """A logical id without CDK's hash: the same in every synthesis that keeps its constructs."""
    return _HASH.sub("", logical_id)


def names(resources: Iterable[tuple[str, str, str]]) -> dict[tuple[str, str], str]:
    """Call each resource by its short logical id, and those that share it by their room as well.

    Args:
        resources: The room, the type and the logical id of each.

    Returns:
        The names, by room and logical id.
    """
    known = list(resources)
    count = Counter((kind, short(logical_id)) for _, kind, logical_id in known)
    return {
        (room, logical_id): short(logical_id)
        if count[kind, short(logical_id)] == 1
        else f"{room}-{short(logical_id)}"
        for room, kind, logical_id in known
    }


@dataclass(frozen=True)
class Assembly:
    """The templates of one stage, by room.

    Attributes:
        folder: Holds `spine-<stage>-<room>.template.json`.
        stage: Of the settings.
    """

    folder: Path
    stage: str = "dev"

    @cached_property
    def rooms(self) -> list[str]:
        """The stacks, by what follows `spine-<stage>-` in their names."""
        start = f"spine-{self.stage}-"
        found = (path.name for path in sorted(self.folder.glob(f"{start}*.template.json")))
        return [name.removeprefix(start).removesuffix(".template.json") for name in found]

    @cached_property
    def templates(self) -> dict[str, dict[str, Any]]:
        """The templates as synthesized."""
        return {room: json.loads(self.text(room)) for room in self.rooms}

    def text(self, room: str) -> str:
        """A template as synthesized, in JSON."""
        return (self.folder / f"spine-{self.stage}-{room}.template.json").read_text()

    def declared(self, room: str, kind: str) -> dict[str, dict[str, Any]]:
        """A room's resources of a type as synthesized, references unresolved, by logical id."""
        resources = self.templates[room]["Resources"]
        return {name: each for name, each in resources.items() if each["Type"] == kind}

    def properties(self, room: str, kind: str) -> list[dict[str, Any]]:
        """The properties of a room's resources of a type, references unresolved."""
        return [each["Properties"] for each in self.declared(room, kind).values()]

    @cached_property
    def exports(self) -> dict[str, Any]:
        """What stacks give each other, resolved, by name."""
        return {
            output["Export"]["Name"]: self.resolve(room, output["Value"])
            for room in self.rooms
            for output in self.templates[room].get("Outputs", {}).values()
            if "Export" in output
        }

    @cached_property
    def _names(self) -> dict[tuple[str, str], str]:
        return names(
            (room, each["Type"], logical_id)
            for room, template in self.templates.items()
            for logical_id, each in template["Resources"].items()
        )

    def name(self, room: str, logical_id: str) -> str:
        """What findings and records call a resource."""
        return self._names[room, logical_id]

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """The resources of a type with their properties resolved, by :meth:`name`."""
        return {
            self.name(room, logical_id): self.resolve(room, each.get("Properties", {}))
            for room in self.rooms
            for logical_id, each in self.templates[room]["Resources"].items()
            if each["Type"] == kind
        }

    def resolve(self, room: str, value: Any) -> Any:
        """Replace CloudFormation's functions by what they would give.

        Raises:
            ValueError: A function this knows nothing of.
        """
        match value:
            case dict() if len(value) == 1 and _is_function(next(iter(value))):
                return self._function(room, *next(iter(value.items())))
            case dict():
                return {key: self.resolve(room, each) for key, each in value.items()}
            case list():
                return [self.resolve(room, each) for each in value]
            case str():
                return ASSET.sub("code.zip", value)
            case _:
                return value

    def _function(self, room: str, name: str, argument: Any) -> Any:
        match name, argument:
            case "Ref", str():
                return self._ref(room, argument)
            case "Fn::GetAtt", [str() as logical_id, str() as attribute]:
                return self._attribute(room, logical_id, attribute)
            case "Fn::Join", [str() as separator, parts]:
                return separator.join(str(self.resolve(room, part)) for part in parts)
            case "Fn::ImportValue", str():
                return self.exports[argument]
            case "Fn::FindInMap", [mapping, first, second]:
                found = self.templates[room]["Mappings"][mapping]
                return found[self.resolve(room, first)][self.resolve(room, second)]
            case "Fn::Sub", str():
                return re.sub(r"\$\{([^}]+)\}", lambda m: str(self._sub(room, m[1])), argument)
            case "Fn::Select", [index, parts]:
                return self.resolve(room, parts)[int(index)]
            case "Fn::Split", [separator, text]:
                return str(self.resolve(room, text)).split(separator)
            case _:
                raise ValueError(f"unexpected in {room}: {name} {argument}")

    def _sub(self, room: str, name: str) -> Any:
        logical_id, dot, attribute = name.partition(".")
        return self._attribute(room, logical_id, attribute) if dot else self._ref(room, name)

    def _ref(self, room: str, name: str) -> str:
        if name in _PSEUDO:
            return _PSEUDO[name]
        if name in self.templates[room].get("Parameters", {}):
            return str(self.templates[room]["Parameters"][name].get("Default", name))
        kind = self.templates[room]["Resources"][name]["Type"]
        if kind in _REF_IS_ARN:
            return self._attribute(room, name, "Arn")
        return self._ref_name(room, name)

    def _attribute(self, room: str, logical_id: str, attribute: str) -> str:
        kind = self.templates[room]["Resources"][logical_id]["Type"]
        if attribute.endswith("Arn") and kind in _ARNS:
            return _ARNS[kind].format(self._ref_name(room, logical_id))
        if attribute in {"Name", "FunctionName", "RoleName", "QueueName", "TopicName"}:
            return self._ref_name(room, logical_id)
        return f"{self.name(room, logical_id)}.{attribute}"

    def _ref_name(self, room: str, logical_id: str) -> str:
        """What a resource's ARN ends with: its own name where the template gives it one."""
        resource = self.templates[room]["Resources"][logical_id]
        given = resource.get("Properties", {}).get(_NAMES.get(resource["Type"], ""))
        return given if isinstance(given, str) else self.name(room, logical_id)


def as_list(value: Any) -> list[Any]:
    """IAM writes a list of one as the one."""
    return value if isinstance(value, list) else [value]


def _is_function(key: str) -> bool:
    return key == "Ref" or key.startswith("Fn::")


def run_app(
    folder: Path,
    *,
    program: tuple[str, ...] = ("app.py",),
    root: Path = ROOT,
    validate: bool = False,
    **context: Any,
) -> subprocess.CompletedProcess[str]:
    """Run `app.py` as the CDK command line does, without a network or the person's environment.

    Args:
        folder: Where the assembly goes.
        program: What Python is to run in place of the app's own file.
        root: The project, or a copy of it.
        validate: Whether the CDK's own rules for CloudFormation are applied, too, and what they
            find is refused. They take more than half of a synthesis; cdk-nag's are always applied.
        context: Values over those of `cdk.json`.
    """
    settings = json.loads((root / "cdk.json").read_text())["context"]
    merged = {**settings, **context, _REFUSE_FINDINGS: validate}
    return subprocess.run(  # noqa: S603 (our own app, or a test's)
        [sys.executable, *program],
        cwd=root,
        check=False,
        capture_output=True,
        text=True,
        env={
            **{name: os.environ[name] for name in _INHERITED if name in os.environ},
            "CDK_OUTDIR": str(folder),
            "CDK_CONTEXT_JSON": json.dumps(merged),
            "CDK_VALIDATION": json.dumps(validate),
            # Whatever tries the network ends at a closed port of this machine.
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "HTTP_PROXY": "http://127.0.0.1:9",
        },
    )


def synthesize(
    folder: Path, *, root: Path = ROOT, validate: bool = False, **context: Any
) -> Assembly:
    """Run `app.py` with the context of `cdk.json` and these overrides.

    Args:
        folder: Where the assembly goes.
        root: The project, or a copy of it.
        validate: As of :func:`run_app`.
        context: The overrides.

    Raises:
        RuntimeError: With what it said.
    """
    done = run_app(folder, root=root, validate=validate, **context)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return Assembly(folder, str(context.get("stage", "dev")))
