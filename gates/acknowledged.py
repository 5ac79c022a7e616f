"""Findings that are accepted: cdk-nag's where they arise (stacks), bandit's here, each with why."""

import json
import subprocess
import sys

from gates.assembly import ROOT, Assembly

# Of medium severity and above, by test and file.
BANDIT = {
    ("B310", "lambda/cleanup/teardown.py"): (
        "CloudFormation's own response address, checked to be https before it is opened."
    ),
    ("B704", "lambda/evaluate/report.py"): (
        "The charts escape every text that goes into them; tests/lambda/evaluate holds them to it."
    ),
}
_ROOMS = ("app.py", "stacks", "lambda", "data_prep", "local", "gates")


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
