"""Import moto's interpreter without moto's EC2: half of what the start of the local cloud took.

The interpreter takes one enumeration from `moto.batch.utils`; the package `moto.batch` imports EC2,
ECS, IAM and S3. Here that module is imported without its package, and the interpreter finds it
there. `moto.batch` itself can be imported as before.
"""

import importlib
import sys
from pathlib import Path
from types import ModuleType

import moto

_PACKAGE, _WANTED = "moto.batch", "moto.batch.utils"

if _PACKAGE not in sys.modules:
    stand_in = ModuleType(_PACKAGE)
    stand_in.__path__ = [str(Path(moto.__path__[0]) / "batch")]
    sys.modules[_PACKAGE] = stand_in
    try:
        importlib.import_module(_WANTED)
    finally:
        del sys.modules[_PACKAGE]
