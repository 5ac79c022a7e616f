"""What a rule says, and how a module writes its rules down."""

import pkgutil
from importlib import import_module

from gates import rules
from gates.machine import Machine
from gates.rules import RULES
from gates.rules.registry import Found, Rules


def test_every_rule_says_why_and_who_says_so() -> None:
    """A finding is of use only with its reason."""
    assert len({rule.name for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.source.startswith("https://"), rule.name
        assert len(rule.why.split()) >= 5, rule.name


def test_no_module_with_rules_is_left_out() -> None:
    """What a module writes down is judged without a further list to remember."""
    modules = [
        import_module(f"{rules.__name__}.{each.name}")
        for each in pkgutil.iter_modules(rules.__path__)
    ]
    written = [rule for module in modules for rule in getattr(module, "RULES", ())]
    assert sorted(rule.name for rule in written) == sorted(rule.name for rule in RULES)


def test_a_rule_is_written_down_in_its_place() -> None:
    """With the name, the reason and the source given, and the function as what looks."""
    written = Rules()

    @written.rule("first", why="It goes wrong otherwise", source="https://example.org")
    def _(machine: Machine) -> Found:
        yield machine.name, "is wrong"

    @written.rule("second", why="This, too", source="https://example.org")
    def _(machine: Machine) -> Found:
        yield from ()

    first, second = written
    assert (first.name, first.why, first.source) == (
        "first",
        "It goes wrong otherwise",
        "https://example.org",
    )
    machine = Machine("Mine", {"States": {}}, {}, "")
    assert list(first.check(machine)) == [("Mine", "is wrong")]
    assert list(second.check(machine)) == []
