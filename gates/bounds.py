"""How far a policy may reach, beyond what the recorded calls show: names, folders, principals.

A call that succeeds does not tell whether the statement that lets it pass is wider than it must be.
Here each statement is held to what its service can be held to.
"""

import re
from collections.abc import Iterator
from typing import Any

from gates.assembly import ACCOUNT, Assembly, as_list

# What a resource with a wildcard must look like, by its service. `{stage}` is the prefix of the
# stage's names, `{app}` a resource of the app by its name.
_SHAPES = {
    # Objects below a folder, never a whole bucket.
    "s3": r"arn:aws:s3:::{app}/(incoming|uploads|runs|code)/[^?]*",
    "sagemaker": r"arn:aws:sagemaker:[^:]*:[^:]*:[a-z-]+/{stage}-\*",
    # The streams of one group; SageMaker names its own groups.
    "logs": r"arn:aws:logs:[^:*]*:[^:*]*:log-group:({app}:|/aws/sagemaker/)\*",
    "states": r"arn:aws:states:[^:*]*:[^:*]*:execution:{app}:\*",
}
# What a person called as they liked has no name to be told by: whoever uses what a run made is
# looked at, and what stands on a run's endpoint goes before it.
_UNNAMED = {
    "sagemaker:DescribeEndpoint": "endpoint/*",
    "sagemaker:DescribeEndpointConfig": "endpoint-config/*",
    "sagemaker:DescribeInferenceComponent": "inference-component/*",
    "sagemaker:DescribeTransformJob": "transform-job/*",
    "sagemaker:DeleteInferenceComponent": "inference-component/*",
    "application-autoscaling:DeregisterScalableTarget": "scalable-target/*",
}
# Of a run's folder a role is given parts, each by its name.
_FOLDER = re.compile(r"arn:aws:s3:::[^/]*/runs/\*/\*$")


def findings(assembly: Assembly, statements: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    """What reaches too far, in sentences.

    Args:
        assembly: The app.
        statements: Of each role.
    """
    yield from _assumed(assembly)
    yield from _reaching(assembly, statements)
    for kind in ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy"):
        for name, policy in assembly.resources(kind).items():
            yield from _shared(name, policy, kind)


def _assumed(assembly: Assembly) -> Iterator[str]:
    for name, role in assembly.resources("AWS::IAM::Role").items():
        trusted = [
            statement
            for statement in role["AssumeRolePolicyDocument"]["Statement"]
            if statement["Effect"] == "Allow" and statement["Action"] == "sts:AssumeRole"
        ]
        if not trusted:
            yield f"{name}: nobody may assume it"


def _reaching(assembly: Assembly, statements: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    app = "|".join(sorted(re.escape(name) for name in _names(assembly)))
    for role, held in statements.items():
        for statement in held:
            for resource in as_list(statement["Resource"]):
                if "*" not in resource or resource == "*" or _is_unnamed(statement, resource):
                    continue
                service = resource.split(":")[2]
                shape = _SHAPES.get(service, "(?!)").format(
                    app=f"({app})", stage=re.escape(f"spine-{assembly.stage}")
                )
                if not re.fullmatch(shape, resource) or _FOLDER.match(resource):
                    yield f"{role}: {resource} reaches beyond what is the app's"


def _is_unnamed(statement: dict[str, Any], resource: str) -> bool:
    return all(
        resource.endswith(f":{_UNNAMED.get(action, '')}") for action in as_list(statement["Action"])
    )


def _names(assembly: Assembly) -> set[str]:
    kinds = ("AWS::S3::Bucket", "AWS::Logs::LogGroup")
    machines = assembly.resources("AWS::StepFunctions::StateMachine").values()
    return {
        *(name for kind in kinds for name in assembly.resources(kind)),
        *(machine["StateMachineName"] for machine in machines),
    }


def _shared(name: str, policy: dict[str, Any], kind: str) -> Iterator[str]:
    """What is wrong with the policy of a bucket or a queue."""
    statements = policy["PolicyDocument"]["Statement"]
    is_bucket = kind == "AWS::S3::BucketPolicy"
    everything = "s3:*" if is_bucket else "sqs:*"
    owned = _owned(policy, is_bucket=is_bucket)
    denied = [
        each.get("Condition")
        for each in statements
        if each["Effect"] == "Deny"
        and each["Action"] == everything
        and each["Principal"] == {"AWS": "*"}
        and set(as_list(each["Resource"])) == owned
    ]
    if {"Bool": {"aws:SecureTransport": "false"}} not in denied:
        yield f"{name}: does not deny every call without TLS"
    if is_bucket and {"NumericLessThan": {"s3:TlsVersion": 1.2}} not in denied:
        yield f"{name}: does not deny every call with an old TLS"
    for each in (each for each in statements if each["Effect"] == "Allow"):
        ((sort, who),) = each["Principal"].items()
        if sort == "Service":
            tests = {
                key: value
                for test in each.get("Condition", {}).values()
                for key, value in test.items()
            }
            source = tests.get("aws:SourceArn")
            account = tests.get("aws:SourceAccount", ACCOUNT)
            if not isinstance(who, str):
                yield f"{name}: trusts {who} rather than one service"
            if not isinstance(source, str) or "*" in source or account != ACCOUNT:
                yield f"{name}: {who} may use it for {source or 'anything'} of {account}"
            # Only an account's own bucket has an ARN without the account.
            elif f":{ACCOUNT}:" not in source and "aws:SourceAccount" not in tests:
                yield f"{name}: {who} may use it for {source} of any account"
        elif f":iam::{ACCOUNT}:role/" not in str(who) or not isinstance(who, str):
            yield f"{name}: {who} may use it, who is no role of the app"
        beyond = [one for one in as_list(each["Resource"]) if not _within(one, owned)]
        if beyond:
            yield f"{name}: grants {beyond}, which is not its own"


def _owned(policy: dict[str, Any], *, is_bucket: bool) -> set[str]:
    """The ARNs of what a policy belongs to, as its own statements write them."""
    if is_bucket:
        arn = f"arn:aws:s3:::{policy['Bucket']}"
        return {arn, f"{arn}/*"}
    return {f"arn:aws:sqs:us-east-1:{ACCOUNT}:{queue}" for queue in policy["Queues"]}


def _within(resource: str, owned: set[str]) -> bool:
    return resource in owned or any(
        resource.startswith(each.removesuffix("*")) and each.endswith("/*") for each in owned
    )
