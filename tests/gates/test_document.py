"""docs/security.md says what the code does."""

from gates import document
from gates.assembly import Assembly


def test_the_document_is_current(assembly: Assembly) -> None:
    """The roles, the accepted findings and the rules are those that are synthesized."""
    assert document.written() == document.generated(assembly).strip(), (
        "run python -m gates.document"
    )


def test_no_action_is_without_its_reason(assembly: Assembly) -> None:
    """Every line of the tables says what it is for."""
    assert "| nothing |" not in document.generated(assembly)
