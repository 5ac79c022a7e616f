"""Loading what ships to AWS, the modules below `lambda/`, in code that runs elsewhere."""

import importlib
import sys
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from spine.places import ROOT


def load(name: str) -> Any:
    """Import a module below `lambda/` by its dotted name, such as `common.kinds`.

    `lambda` is a keyword, so no import statement can name it; the answer is `Any` because a type
    checker cannot follow the name either. The project's folder need not be on the path, and no
    other folder of that name is taken: the installed command `spine` runs anywhere.
    """
    _place("lambda", ROOT)
    load_data_prep()
    return importlib.import_module(f"lambda.{name}")


def load_data_prep(name: str = "") -> Any:
    """Import `data_prep`, or a module of it by its dotted name, such as `source.naming`."""
    _place("data_prep", ROOT)
    return importlib.import_module(f"data_prep.{name}" if name else "data_prep")


def _place(package: str, root: Path) -> None:
    """Import a package from this folder, unless it is imported already."""
    if package in sys.modules:
        return
    folder = root / package
    code = folder / "__init__.py"
    spec = spec_from_file_location(package, code) if code.exists() else None
    if spec is None:
        spec = ModuleSpec(package, None, is_package=True)
        spec.submodule_search_locations = [str(folder)]
    sys.modules[package] = module = module_from_spec(spec)
    if spec.loader is not None:
        spec.loader.exec_module(module)
