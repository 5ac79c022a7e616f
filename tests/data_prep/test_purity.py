"""The room is pure: no AWS, no environment, no clock, no file by name; and no circle in it."""

import ast
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.support import ROOT

EXTRA = {
    *("datetime", "openpyxl", "warnings", "xml"),
    *("collections", "concurrent", "contextlib", "copy", "functools", "numpy", "os", "pyarrow"),
}
LARGE = ("pages.py", "parquet.py", "spread.py", "workbook.py", "zstandard.py")
ALLOWED = {
    *("__future__", "array", "bisect", "bz2", "codecs", "collections", "copy", "csv", "data_prep"),
    *("dataclasses", "decimal", "fnmatch", "fractions", "functools", "gc", "gzip", "hashlib", "io"),
    *("itertools", "json", "lzma", "math", "posixpath", "random"),
    *("re", "stat", "struct", "threading", "types", "typing", "urllib", "zipfile", "zlib"),
}


def test_data_prep_is_pure() -> None:
    """Its modules import only pure modules, and open no file by name; small files need no numpy."""
    modules = sorted((ROOT / "data_prep").rglob("*.py"))
    assert modules
    for path in modules:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported = {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported = set() if node.level else {str(node.module)}
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"open", "print", "input", "__import__"}, path
                continue
            else:
                continue
            roots = {name.split(".")[0] for name in imported}
            extra = EXTRA if path.name in LARGE or "bulk" in path.parts else set()
            assert roots <= ALLOWED | extra, f"{path} imports {roots - ALLOWED}"


def _imports() -> dict[str, set[str]]:
    """Return what each module of `data_prep` imports of it, wherever in the file."""
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in (ROOT / "data_prep").rglob("*.py")
    }
    found: dict[str, set[str]] = {}
    for name, path in modules.items():
        found[name] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module in modules:
                parts = {f"{node.module}.{alias.name}" for alias in node.names}
                # `from package import module` does not ask for what else the package holds.
                found[name] |= parts & set(modules) or {node.module}
    return found


def _package(module: str) -> str:
    """Return the part of `data_prep` that a module is in: a package, or itself at the top."""
    return ".".join(module.split(".")[:2])


def test_no_module_imports_itself_by_others() -> None:
    """Neither among files nor among the packages they are in, at import or when called."""
    files = _imports()
    assert len(files) > 30
    packages: dict[str, set[str]] = {}
    for name, imported in files.items():
        packages.setdefault(_package(name), set()).update(
            _package(each) for each in imported if _package(each) != _package(name)
        )
    for graph in (files, packages):
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            pytest.fail(f"a circle of imports: {error.args[1]}")


def test_files_and_classes_are_short() -> None:
    """A file has at most 500 lines and a class 300."""
    for path in sorted((ROOT / "data_prep").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 500, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef):
                assert (node.end_lineno or 0) - node.lineno < 300, f"{path}: {node.name}"
