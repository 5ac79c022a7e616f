"""What is accepted is found, says why, and is all that is found."""

import json
import sys
from pathlib import Path

import pytest

from gates import acknowledged
from gates.assembly import Assembly


def test_every_accepted_finding_says_why(assembly: Assembly) -> None:
    """With a sentence of its own, not a word."""
    found = acknowledged.rules(assembly)
    assert found
    assert [rule for rule, _, reason in found if len(reason.split()) < 5] == []


@pytest.mark.process
def test_bandit_finds_what_is_accepted_and_no_more() -> None:
    """Of medium severity and above, in everything that runs."""
    assert acknowledged.bandit() == []


def test_checkov_finds_what_is_accepted_and_no_more(
    assembly: Assembly, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One more is a problem, one less too; without checkov the gate says that it did not run."""
    accepted = [
        {"check_id": check, "check_name": "", "resource": f"AWS::X::Y.{name}0123ABCD"}
        for check, names in acknowledged.CHECKOV
        for name in [names.split("|")[0].replace(r"\w+", "Start")]
    ]
    other = {"check_id": "CKV_AWS_53", "check_name": "Public", "resource": "AWS::S3::Bucket.Data"}
    scanner = tmp_path / "checkov"
    monkeypatch.setattr(acknowledged, "_CHECKOV", scanner)
    assert acknowledged.checkov(assembly) is None
    for found, problems in (
        (accepted, []),
        ([*accepted, other], ["CKV_AWS_53 Data: Public"]),
        (accepted[1:], [f"{accepted[0]['check_id']} is accepted and not found"]),
    ):
        report = {"results": {"failed_checks": found, "parsing_errors": []}}
        scanner.write_text(f"#!{sys.executable}\nprint({json.dumps(report)!r})\n")
        scanner.chmod(0o755)
        assert acknowledged.checkov(assembly) == problems
