"""Findings that are accepted: cdk-nag's where they arise (stacks), others here, each with why."""

import json
import re
import subprocess
import sys

from gates.assembly import ROOT, Assembly

# Of medium severity and above, by test and file.
BANDIT = {
    ("B310", "lambda/common/cloudformation.py"): (
        "CloudFormation's own response address, checked to be https before it is opened."
    ),
    ("B108", "localcloud/folders.py"): (
        "mkdtemp makes a folder of its own there, with a random name and for its owner alone."
    ),
    ("B704", "lambda/evaluate/page.py"): (
        "The charts escape every text that goes into them; tests/lambda/evaluate holds them to it."
    ),
}
# checkov's findings in the default template, by check and logical id (a pattern, without its hash).
_LOGS = r"\w+Log"
_FUNCTIONS = (
    "Plan|Prepare|PreparationCodePublish|Predict|Evaluate|CleanUp|TearDown|Stop|Start|Sweep"
)
_CDKS = "CustomS3AutoDeleteObjectsCustomResourceProviderHandler"
_KEY_BY_SETTING = "AWS's own key encrypts it; a customer's does where `encryption_key` names one."
CHECKOV = {
    ("CKV_AWS_18", "AccessLogs"): "It is the bucket of the access logs itself.",
    (
        "CKV_AWS_21",
        "AccessLogs",
    ): "Access logs are written once and expire; nothing is overwritten.",
    ("CKV_AWS_27", r"\w+DeadLetters"): _KEY_BY_SETTING,
    ("CKV_AWS_115", f"{_FUNCTIONS}|{_CDKS}"): (
        "Reserved concurrency takes from the account's own; the state machine bounds what runs, "
        "and a function that is throttled is called again."
    ),
    ("CKV_AWS_116", f"{_FUNCTIONS}|{_CDKS}"): (
        "Start and Sweep, which events call, have queues as failure destinations; the others are "
        "called by Step Functions or CloudFormation, which wait for the answer."
    ),
    ("CKV_AWS_117", f"{_FUNCTIONS}|{_CDKS}"): (
        "They hold no connection into a private network; what would be in one are jobs and models "
        "(setting `network`)."
    ),
    ("CKV_AWS_119", "Started"): _KEY_BY_SETTING,
    ("CKV_AWS_158", _LOGS): _KEY_BY_SETTING,
    ("CKV_AWS_173", _FUNCTIONS): "The variables are names of resources, no secrets.",
}
_CHECKOV = ROOT / ".venv" / "checkov" / "bin" / "checkov"
_ROOMS = ("app.py", "stacks", "lambda", "data_prep", "localcloud", "spine", "gates")


def bandit() -> list[str]:
    """What bandit finds and nobody accepted, and what was accepted and is no longer found."""
    done = subprocess.run(  # noqa: S603 (our own words)
        [
            *(
                sys.executable,
                "-m",
                "bandit",
                "--quiet",
                "--format=json",
                "--severity-level=medium",
            ),
            *("--recursive", *_ROOMS),
        ],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    found = {
        (each["test_id"], each["filename"].removeprefix("./")): each
        for each in json.loads(done.stdout)["results"]
    }
    return [
        f"{file}:{each['line_number']}: {test} {each['issue_text']}"
        for (test, file), each in found.items()
        if (test, file) not in BANDIT
    ] + [f"{file}: {test} is accepted and not found" for test, file in BANDIT.keys() - found]


def checkov(assembly: Assembly) -> list[str] | None:
    """What checkov finds and nobody accepted, and the reverse; None where it is not installed.

    It pins packages that the project has in newer versions, so `make check` installs it in an
    environment of its own.
    """
    if not _CHECKOV.exists():
        return None
    done = subprocess.run(  # noqa: S603 (our own words)
        [
            str(_CHECKOV),
            *("--framework", "cloudformation", "--directory", str(assembly.folder)),
            # Neither policies nor guides are fetched.
            *("--skip-download", "--quiet", "--compact", "--output", "json"),
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    report = json.loads(done.stdout)
    problems = [f"cannot read {each}" for each in report["results"].get("parsing_errors", [])]
    met = set()
    for each in report["results"]["failed_checks"]:
        name = re.sub(r"[0-9A-F]{8}$", "", each["resource"].rpartition(".")[2])
        reasons = {
            key for key in CHECKOV if key[0] == each["check_id"] and re.fullmatch(key[1], name)
        }
        met |= reasons
        if not reasons:
            problems.append(f"{each['check_id']} {name}: {each['check_name']}")
    return problems + [f"{check} is accepted and not found" for check, _ in CHECKOV.keys() - met]


def rules(assembly: Assembly) -> list[tuple[str, str, str]]:
    """Accepted findings of cdk-nag: the rule, the construct, and the reason."""
    found = set()
    for path in sorted(assembly.folder.glob("*.metadata.json")):
        for construct, entries in json.loads(path.read_text()).items():
            for entry in entries:
                if entry["type"] != "aws:cdk:acknowledged-rules":
                    continue
                for rule, reason in entry["data"].items():
                    found.add((rule.removeprefix("Annotation::"), construct.lstrip("/"), reason))
    return sorted(found)
