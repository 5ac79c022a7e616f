"""Mutants of the synthesized policies: of each statement, a little more or a little less.

Of every policy in the templates (of roles, buckets, queues, functions, and who may assume a role):
an action or a resource is taken away or added, a resource widened, a condition dropped or opened, a
denial turned round. Who must notice are the gates, and the tests of the templates.
"""

import copy
import dataclasses
import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gates import assembly as assembly_module
from gates import permissions
from gates.assembly import ROOT, Assembly, as_list
from tests.mutation import running

Templates = dict[str, dict[str, Any]]
Place = tuple[str | int, ...]
_SYNTHESIZE = assembly_module.synthesize
# Conditions that AWS evaluates a list of values in; one value more lets more calls pass.
_FOREIGN = "somebody-elses"


@dataclasses.dataclass(frozen=True)
class PolicyMutant:
    """The templates with one change to one policy.

    Attributes:
        change: What was changed, in words; the same in every synthesis of the same app.
        templates: By room.
    """

    change: str
    templates: Templates

    @property
    def key(self) -> str:
        """The same for the same change of the same templates."""
        text = json.dumps(self.templates, sort_keys=True)
        return hashlib.sha256(f"{self.change}\n{text}".encode()).hexdigest()[:20]

    def written_to(self, folder: Path) -> None:
        """Write the templates in place of those that a synthesis has left in a folder."""
        for room, template in self.templates.items():
            (path,) = folder.glob(f"spine-*-{room}.template.json")
            path.write_text(json.dumps(template))


def of_assembly(assembly: Assembly) -> Iterator[PolicyMutant]:
    """Every mutant, in the order of the templates."""
    for room, template in assembly.templates.items():
        for logical_id, resource in template["Resources"].items():
            name = f"{room}/{assembly.name(room, logical_id)}"
            for place, statement in _statements(resource, (room, "Resources", logical_id)):
                for said, changed in _changes(statement):
                    if changed == statement:
                        continue
                    at = f"{name} {'.'.join(map(str, place[3:]))}"
                    yield PolicyMutant(f"{at}: {said}", _with(assembly, place, changed))
            if resource["Type"] == "AWS::Lambda::Permission":
                for member in ("SourceArn", "SourceAccount"):
                    if member in resource["Properties"]:
                        less = copy.deepcopy(resource)
                        del less["Properties"][member]
                        change = _with(assembly, (room, "Resources", logical_id), less)
                        yield PolicyMutant(f"{name}: without {member}", change)


def _statements(value: Any, place: Place) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Every statement below a value, with its place."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "Statement" and isinstance(item, list):
                for index, statement in enumerate(item):
                    yield (*place, key, index), statement
            else:
                yield from _statements(item, (*place, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _statements(item, (*place, index))


def _with(assembly: Assembly, place: Place, value: Any) -> Templates:
    """The templates with another value in a place; None takes it away."""
    templates = copy.deepcopy(assembly.templates)
    *way, last = place
    owner: Any = templates
    for step in way:
        owner = owner[step]
    if value is None:
        del owner[last]
    else:
        owner[last] = value
    return templates


Change = tuple[str, dict[str, Any] | None]


def _changes(statement: dict[str, Any]) -> Iterator[Change]:
    yield from _actions(statement)
    yield from _resources(statement)
    yield from _conditions(statement)
    yield from _principals(statement)
    if statement["Effect"] == "Deny":
        yield "denies nothing", None


def _actions(statement: dict[str, Any]) -> Iterator[Change]:
    actions = as_list(statement["Action"])
    for action in actions:
        left = [each for each in actions if each != action]
        yield f"without {action}", {**statement, "Action": left} if left else None
    if statement["Effect"] == "Allow" and "Principal" not in statement:
        more = _neighbour(actions)
        yield f"with {more}", {**statement, "Action": [*actions, more]}


def _neighbour(actions: list[str]) -> str:
    """An action of the service that the statement does not hold, and that changes something."""
    service = actions[0].partition(":")[0]
    known = [
        f"{service}:{each['name']}"
        for each in permissions.actions_of(service).values()
        if each["accessLevel"] in {"Write", "Permissions management"}
    ]
    return next(each for each in sorted(known) if each not in actions)


def _resources(statement: dict[str, Any]) -> Iterator[Change]:
    if "Resource" not in statement:
        return
    resources = as_list(statement["Resource"])
    for index, resource in enumerate(resources):
        others = resources[:index] + resources[index + 1 :]
        if others:
            yield f"without resource {index}", {**statement, "Resource": others}
        if resource != "*" and statement["Effect"] == "Allow":
            yield f"resource {index} as *", {**statement, "Resource": [*others, "*"]}
            wide = _widened(resource)
            if wide != resource:
                yield f"resource {index} widened", {**statement, "Resource": [*others, wide]}


def _widened(resource: Any) -> Any:
    """Every resource of the same type, account and region: the ARN, from its name on, is `*`."""
    match resource:
        case {"Fn::Join": [str() as separator, [*parts]]}:
            kept: list[Any] = []
            for part in parts:
                if isinstance(part, str) and part.count(":") + part.count("/") > 0:
                    at = max(part.rfind(":"), part.rfind("/"))
                    if not (part.startswith("arn:") and part.count(":") < 2):
                        kept.append(part[: at + 1] + "*" if part is parts[-1] else part)
                        continue
                kept.append(part)
            last = kept[-1]
            kept[-1] = last if isinstance(last, str) and last.endswith("*") else "*"
            return {"Fn::Join": [separator, kept]}
        case str() if ":" in resource:
            return resource[: max(resource.rfind(":"), resource.rfind("/")) + 1] + "*"
        case _:
            return {"Fn::Join": ["", [resource, "*"]]}


def _conditions(statement: dict[str, Any]) -> Iterator[Change]:
    conditions = statement.get("Condition", {})
    for operator, tests in conditions.items():
        for key, value in tests.items():
            left = {name: each for name, each in tests.items() if name != key}
            rest = {name: each for name, each in conditions.items() if name != operator}
            without = {**rest, **({operator: left} if left else {})}
            changed = {**statement, "Condition": without}
            if not without:
                del changed["Condition"]
            yield f"without the condition on {key}", changed
            if key not in _BOOLEAN and statement["Effect"] == "Allow":
                opened = [*as_list(value), _FOREIGN]
                more = {**conditions, operator: {**tests, key: opened}}
                yield f"{key} may be another's, too", {**statement, "Condition": more}


_BOOLEAN = {"aws:SecureTransport", "sagemaker:NetworkIsolation"}


def _principals(statement: dict[str, Any]) -> Iterator[Change]:
    principal = statement.get("Principal")
    if isinstance(principal, dict) and statement["Effect"] == "Allow":
        yield "anybody may", {**statement, "Principal": {"AWS": "*"}}
        for kind, named in principal.items():
            more = [*as_list(named), "ec2.amazonaws.com"]
            if kind == "Service":
                yield "another service may", {**statement, "Principal": {kind: more}}


# The tests of what the templates grant, which know the development stage by its fixture.
TESTS = (
    "tests/stacks/test_storage.py",
    "tests/stacks/test_triggers.py",
    "tests/stacks/test_pipeline.py",
)


def noticed(mutant: PolicyMutant | None, kept: Path) -> int:
    """Look at a mutant as the gates and the tests of the templates do; 0 if none says a word.

    Args:
        mutant: None is the app as it is.
        kept: Holds what was synthesized, by its settings; what is not there is synthesized.
    """
    assembly = synthesized(kept, functions="local")
    if mutant is not None:
        assembly = Assembly(assembly.folder, assembly.stage)
        # What a cached property keeps: these templates rather than the files.
        assembly.__dict__["templates"] = mutant.templates
    if next(permissions.findings(assembly), None) is not None:
        return 1
    module: Any = assembly_module

    def synthesize(folder: Path, **context: Any) -> Assembly:
        found = synthesized(kept, **context)
        shutil.copytree(found.folder, folder, ignore=shutil.ignore_patterns("asset.*"))
        if mutant is not None and context == {"functions": "local"}:
            mutant.written_to(folder)
        return Assembly(folder, found.stage)

    module.synthesize = synthesize
    return running.run_tests(TESTS, tier="process")


def synthesized(kept: Path, **context: Any) -> Assembly:
    """The app with these settings, synthesized once."""
    name = hashlib.sha256(json.dumps(context, sort_keys=True).encode()).hexdigest()[:16]
    folder = kept / name
    if not folder.exists():
        _SYNTHESIZE(kept / f"{name}.partial", **context)
        (kept / f"{name}.partial").rename(folder)
    return Assembly(folder, str(context.get("stage", "dev")))


# What the gate of the permissions is made of, in gates/.
GATE = ("permissions.py", "bounds.py", "needs.json", "calls.json", "assembly.py", "simulate.mjs")


def sources() -> list[str]:
    """Whatever the templates are made from, from the project's folder."""
    folders = ("stacks", "lambda", "data_prep")
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return ["app.py", "cdk.json", *(str(path.relative_to(ROOT)) for path in found)]
