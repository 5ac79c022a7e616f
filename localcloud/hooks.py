"""What the local cloud reaches into that its libraries keep private, and the check of it.

MiniStack and moto are pinned exactly. Both are hooked in places they don't promise to keep, so
every place is listed as a :class:`Hook` beside the code that uses it, and :func:`check` resolves
all of them before anything is installed. A library that moved something stops the start with one
message, instead of a state machine behaving strangely an hour later.
"""

import dataclasses
import importlib
import importlib.metadata
import inspect
from collections.abc import Iterable, Mapping
from typing import Any

EXPECTED_VERSIONS: Mapping[str, str] = {
    "ministack": "1.5.33",
    "moto": "5.2.5",
    "jsonata-python": "0.7.1",
}


class HookError(RuntimeError):
    """A library no longer has what the local cloud hooks into; the message lists all of it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Hook:
    """One private place of a library.

    Attributes:
        target: ``package.module:attribute.attribute``.
        reason: The gap of the library that hooking it closes.
        parameters: For a function that is replaced or wrapped: its parameter names, in order.
        contains: For a text that is edited: the fragments that must each occur exactly once.
    """

    target: str
    reason: str
    parameters: tuple[str, ...] | None = None
    contains: tuple[str, ...] = ()

    def resolve(self) -> Any:
        """Import the module and follow the attributes; a mapping's key counts as an attribute."""
        module, _, path = self.target.partition(":")
        found: Any = importlib.import_module(module)
        for name in path.split("."):
            found = (
                found[name.replace("/", "::")] if isinstance(found, dict) else getattr(found, name)
            )
        return found

    def problem(self) -> str | None:
        """Say what is wrong with this place, or None."""
        try:
            found = self.resolve()
        except (ImportError, AttributeError, KeyError) as error:
            return f"is gone ({error})"
        if self.parameters is not None:
            actual = tuple(inspect.signature(found).parameters)
            if actual != self.parameters:
                return f"takes {actual} instead of {self.parameters}"
        for fragment in self.contains:
            if found.count(fragment) != 1:
                return f"has {found.count(fragment)} times instead of once: {fragment.strip()!r}"
        return None


def put(owner: object, name: str, replacement: object) -> None:
    """Replace a library's attribute: the one way in which the hooks change anything."""
    setattr(owner, name, replacement)


def check(hooks: Iterable[Hook], versions: Mapping[str, str] = EXPECTED_VERSIONS) -> None:
    """Refuse to go on unless every hook is where it is expected.

    Raises:
        HookError: Naming each missing or changed place, why it is needed, and the versions
            expected and found.
    """
    problems = [(hook, problem) for hook in hooks if (problem := hook.problem())]
    if not problems:
        return
    lines = [f"  {hook.target} {problem}\n    needed: {hook.reason}" for hook, problem in problems]
    found = ", ".join(
        f"{name} {_installed(name)} (expected {version})" for name, version in versions.items()
    )
    raise HookError(
        "The local cloud cannot start: its libraries changed where it hooks into them.\n"
        + "\n".join(lines)
        + f"\nInstalled: {found}.\nInstall the versions of requirements.txt, or adapt the hooks."
    )


def _installed(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
