"""What CloudFormation would refuse, or lose, when a stack that is deployed is updated.

Two updates are looked at: from the last release, whose templates are kept in `released/`
(``python -m gates.updates`` writes them, when a release is made), and from the defaults to each
setting changed, and back (all at once, since a synthesis takes seconds; one by one to say which).
Found are exports that another stack imports and that go or change, which CloudFormation refuses,
and resources which hold data and would be replaced or deleted.
"""

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from gates.assembly import ACCOUNT, REGION, Assembly, synthesize
from gates.variants import synthesize_all

RELEASED = Path(__file__).with_name("released")

# What a setting is changed to, one after another. A test holds them to the settings there are.
TOGGLES: Mapping[str, Mapping[str, Any]] = {
    "account and region": {"account": ACCOUNT, "region": REGION},
    "alarm_topic_arn": {"alarm_topic_arn": f"arn:aws:sns:{REGION}:{ACCOUNT}:on-call"},
    "architecture": {"architecture": "arm64"},
    "encryption_key": {
        "encryption_key": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    },
    "incoming": {"incoming": {"enabled": False}},
    "instance_types": {"instance_types": ["ml.m5.large", "ml.m5.xlarge"]},
    "largest_volume_gb": {"largest_volume_gb": 4096},
    "log_retention_days": {"log_retention_days": 365},
    "network": {
        "network": {
            "subnets": ["subnet-0123456789abcdef0"],
            "security_groups": ["sg-0123456789abcdef0"],
        }
    },
    "permissions_boundary": {"permissions_boundary": f"arn:aws:iam::{ACCOUNT}:policy/boundary"},
    "removal": {"removal": "retain"},
    "run_retention_days": {"run_retention_days": 7},
    "run_timeout_hours": {"run_timeout_hours": 48},
    "schedule": {"schedule": {"enabled": True, "expression": "cron(0 3 * * ? *)"}},
    "source_buckets": {"source_buckets": ["partner-bucket"]},
    "source_hosts": {"source_hosts": ["archive.ics.uci.edu", "data.example.org"]},
    "xgboost_version": {"xgboost_version": "1.7-1"},
}
# Names of the stacks, and what is never changed where something is deployed.
NOT_CHANGED = {"stage", "functions"}

# A machine holds its executions, which could not be redriven or looked up any more.
_HOLDS_DATA = {
    "AWS::DynamoDB::Table",
    "AWS::KMS::Key",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
    "AWS::StepFunctions::StateMachine",
}

# What the last release is known to be replaced for, with what a person has to do, by what the
# finding begins with. It goes with the next release.
_NAMED = (
    "The machine got a name, so that no setting replaces it any more (CHANGELOG, Changed). Stop its"
    " runs, then `npx cdk destroy spine-dev-monitoring spine-dev-triggers` and deploy."
)
ACKNOWLEDGED: Mapping[str, str] = {
    "pipeline: Machine6FC8AE80 (AWS::StepFunctions::StateMachine) is replaced": _NAMED,
    "pipeline: the export spine-dev-pipeline:ExportsOutputRefMachine6FC8AE80": _NAMED,
    "pipeline: the export spine-dev-pipeline:ExportsOutputFnGetAttMachine6FC8AE80Name": _NAMED,
}


def problems(folder: Path) -> list[str]:
    """Say what the updates would break.

    Args:
        folder: Receives what is synthesized.
    """
    everything = {name: value for toggle in TOGGLES.values() for name, value in toggle.items()}
    asked = {"the defaults": {}, "every setting": everything}
    found = synthesize_all(folder / "together", asked)
    defaults = found["the defaults"]
    problems = [*_from_release(defaults)]
    if _both_ways("every setting", defaults, found["every setting"]):
        # Which of them it is takes a synthesis of each.
        for name, variant in synthesize_all(folder / "apart", TOGGLES).items():
            problems += _both_ways(name, defaults, variant)
    return problems


def _both_ways(name: str, defaults: Assembly, variant: Assembly) -> list[str]:
    return [
        *(f"{name} changed: {each}" for each in between(defaults, variant)),
        *(f"{name} changed back: {each}" for each in between(variant, defaults)),
    ]


def _from_release(defaults: Assembly) -> Iterator[str]:
    known = set()
    for problem in between(Assembly(RELEASED), defaults):
        reason = next((each for each in ACKNOWLEDGED if problem.startswith(each)), None)
        if reason is None:
            yield f"from the last release: {problem}"
        known.add(reason)
    for each in ACKNOWLEDGED:
        if each not in known:
            yield f"ACKNOWLEDGED in gates/updates.py: {each!r} is no problem any more"


def between(before: Assembly, after: Assembly) -> list[str]:
    """Say what would break if what is deployed as `before` became `after`."""
    replaced = dict(_replaced(before, after))
    return [*_broken_imports(before, after, replaced), *_lost(before, replaced)]


def _broken_imports(
    before: Assembly, after: Assembly, replaced: Mapping[tuple[str, str], str]
) -> Iterator[str]:
    """Exports in use: the stack that has them is updated before those that import them."""
    for importer in before.rooms:
        for name in sorted(_imports(before.templates[importer])):
            room, value = _exported(before, name)
            other, now = _exported(after, name)
            if now is None:
                yield f"{room}: the export {name} goes, and {importer} imports it"
            elif other != room or before.resolve(room, value) != after.resolve(room, now):
                yield f"{room}: the export {name} changes, and {importer} imports it"
            else:
                for logical_id in _references(value):
                    if how := replaced.get((room, logical_id)):
                        yield (
                            f"{room}: the export {name} changes, and {importer} imports it:"
                            f" {logical_id} {how}"
                        )


def _lost(before: Assembly, replaced: Mapping[tuple[str, str], str]) -> Iterator[str]:
    for (room, logical_id), how in replaced.items():
        kind = before.templates[room]["Resources"][logical_id]["Type"]
        if kind in _HOLDS_DATA:
            yield f"{room}: {logical_id} ({kind}) {how}, and it holds data"


def _replaced(before: Assembly, after: Assembly) -> Iterator[tuple[tuple[str, str], str]]:
    """What will not be there any more, and how, by room and logical id."""
    for room in before.rooms:
        now = after.templates.get(room, {}).get("Resources", {})
        for logical_id, resource in before.templates[room]["Resources"].items():
            if now.get(logical_id, {}).get("Type") != resource["Type"]:
                yield (room, logical_id), "is deleted"
                continue
            old = before.resolve(room, resource.get("Properties", {}))
            new = after.resolve(room, now[logical_id].get("Properties", {}))
            for path in _create_only(resource["Type"]):
                if _at(old, path) != _at(new, path):
                    yield (room, logical_id), f"is replaced for its {'.'.join(path)}"
                    break


@cache
def _create_only(kind: str) -> tuple[tuple[str, ...], ...]:
    """The properties whose change makes CloudFormation replace a resource, by its own schemas."""
    # Slow to import, and needed here only.
    from cfnlint.schema import ResourceNotFoundError
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

    if kind.startswith("Custom::"):
        return ()
    try:
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, kind).schema
    except ResourceNotFoundError:
        return ()
    found = schema.get("createOnlyProperties", ())
    return tuple(tuple(path.split("/")[2:]) for path in found)


def _at(properties: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        if not isinstance(properties, dict):
            return None
        properties = properties.get(name)
    return properties


def _imports(value: Any) -> set[str]:
    match value:
        case {"Fn::ImportValue": str() as name}:
            return {name}
        case dict():
            return set().union(*map(_imports, value.values()))
        case list():
            return set().union(*map(_imports, value))
        case _:
            return set()


def _exported(assembly: Assembly, name: str) -> tuple[str, Any]:
    """The room that exports a name, and the value unresolved; none of both where nobody does."""
    for room in assembly.rooms:
        for output in assembly.templates[room].get("Outputs", {}).values():
            if output.get("Export", {}).get("Name") == name:
                return room, output["Value"]
    return "", None


def _references(value: Any) -> set[str]:
    """The logical ids that a value is made of."""
    match value:
        case {"Ref": str() as logical_id} | {"Fn::GetAtt": [str() as logical_id, _]}:
            return {logical_id}
        case dict():
            return set().union(*map(_references, value.values()))
        case list():
            return set().union(*map(_references, value))
        case _:
            return set()


def main() -> int:
    """Keep the templates of this release."""
    RELEASED.mkdir(exist_ok=True)
    for path in RELEASED.glob("*.template.json"):
        path.unlink()
    with tempfile.TemporaryDirectory() as folder:
        assembly = synthesize(Path(folder), functions="local")
        for room in assembly.rooms:
            template = {
                name: part
                for name, part in assembly.templates[room].items()
                if name in ("Resources", "Outputs", "Mappings", "Parameters", "Conditions")
            }
            for resource in template["Resources"].values():
                resource.pop("Metadata", None)
            text = json.dumps(template, indent=1, sort_keys=True) + "\n"
            (RELEASED / f"spine-{assembly.stage}-{room}.template.json").write_text(text)
    sys.stdout.write(f"Wrote {RELEASED}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
