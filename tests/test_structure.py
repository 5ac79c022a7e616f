"""The shape of the code: imports go one way, and no file or class outgrows its reader."""

import ast
import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("spine", "localcloud", "stacks", "gates", "lambda", "data_prep")
# These are read as well, and import nothing that imports them.
BESIDE = ("app.py", "benchmarks", "tests")
MOST_LINES_OF_A_FILE = 500
MOST_LINES_OF_A_CLASS = 300
MOST_LINES_WITHOUT_A_TEST = 40
# Longer modules that no test is named after, each with the reason.
WITHOUT_A_TEST_OF_THEIR_NAME = {
    "data_prep/options.py": "declarations only; tests/data_prep/test_data_prep.py runs with them",
    "data_prep/spread.py": "declarations only; tests/data_prep/bulk/test_leader.py implements them",
    "lambda/evaluate/evaluation.py": "abstract; each task's folder tests its own",
    "localcloud/sagemaker/containers/xgboost/__main__.py": "its guard would watch the input of the"
    " tests; each test of a job or an endpoint runs it as the process that it is",
    "stacks/removal.py": "tests/stacks/test_pipeline.py and test_second_machine.py look at what it"
    " provisions; tests/lambda/cleanup at what that does",
}

Graph = Mapping[str, set[str]]


def _modules() -> dict[str, Path]:
    """Every module of the project, by its dotted name."""
    found = {}
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts)] = path
    return found


MODULES = _modules()
FILES = [
    *MODULES.values(),
    *(path for each in BESIDE for path in [ROOT / each, *sorted((ROOT / each).rglob("*.py"))]),
]
SOURCES = {path: path.read_text() for path in FILES if path.is_file()}


@functools.cache
def _nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(SOURCES[path])))


def _imported(name: str, path: Path) -> Iterator[str]:
    """The project's modules that a module imports, wherever in it the statement stands."""
    for node in _nodes(path):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _known(alias.name)
        elif isinstance(node, ast.ImportFrom):
            parents = name.split(".")[: -node.level] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            for alias in node.names:
                yield from _known(f"{base}.{alias.name}") or _known(base)


def _known(name: str) -> list[str]:
    """The module, or the package's own file, that a dotted name stands for."""
    return [each for each in (name, f"{name}.__init__") if each in MODULES]


@pytest.fixture(scope="module")
def imports() -> dict[str, set[str]]:
    """What each module of the project imports of it."""
    return {name: set(_imported(name, path)) - {name} for name, path in MODULES.items()}


def _circles(graph: Graph) -> list[tuple[str, ...]]:
    """Every group of nodes that reach each other, found as Tarjan does."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    circles = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            circle = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(circle) > 1:
                circles.append(tuple(sorted(circle)))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return circles


def _siblings(imports: Graph, folder: str) -> dict[str, set[str]]:
    """The imports among a folder's files and sub-folders, each sub-folder taken as a whole.

    Args:
        imports: By module.
        folder: The folder's dotted name; empty for the rooms.
    """
    prefix = f"{folder}." if folder else ""

    def part(module: str) -> str | None:
        if not module.startswith(prefix):
            return None
        return prefix + module.removeprefix(prefix).split(".")[0]

    graph: dict[str, set[str]] = {}
    for module, others in imports.items():
        here = part(module)
        if here is not None:
            found = {there for other in others if (there := part(other)) and there != here}
            graph.setdefault(here, set()).update(found)
    return graph


def test_circles_are_found() -> None:
    """A circle of three is named, and what only leads to it is not."""
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set(), "e": {"a"}}
    assert _circles(graph) == [("a", "b", "c")]


def test_folders_are_taken_as_a_whole() -> None:
    """Two folders whose files import each other are a circle, though the files are none."""
    imports = {"room.a.one": {"room.b.one"}, "room.b.two": {"room.a.two"}, "room.a.two": set()}
    assert _circles(imports) == []
    assert _circles(_siblings(imports, "room")) == [("room.a", "room.b")]


def test_no_circle_among_files(imports: dict[str, set[str]]) -> None:
    """No module imports, by whatever way, one that imports it."""
    circles = _circles(imports)
    assert not circles, "\n".join(f"a circle of imports: {', '.join(each)}" for each in circles)


def test_no_circle_among_folders(imports: dict[str, set[str]]) -> None:
    """Within each folder, its files and sub-folders import each other one way only."""
    folders = {name.rsplit(".", depth)[0] for name in MODULES for depth in range(1, 5)} - {*MODULES}
    circles = [
        each for folder in sorted({"", *folders}) for each in _circles(_siblings(imports, folder))
    ]
    assert not circles, "\n".join(
        f"folders import each other: {', '.join(each)}" for each in circles
    )


@pytest.mark.parametrize(
    ("room", "others"),
    [("localcloud", set()), ("data_prep", set()), ("lambda", {"data_prep"})],
)
def test_a_room_imports_no_other(imports: dict[str, set[str]], room: str, others: set[str]) -> None:
    """The local cloud and what ships to AWS stand alone; functions have the data preparation."""
    found = {name: sorted(_rooms(used) - {room, *others}) for name, used in imports.items()}
    wrong = {name: used for name, used in found.items() if used and _rooms([name]) == {room}}
    assert not wrong, "\n".join(f"{name} imports of {used}" for name, used in wrong.items())


def _rooms(modules: Iterable[str]) -> set[str]:
    return {name.split(".")[0] for name in modules}


@pytest.mark.parametrize("room", ["lambda", "data_prep"])
def test_what_ships_does_not_know_the_local_cloud(room: str) -> None:
    """No file that ships to AWS has a word about what stands in for AWS here."""
    words = re.compile(r"local.?cloud|ministack|\bmoto\b", re.IGNORECASE)
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted((ROOT / room).rglob("*"))
        if path.suffix in {".py", ".txt", ".in", ".json", ".md"}
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if words.search(line)
    ]
    assert not found, "\n".join(found)


def test_no_file_is_too_long() -> None:
    """A file has at most 500 lines."""
    lines = {path: len(source.splitlines()) for path, source in SOURCES.items()}
    long = {path: count for path, count in lines.items() if count > MOST_LINES_OF_A_FILE}
    assert not long, "\n".join(
        f"{path.relative_to(ROOT)} has {count} lines; split it by what its parts are about"
        for path, count in long.items()
    )


def test_no_class_is_too_long() -> None:
    """A class has at most 300 lines."""
    long = []
    for path in SOURCES:
        for node in _nodes(path):
            if isinstance(node, ast.ClassDef):
                count = (node.end_lineno or node.lineno) - node.lineno + 1
                if count > MOST_LINES_OF_A_CLASS:
                    long.append(f"{path.relative_to(ROOT)}: {node.name} has {count} lines")
    assert not long, "\n".join(long)


def _tests_of(path: Path) -> list[Path]:
    """Where a module's test may stand: beside it in the mirrored tree, under its name.

    The name of a package's own file is the package's, and its test may stand beside the package,
    too; `__main__` is called main.
    """
    folder = ROOT / "tests" / path.relative_to(ROOT).parent
    if path.stem == "__init__":
        name = f"test_{path.parent.name}.py"
        return [folder / name, folder.parent / name]
    return [folder / f"test_{path.stem.strip('_')}.py"]


def test_every_module_has_a_test_where_a_newcomer_looks_for_it() -> None:
    """`stacks/steps/serve.py` has `tests/stacks/steps/test_serve.py`; the table has the others."""
    missing = {
        path.relative_to(ROOT).as_posix(): _tests_of(path)[0].relative_to(ROOT)
        for path in (ROOT / "app.py", *MODULES.values())
        if len(SOURCES[path].splitlines()) > MOST_LINES_WITHOUT_A_TEST
        and not any(each.is_file() for each in _tests_of(path))
    }
    for name in WITHOUT_A_TEST_OF_THEIR_NAME:
        assert name in missing, (
            f"{name} has its test, is short or is gone: take it out of the table"
        )
    untested = missing.keys() - WITHOUT_A_TEST_OF_THEIR_NAME.keys()
    assert not untested, "\n".join(f"{name} has no {missing[name]}" for name in sorted(untested))
