"""The hooks into the libraries, their check at start-up and their installation."""

import importlib
import inspect
import pkgutil
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import localcloud
from localcloud import emulator, hooks
from localcloud.hooks import Hook, HookError, check, install, registered
from localcloud.stepfunctions import engine

# As the gateway chooses them.
OF_EMULATOR = [
    importlib.import_module(f"{emulator.__name__}.{name}").__name__
    for name in (*emulator.ALWAYS_HOOKED, "iam")
]
ALL = registered(engine.__package__, *OF_EMULATOR)


def test_every_hooked_place_is_there() -> None:
    """The installed libraries have every place that is hooked, and each has its reason."""
    check(ALL)
    assert all(hook.reason for hook in ALL)


def test_no_module_with_hooks_is_forgotten() -> None:
    """Every module that hooks a library is among those that the gateway imports and checks."""
    hooking = {
        name
        for _, name, is_package in pkgutil.walk_packages(localcloud.__path__, "localcloud.")
        if not is_package and ".sagemaker." not in name and "@hooks." in _source(name)
    }
    assert hooking == {hook.room for hook in ALL}


def _source(name: str) -> str:
    specification = importlib.util.find_spec(name)
    assert specification
    assert specification.loader
    return str(specification.loader.get_source(name))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("hook", "said"),
    [
        (Hook(target="ministack.services.s3:_absent", reason="why a"), "_absent is gone"),
        (Hook(target="ministack.absent:x", reason="why b"), "ministack.absent:x is gone"),
        (
            Hook(
                target="ministack.services.cloudformation.provisioners:"
                "_RESOURCE_HANDLERS.AWS/None.create",
                reason="why c",
            ),
            "AWS/None.create is gone",
        ),
        (
            Hook(
                target="ministack.services.stepfunctions:_run_execution",
                reason="why d",
                parameters=("self", "other"),
            ),
            "takes ('exec_arn',) instead of ('self', 'other')",
        ),
        (
            Hook(
                target="ministack.core.lambda_runtime:_PYTHON_WORKER_SCRIPT",
                reason="why e",
                contains=("no such line",),
            ),
            "has 0 times instead of once: 'no such line'",
        ),
    ],
)
def test_a_changed_place_stops_the_start(hook: Hook, said: str) -> None:
    """A missing or changed place is named with its reason and the versions, among sound ones."""
    with pytest.raises(HookError) as refused:
        check((*ALL, hook))
    message = str(refused.value)
    assert said in message
    assert hook.reason in message
    assert "ministack 1.5.33 (expected 1.5.33)" in message


def test_versions_expected_and_found_are_said() -> None:
    """The message tells which version was found and which was expected, or that none is there."""
    hook = Hook(target="ministack.services.s3:_absent", reason="why")
    with pytest.raises(HookError) as refused:
        check([hook], {"moto": "9.9.9", "absent-library": "1.0"})
    assert "(expected 9.9.9)" in str(refused.value)
    assert "absent-library not installed (expected 1.0)" in str(refused.value)


LIBRARY = """
def greet(name, mark="!"):
    return f"hello {name}{mark}"

async def fetch(name):
    return f"fetched {name}"

HANDLERS = {"AWS::Thing": {"create": greet}}
WORDS = ["one"]

class Base:
    def work(self, amount):
        return amount

    @classmethod
    def make(cls, amount):
        return cls, amount

class Derived(Base):
    def work(self, amount):
        return -amount
"""


class Library:
    """A made-up library of two modules, and the hooks that a test registers on it."""

    def __init__(self) -> None:
        self.home: Any = _module("fakelib", "")
        self.core: Any = _module("fakelib.core", LIBRARY)
        self.caller: Any = _module("fakelib.caller", "from fakelib.core import greet, WORDS")
        self._known = len(hooks._registered)

    @property
    def hooks(self) -> tuple[Hook, ...]:
        """What was registered since."""
        return tuple(hooks._registered[self._known :])

    def forget(self) -> None:
        """Unload it, and its hooks."""
        del hooks._registered[self._known :]
        for name in ("fakelib", "fakelib.core", "fakelib.caller"):
            del sys.modules[name]


def _module(name: str, source: str) -> types.ModuleType:
    module = types.ModuleType(name)
    sys.modules[name] = module
    exec(source, module.__dict__)  # noqa: S102 - a text of this file
    return module


@pytest.fixture
def library() -> Iterator[Library]:
    """A made-up library."""
    made = Library()
    yield made
    made.forget()


def test_importing_a_hook_installs_nothing(library: Library) -> None:
    """A decorated function replaces the library's only once hooks are installed."""

    @hooks.replaces("fakelib.core:greet", reason="rude", imported_by="fakelib.caller")
    def greet(name: str, mark: str = "?") -> str:
        return f"good day {name}{mark}"

    assert library.core.greet("Ann") == "hello Ann!"
    check(library.hooks)
    assert library.core.greet("Ann") == "hello Ann!"
    install(library.hooks)
    assert library.core.greet("Ann") == "good day Ann?"
    assert library.caller.greet("Ann") == "good day Ann?"
    assert greet("Ann") == "good day Ann?"


def test_a_hook_around_is_given_the_original(library: Library) -> None:
    """The original comes first, on functions, methods, class methods, coroutines and handlers."""

    @hooks.around("fakelib.core:HANDLERS.AWS/Thing.create", reason="too quiet")
    def _loud(greet: Callable[..., str], name: str, mark: str = "!") -> str:
        return greet(name, mark).upper()

    @hooks.around("fakelib.core:Base.work", "fakelib.core:Derived.work", reason="too little")
    def _twice(work: Callable[..., int], self: Any, amount: int) -> int:
        return 2 * work(self, amount)

    @hooks.around("fakelib.core:Base.make", reason="too small")
    def _more(make: Callable[..., Any], cls: type, amount: int) -> Any:
        return make(cls, amount + 1)

    @hooks.around("fakelib.core:fetch", reason="unsaid")
    async def _said(fetch: Callable[..., Any], name: str) -> str:
        return f"{await fetch(name)}."

    check(library.hooks)
    install(library.hooks)
    core = library.core
    assert core.HANDLERS["AWS::Thing"]["create"]("Ann") == "HELLO ANN!"
    assert (core.Base().work(3), core.Derived().work(amount=3)) == (6, -6)
    assert core.Derived.make(1) == (core.Derived, 2)
    assert inspect.iscoroutinefunction(core.fetch)
    with pytest.raises(StopIteration) as ended:
        core.fetch("it").send(None)
    assert ended.value.value == "fetched it."


def test_a_value_is_edited_wherever_it_was_imported(library: Library) -> None:
    """An edit is given the old value; what imported the old one gets the new one."""

    @hooks.edits("fakelib.core:WORDS", reason="too few", imported_by="fakelib.caller")
    def _more(words: list[str]) -> list[str]:
        return [*words, "two"]

    check(library.hooks)
    install(library.hooks)
    assert library.core.WORDS == library.caller.WORDS == ["one", "two"]


def test_hooks_are_installed_once(library: Library) -> None:
    """Installed again, nothing is wrapped twice, and the check still sees the originals."""

    @hooks.around("fakelib.core:Derived.work", reason="too little")
    def _twice(work: Callable[..., int], self: Any, amount: int) -> int:
        return 2 * work(self, amount)

    install(library.hooks)
    install(library.hooks)
    check(library.hooks)
    assert library.core.Derived().work(3) == -6


def test_another_platform_is_left_alone(library: Library) -> None:
    """A hook of another platform is checked, and not installed."""

    @hooks.around("fakelib.core:Derived.work", reason="too little", platform="plan9")
    def _twice(work: Callable[..., int], self: Any, amount: int) -> int:
        return 2 * work(self, amount)

    check(library.hooks)
    install(library.hooks)
    assert library.core.Derived().work(3) == -3


def test_other_parameters_are_a_problem(library: Library) -> None:
    """The parameters of the decorated function are those that the library's must have."""

    @hooks.replaces("fakelib.core:greet", reason="rude", imported_by="fakelib.caller")
    def greet(name: str) -> str:
        return name

    with pytest.raises(HookError, match=r"greet takes \('name', 'mark'\) instead of \('name',\)"):
        check(library.hooks)
    assert greet("Ann") == "Ann"


def test_a_subclass_with_a_method_of_its_own_is_a_problem(library: Library) -> None:
    """A subclass that the replacement would not reach must be named, or hooked as well."""

    def twice(work: Callable[..., int], self: Any, amount: int) -> int:
        return 2 * work(self, amount)

    hooks.around("fakelib.core:Base.work", reason="too little")(twice)
    with pytest.raises(HookError, match=r"overridden by \['Derived'\] instead of \(\)"):
        check(library.hooks)
    hooks.around("fakelib.core:Derived.work", reason="too little")(twice)
    check(library.hooks)


def test_a_named_subclass_that_is_gone_is_a_problem(library: Library) -> None:
    """A subclass that overrides is named as long as there is one."""

    @hooks.replaces("fakelib.core:Base.work", reason="why", overridden_by=("Derived", "Other"))
    def _nothing(self: Any, amount: int) -> int:
        del self
        return 0 * amount

    with pytest.raises(HookError, match=r"overridden by \['Derived'\] instead of \('Derived', "):
        check(library.hooks)


def test_a_caller_that_goes_past_a_hook_is_a_problem(library: Library) -> None:
    """A module that imported the function by name would keep the original."""

    @hooks.around("fakelib.core:greet", reason="too quiet")
    def _loud(greet: Callable[..., str], name: str, mark: str = "!") -> str:
        return greet(name, mark).upper()

    with pytest.raises(HookError, match=r"imported by \['fakelib.caller'\]"):
        check(library.hooks)


def test_two_hooks_of_one_place_are_a_problem(library: Library) -> None:
    """Two hooks that replace the same place are refused: the order would decide."""
    for reason in ("one", "other"):
        hooks.edits("fakelib.core:WORDS", reason=reason)(lambda words: words)
    with pytest.raises(HookError, match="WORDS is replaced by two hooks"):
        check(library.hooks)


def test_what_is_only_used_is_checked_and_stays(library: Library) -> None:
    """A place that is read, or overridden in a subclass of ours, must be there as well."""

    @hooks.uses("fakelib.core:greet", reason="greets", parameters=("name", "mark"))
    def greeting() -> str:
        return str(library.core.greet("Ann"))

    class Ours(library.core.Base):  # type: ignore[name-defined,misc]
        @hooks.overrides("fakelib.core:Base.work", reason="too little")
        def work(self, amount: int) -> int:
            return 3 * amount

    check(library.hooks)
    install(library.hooks)
    assert greeting() == "hello Ann!"
    assert (Ours().work(1), library.core.Base().work(1)) == (3, 1)


def test_a_replacement_names_its_parameters() -> None:
    """A function that takes anything cannot say what it expects, and is refused at once."""
    with pytest.raises(TypeError, match="must name the parameters"):

        @hooks.replaces("fakelib.core:greet", reason="rude")
        def _anything(*arguments: Any) -> Any:
            return arguments
