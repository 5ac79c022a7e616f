"""All gates are run, and each says what it found."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gates import __main__ as command

GATES = ("cfn-lint", "definition", "permissions", "updates", "document", "bandit", "checkov")


@pytest.fixture
def gates(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str] | None]:
    """What each gate finds; nothing, unless a test says so."""
    found: dict[str, list[str] | None] = {name: [] for name in GATES}

    def synthesize(_: Path, *, functions: str, validate: bool) -> str:
        assert (functions, validate) == ("local", True)
        return "assembly"

    monkeypatch.setattr(command, "synthesize", synthesize)
    monkeypatch.setattr(command, "_nist", lambda _: "7 controls with findings")
    monkeypatch.setattr(command, "_cfn_lint", lambda _: found["cfn-lint"])
    monkeypatch.setattr(command, "_document", lambda _: found["document"])
    for name in ("definition", "permissions", "updates"):
        gate: Any = SimpleNamespace(problems=lambda _, name=name: found[name])
        monkeypatch.setattr(command, name, gate)
    acknowledged: Any = SimpleNamespace(
        bandit=lambda: found["bandit"], checkov=lambda _: found["checkov"]
    )
    monkeypatch.setattr(command, "acknowledged", acknowledged)
    return found


def test_without_a_finding_the_gates_are_open(
    gates: dict[str, list[str] | None], capsys: pytest.CaptureFixture[str]
) -> None:
    """A line each, with its time; the NIST pack is reported and not enforced."""
    assert command.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(gates) + 2
    assert all(line.startswith("✓ ") and line.endswith(" s") for line in lines)
    assert "7 controls with findings" in lines[-1]


@pytest.mark.parametrize("name", GATES)
def test_a_finding_of_any_gate_closes_them_all(
    gates: dict[str, list[str] | None], capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """The others are run all the same, so that a person sees everything at once."""
    gates[name] = ["one thing is wrong", "another"]
    assert command.main() == 1
    lines = capsys.readouterr().out.splitlines()
    (at,) = [number for number, line in enumerate(lines) if line.startswith("✗ ")]
    assert lines[at + 1 : at + 3] == ["  one thing is wrong", "  another"]
    assert len(lines) == len(gates) + 4


def test_a_tool_that_is_not_installed_is_said_and_finds_nothing(
    gates: dict[str, list[str] | None], capsys: pytest.CaptureFixture[str]
) -> None:
    """With how to get it."""
    gates["checkov"] = None
    assert command.main() == 0
    assert "- checkov is not installed: `make check` installs" in capsys.readouterr().out


def test_a_pack_that_fails_without_a_report_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its findings fail the synthesis as well, but leave a report."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no node")

    monkeypatch.setattr(command, "synthesize", fail)
    assert command._nist(str(tmp_path)) == "no report: no node"
