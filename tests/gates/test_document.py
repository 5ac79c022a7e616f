"""docs/security.md says what the code does."""

from gates import acknowledged, document
from gates.assembly import Assembly


def test_the_document_is_current(assembly: Assembly) -> None:
    """The roles, the accepted findings and the rules are those that are synthesized."""
    assert document.written() == document.generated(assembly).strip(), (
        "run python -m gates.document"
    )


def test_no_action_is_without_its_reason(assembly: Assembly) -> None:
    """Every line of the tables says what it is for."""
    assert "| nothing |" not in document.generated(assembly)


def test_every_accepted_finding_says_why(assembly: Assembly) -> None:
    """With a sentence of its own, not a word."""
    found = acknowledged.rules(assembly)
    assert found
    assert [rule for rule, _, reason in found if len(reason.split()) < 5] == []


def test_bandit_finds_what_is_accepted_and_no_more() -> None:
    """Of medium severity and above, in everything that runs."""
    assert acknowledged.bandit() == []
