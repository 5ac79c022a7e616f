"""Every gate, once: ``python -m gates``. Part of `make check`; takes well under a minute."""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gates import acknowledged, definition, document, permissions, updates
from gates.assembly import ROOT, Assembly, synthesize

# Not enforced: several of its controls demand what a customer decides (a VPC, keys, replication).
_NIST = ROOT / "build" / "reports" / "nist-800-53.json"


def main() -> int:
    """Run the gates, print what each finds, and return the exit code."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor() as pool:
        started = time.monotonic()
        nist = pool.submit(_nist, folder)
        # cdk-nag's AWS Solutions rules and the CDK's own for CloudFormation are part of the
        # synthesis, which fails with a finding.
        assembly = synthesize(Path(folder) / "app", functions="local", validate=True)
        gates: dict[str, Callable[[], list[str] | None]] = {
            "cfn-lint": lambda: _cfn_lint(assembly),
            "definition": lambda: definition.problems(assembly),
            "permissions": lambda: permissions.problems(assembly),
            "updates": lambda: updates.problems(Path(folder) / "updates"),
            "docs/security.md": lambda: _document(assembly),
            "bandit": acknowledged.bandit,
            "checkov": lambda: acknowledged.checkov(assembly),
        }
        _say("cdk-nag, CDK rules", [], started)
        found = 0
        for name, gate in gates.items():
            started = time.monotonic()
            problems = gate()
            if problems is None:
                sys.stdout.write(f"- {name} is not installed: `make check` installs and runs it\n")
                continue
            _say(name, problems, started)
            found += len(problems)
        _say(f"NIST 800-53, reported in {_NIST.relative_to(ROOT)}: {nist.result()}", [], started)
    return 1 if found else 0


def _say(name: str, problems: list[str], started: float) -> None:
    taken = f"{time.monotonic() - started:.1f} s"
    sys.stdout.write(f"{'✗' if problems else '✓'} {name}  {taken}\n")
    for problem in problems:
        sys.stdout.write(f"  {problem}\n")
    sys.stdout.flush()


def _cfn_lint(assembly: Assembly) -> list[str]:
    templates = [str(path) for path in sorted(assembly.folder.glob("*.template.json"))]
    command = str(Path(sys.executable).with_name("cfn-lint"))
    done = subprocess.run(  # noqa: S603 (the tool of our own environment)
        [command, "--regions", "eu-west-1", "--", *templates],
        check=False,
        capture_output=True,
        text=True,
    )
    return (done.stdout + done.stderr).splitlines() if done.returncode else []


def _document(assembly: Assembly) -> list[str]:
    if document.generated(assembly).strip() == document.written():
        return []
    return ["does not say what the code does any more: run python -m gates.document"]


def _nist(folder: str) -> str:
    """Synthesize again under the NIST pack; keep its report and say how much it holds."""
    target = Path(folder) / "nist"
    try:
        synthesize(target, functions="local", checks="nist")
    except RuntimeError as error:
        if not (target / "validation-report.json").exists():
            return f"no report: {str(error)[-300:]}"
    _NIST.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(target / "validation-report.json", _NIST)
    (report, *_) = json.loads(_NIST.read_text())["pluginReports"]
    return f"{len(report['violations'])} controls with findings"


if __name__ == "__main__":
    sys.exit(main())
