"""How the local cloud reaches into what its libraries keep private, and the check of it.

MiniStack and moto are pinned exactly. Both are hooked in places that they do not promise to keep.
Each hook stands on the code that takes such a place, as a decorator with its reason:

* `replaces`: this function is called instead of the library's,
* `around`: the same, and it is given the library's as its first argument,
* `edits`: this function makes the new value of the library's attribute from the old one,
* `overrides`: this method of a subclass of ours is called instead of its base's,
* `uses`: this code reads or calls what the library keeps private.

Importing a module only registers its hooks. `check` looks at all of them before `install` changes
anything: a library that moved something stops the start with one message, instead of a state
machine behaving strangely an hour later.
"""

import dataclasses
import functools
import importlib
import importlib.metadata
import inspect
import re
import sys
import types
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypedDict, TypeVar, Unpack

EXPECTED_VERSIONS: Mapping[str, str] = {
    "ministack": "1.5.33",
    "moto": "5.2.5",
    "jsonata-python": "0.7.1",
}

_OURS = __name__.partition(".")[0]
Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class HookError(RuntimeError):
    """A library no longer has what the local cloud hooks into; the message lists all of it."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Hook:
    """One private place of a library.

    Attributes:
        target: `package.module:attribute.attribute`; a mapping's key counts as an attribute, with
            `/` for `::`.
        reason: The gap of the library that hooking it closes.
        parameters: For a function: its parameter names, in order.
        contains: For a text that is edited: the fragments that must each occur exactly once.
        overridden_by: For a method that is replaced: the library's subclasses with a method of
            their own in its place, which the replacement does not reach and which no other hook
            replaces.
        imported_by: For a module's function that is replaced: the prefix of the library's modules
            that import it by name, where it is replaced as well.
        platform: Where it is installed, in `sys.platform`'s words; None: everywhere.
        room: The module that hooks it.
        replacement: Makes what takes its place from what is there; None changes nothing.
    """

    target: str
    reason: str
    parameters: tuple[str, ...] | None = None
    contains: tuple[str, ...] = ()
    overridden_by: tuple[str, ...] = ()
    imported_by: str | None = None
    platform: str | None = None
    room: str = ""
    replacement: Callable[[Any], Any] | None = None

    def place(self) -> tuple[Any, str]:
        """Import the module and follow the attributes: what holds the place, and its name there."""
        module, _, path = self.target.partition(":")
        owner: Any = importlib.import_module(module)
        *parents, name = (each.replace("/", "::") for each in path.split("."))
        for parent in parents:
            owner = _member(owner, parent)
        return owner, name

    def resolve(self) -> Any:
        """What the library has there, whether or not the hook is installed."""
        return _originals[self] if self in _originals else _member(*self.place())

    def problem(self, importers: Mapping[int, Sequence[str]]) -> str | None:
        """Say what is wrong with this place, or None.

        Args:
            importers: The loaded modules that have a function as a global, by its `id`.
        """
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
        return self._bypassed(found, importers) if self.replacement else None

    def _bypassed(self, found: Any, importers: Mapping[int, Sequence[str]]) -> str | None:
        """Say by which subclass or caller the replacement would be missed, or None."""
        owner, name = self.place()
        if inspect.isclass(owner):
            overriding = {
                each.__name__
                for each in _subclasses(owner)
                if name in vars(each)
                and each.__module__.partition(".")[0] != _OURS
                and f"{each.__module__}:{each.__qualname__}.{name}" not in _replaced()
            }
            if overriding != set(self.overridden_by):
                return f"is overridden by {sorted(overriding)} instead of {self.overridden_by}"
        if not inspect.ismodule(owner):
            return None
        home = self.target.partition(":")[0]
        missed = sorted(
            module
            for module in importers.get(id(found), ())
            if module != home
            and module.partition(".")[0] == home.partition(".")[0]
            and not (self.imported_by and module.startswith(self.imported_by))
        )
        return f"is imported by {missed}, which would go past the hook" if missed else None

    def put_in(self) -> None:
        """Put the replacement in the place, and wherever else the library imported it."""
        if self in _originals or self.replacement is None:
            return
        if self.platform not in (None, sys.platform):
            return
        owner, name = self.place()
        original = _member(owner, name)
        _originals[self] = original
        replacement = self.replacement(original)
        if _is_classmethod(owner, name):
            put(owner, name, classmethod(replacement))
        else:
            put(owner, name, replacement)
        if self.imported_by:
            for module in _modules(self.imported_by):
                for imported_as, value in list(vars(module).items()):
                    if value is original:
                        put(module, imported_as, replacement)


_registered: list[Hook] = []
_originals: dict[Hook, Any] = {}


class _Where(TypedDict, total=False):
    """What `Hook` says of where a replacement is put; each member may be left out."""

    overridden_by: tuple[str, ...]
    imported_by: str
    platform: str


def replaces(
    *targets: str, reason: str, **where: Unpack[_Where]
) -> Callable[[Decorated], Decorated]:
    """Have the decorated function called instead of the targets, which must take what it takes.

    Args:
        targets: What is hooked.
        reason: Why.
        where: See `Hook`.
    """

    def hooks(function: Decorated) -> Iterator[Hook]:
        expected = _parameters(function)
        for target in targets:
            yield Hook(
                target=target,
                reason=reason,
                parameters=expected,
                replacement=lambda _: function,
                **where,
            )

    return _registering(hooks)


def around(
    *targets: str,
    reason: str,
    parameters: tuple[str, ...] | None = None,
    **where: Unpack[_Where],
) -> Callable[[Decorated], Decorated]:
    """Have the decorated function called instead of the targets, with the original in front.

    Args:
        targets: What is hooked; with several, each call is given its own original.
        reason: Why.
        parameters: What the targets take; left out, what the function takes behind the original.
        where: See `Hook`.
    """

    def hooks(function: Decorated) -> Iterator[Hook]:
        expected = parameters or _parameters(function)[1:]
        replacement = functools.partial(_given_original, function)
        for target in targets:
            yield Hook(
                target=target,
                reason=reason,
                parameters=expected,
                replacement=replacement,
                **where,
            )

    return _registering(hooks)


def edits(
    target: str, *, reason: str, contains: tuple[str, ...] = (), **where: Unpack[_Where]
) -> Callable[[Decorated], Decorated]:
    """Have the decorated function make the target's new value from the one it has.

    Args:
        target: What is hooked.
        reason: Why.
        contains: Of a text: the fragments that the function changes.
        where: See `Hook`.
    """

    def hooks(function: Decorated) -> Iterator[Hook]:
        yield Hook(target=target, reason=reason, contains=contains, replacement=function, **where)

    return _registering(hooks)


def overrides(target: str, *, reason: str) -> Callable[[Decorated], Decorated]:
    """Note which method of a library's class the decorated one overrides, with its parameters."""

    def hooks(function: Decorated) -> Iterator[Hook]:
        yield Hook(target=target, reason=reason, parameters=_parameters(function))

    return _registering(hooks)


def uses(
    target: str, *, reason: str, parameters: tuple[str, ...] | None = None
) -> Callable[[Decorated], Decorated]:
    """Note what the decorated code reads or calls in a library, and changes nothing there."""

    def hooks(_: Decorated) -> Iterator[Hook]:
        yield Hook(target=target, reason=reason, parameters=parameters)

    return _registering(hooks)


def registered(*rooms: str) -> tuple[Hook, ...]:
    """The hooks of the modules imported so far, in the order of their registration.

    Args:
        rooms: The modules, or the packages that hold them.
    """
    return tuple(
        hook
        for hook in _registered
        if any(hook.room == room or hook.room.startswith(f"{room}.") for room in rooms)
    )


def check(hooks: Iterable[Hook], versions: Mapping[str, str] = EXPECTED_VERSIONS) -> None:
    """Refuse to go on unless every hook is where it is expected.

    Raises:
        HookError: Naming each missing or changed place, why it is needed, and the versions
            expected and found.
    """
    looked_at = tuple(hooks)
    replaced = Counter(hook.target for hook in looked_at if hook.replacement)
    importers = _importers(tuple({re.split("[.:]", hook.target)[0] for hook in looked_at}))
    problems = [(hook, problem) for hook in looked_at if (problem := hook.problem(importers))]
    problems += [
        (hook, "is replaced by two hooks")
        for hook in looked_at
        if hook.replacement and replaced[hook.target] > 1
    ]
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


def install(hooks: Iterable[Hook]) -> None:
    """Put hooks in place, each once. Call after `check`."""
    for hook in hooks:
        hook.put_in()


def put(owner: Any, name: str, replacement: object) -> None:
    """Replace a library's attribute or a mapping's item: the one way in which hooks change it."""
    if isinstance(owner, dict):
        owner[name] = replacement
    else:
        setattr(owner, name, replacement)


def _replaced() -> set[str]:
    return {hook.target for hook in _registered if hook.replacement}


def _registering(
    hooks: Callable[[Decorated], Iterator[Hook]],
) -> Callable[[Decorated], Decorated]:
    """The decorator that registers hooks, and leaves what it decorates as it is."""

    def decorate(code: Decorated) -> Decorated:
        _registered.extend(dataclasses.replace(hook, room=code.__module__) for hook in hooks(code))
        return code

    return decorate


def _parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    found = inspect.signature(function).parameters
    if any(each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD) for each in found.values()):
        raise TypeError(f"{function.__qualname__} must name the parameters of what it hooks")
    return tuple(found)


def _given_original(function: Callable[..., Any], original: Any) -> Callable[..., Any]:
    """The function with the original as its first argument; a method where it is put on a class."""
    if inspect.iscoroutinefunction(function):

        @functools.wraps(original)
        async def awaited(*arguments: Any, **options: Any) -> Any:
            return await function(original, *arguments, **options)

        return awaited

    @functools.wraps(original)
    def called(*arguments: Any, **options: Any) -> Any:
        return function(original, *arguments, **options)

    return called


def _member(owner: Any, name: str) -> Any:
    if isinstance(owner, dict):
        return owner[name]
    found = getattr(owner, name)
    return found.__func__ if _is_classmethod(owner, name) else found


def _is_classmethod(owner: Any, name: str) -> bool:
    return isinstance(inspect.getattr_static(owner, name, None), classmethod)


def _subclasses(of: type[Any]) -> Iterator[type[Any]]:
    for each in of.__subclasses__():
        yield each
        yield from _subclasses(each)


def _modules(prefix: str | tuple[str, ...]) -> list[types.ModuleType]:
    """The modules loaded under a prefix, or one of several."""
    return [found for name, found in list(sys.modules.items()) if found and name.startswith(prefix)]


def _importers(libraries: tuple[str, ...]) -> dict[int, list[str]]:
    """The loaded modules of libraries that have a function as a global, by its `id`."""
    found: dict[int, list[str]] = {}
    for module in _modules(libraries):
        for value in list(vars(module).values()):
            if isinstance(value, types.FunctionType):
                found.setdefault(id(value), []).append(module.__name__)
    return found


def _installed(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
