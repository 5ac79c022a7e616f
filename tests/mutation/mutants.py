"""Mutants of a source file: the file with one small change, as mutmut's operators make it.

mutmut's own command mutates the bodies of functions only. Here its operators are applied wherever
code runs: tables, constants and decorated functions too. Left out is what decides nothing at run
time: annotations, imports, docstrings, what only type checkers read.
"""

import dataclasses
import difflib
import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import libcst as cst
import libcst.matchers as m
from mutmut.mutation.mutators import mutation_operators, operator_string

ROOT = Path(__file__).resolve().parents[2]


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One file with one change.

    Attributes:
        path: From the project's folder.
        source: The whole file, changed.
        original: The whole file.
    """

    path: str
    source: str
    original: str

    @property
    def key(self) -> str:
        """The same for the same change of the same file."""
        return hashlib.sha256(f"{self.path}\n{self.source}".encode()).hexdigest()[:20]

    @property
    def diff(self) -> str:
        """The change, as `diff -u` shows it."""
        lines = difflib.unified_diff(
            self.original.splitlines(),
            self.source.splitlines(),
            f"a/{self.path}",
            f"b/{self.path}",
            lineterm="",
            n=1,
        )
        return "\n".join(lines)

    @property
    def change(self) -> str:
        """The change on one line: the path, what is gone, and what is there instead."""
        changed = self.diff.splitlines()[2:]
        gone, come = (
            " ".join(each[1:].strip() for each in changed if each[0] == sign) for sign in "-+"
        )
        return f"{self.path}: {gone} -> {come}"


def of_file(path: str) -> list[Mutant]:
    """Every mutant of a file that compiles, in the order of the file.

    Args:
        path: From the project's folder.
    """
    original = (ROOT / path).read_text()
    module = cst.MetadataWrapper(cst.parse_module(original)).module
    visitor = _Visitor()
    module.visit(visitor)
    found: dict[str, Mutant] = {}
    for node, other in visitor.changes:
        changed = module.deep_replace(node, other)
        source = changed.code if isinstance(changed, cst.Module) else original
        if source != original and source not in found and _compiles(source):
            found[source] = Mutant(path, source, original)
    return list(found.values())


def _compiles(source: str) -> bool:
    try:
        compile(source, "mutant", "exec")
    except SyntaxError:
        return False
    return True


class _Visitor(cst.CSTVisitor):
    """Collects each node with what an operator makes of it."""

    def __init__(self) -> None:
        super().__init__()
        self.changes: list[tuple[cst.CSTNode, cst.CSTNode]] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Apply the operators, unless the code is not for run time."""
        if m.matches(node, _NOT_RUN):
            return False
        for kind, operator in _OPERATORS:
            if isinstance(node, kind):
                self.changes += [(node, other) for other in operator(node)]
        return True


_NOT_RUN = (
    m.Annotation()
    | m.Decorator()
    | m.Import()
    | m.ImportFrom()
    | m.Subscript(value=m.Name("Literal"))
    | m.Assign(value=m.Subscript(value=m.Name("Literal")) | m.Call(func=m.Name("TypeVar")))
    | m.If(test=m.Name("TYPE_CHECKING"))
    | m.FunctionDef(decorators=[m.ZeroOrMore(), m.Decorator(m.Name("overload")), m.ZeroOrMore()])
    # What these answer for another argument is never a question of the project's.
    | m.Call(func=m.Name("len") | m.Name("isinstance"))
)


def _texts(node: cst.BaseString) -> Iterator[cst.BaseString]:
    """A name is changed as mutmut does; of a sentence, which is for people, only its letters.

    A test finds a sentence by some of its words: it could not tell one that has more before and
    behind, so that mutant says nothing of the test.
    """
    changed = list(operator_string(node))
    if isinstance(node, cst.SimpleString) and " " in str(node.evaluated_value):
        yield from changed[-1:]
    else:
        yield from changed[:1]


def _conditions(node: cst.If) -> Iterator[cst.If]:
    """Turn a condition round."""
    test = node.test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    yield node.with_changes(test=cst.UnaryOperation(cst.Not(), test))


def _statements(node: cst.SimpleStatementLine) -> Iterator[cst.SimpleStatementLine]:
    """Leave out a call whose answer nobody takes, and what is raised."""
    if m.matches(node, m.SimpleStatementLine([m.Expr(m.Call()) | m.Raise()])):
        yield node.with_changes(body=[cst.Pass()])


_OPERATORS: list[tuple[type, Callable[[Any], Iterable[cst.CSTNode]]]] = [
    *((kind, each) for kind, each in mutation_operators if each is not operator_string),
    (cst.SimpleString, _texts),
    (cst.If, _conditions),
    (cst.SimpleStatementLine, _statements),
]
