"""Templates, synthesized as the CDK CLI does it: `app.py` as a program, context in a variable."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from gates.assembly import Assembly as GatesAssembly
from gates.machine import Machine, machines
from tests.support import ROOT


@dataclass(frozen=True)
class Assembly:
    """A synthesized app: its templates by room (`storage`, `pipeline`, ...)."""

    folder: Path
    stage: str

    def text(self, room: str) -> str:
        """The template as synthesized."""
        return (self.folder / f"spine-{self.stage}-{room}.template.json").read_text()

    def resources(self, room: str, kind: str) -> dict[str, dict[str, Any]]:
        """The resources of one type, by logical id."""
        resources = json.loads(self.text(room))["Resources"]
        return {name: each for name, each in resources.items() if each["Type"] == kind}

    def properties(self, room: str, kind: str) -> list[dict[str, Any]]:
        """The properties of all resources of one type."""
        return [each["Properties"] for each in self.resources(room, kind).values()]

    def definition(self) -> dict[str, Any]:
        """The state machine, with every reference replaced by the name it refers to."""
        (machine,) = self.properties("pipeline", "AWS::StepFunctions::StateMachine")
        definition: dict[str, Any] = json.loads(_flat(machine["DefinitionString"]))
        return definition


def _flat(value: Any) -> str:
    match value:
        case str():
            return value
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(_flat(part) for part in parts)
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::ImportValue": name}:
            return f"<{name}>"
        case {"Fn::FindInMap": [mapping, _, key]}:
            return f"<{mapping}.{key}>"
        case {"Fn::Sub": str() as text}:
            return text
        case _:
            raise AssertionError(f"unexpected in a definition: {value}")


def run_app(
    folder: Path, *, program: tuple[str, ...] = ("app.py",), **context: Any
) -> subprocess.CompletedProcess[str]:
    """Run `app.py` with the context of `cdk.json` and these overrides, without a network."""
    merged = {**json.loads((ROOT / "cdk.json").read_text())["context"], **context}
    return subprocess.run(
        [sys.executable, *program],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        env={
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "CDK_OUTDIR": str(folder),
            "CDK_CONTEXT_JSON": json.dumps(merged),
            # Whatever tries the network ends at a closed port of this machine.
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "HTTP_PROXY": "http://127.0.0.1:9",
        },
    )


@pytest.fixture(scope="session")
def synth() -> Iterator[Callable[..., Assembly]]:
    """Synthesize with context overrides; the same overrides are synthesized once."""
    with tempfile.TemporaryDirectory() as base:

        @cache
        def once(overrides: str) -> Assembly:
            context = json.loads(overrides)
            folder = Path(tempfile.mkdtemp(dir=base))
            done = run_app(folder, **context)
            assert done.returncode == 0, done.stdout + done.stderr
            return Assembly(folder, context.get("stage", "dev"))

        yield lambda **overrides: once(json.dumps({"functions": "local", **overrides}))


@pytest.fixture(scope="session")
def dev(synth: Callable[..., Assembly]) -> Assembly:
    """The development stage, as it stands in `cdk.json`."""
    return synth()


@pytest.fixture(scope="session")
def machine(dev: Assembly) -> Machine:
    """The training pipeline's machine, in the development stage."""
    (found,) = machines(GatesAssembly(dev.folder, dev.stage))
    return found


@pytest.fixture(scope="session")
def definition(machine: Machine) -> dict[str, Any]:
    """Its definition."""
    return machine.definition
