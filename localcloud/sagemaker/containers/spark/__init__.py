"""Where PySpark is: in an environment of its own, beside the project's.

It is a third of a gigabyte with its Java, which most runs never need.
"""

import re
import sys
from pathlib import Path

ENVIRONMENT = Path(sys.prefix) / "spark"
# The folder of `smspark-submit`.
PROGRAMS = Path(__file__).parent
INSTALL = "make spark"


def python() -> Path | None:
    """Return the interpreter that has PySpark; None where it is not installed."""
    if not (ENVIRONMENT / ".installed").exists():
        return None
    return ENVIRONMENT / "bin" / "python"


def version() -> str:
    """Return PySpark's version, from the names of what is installed."""
    found = next(ENVIRONMENT.glob("lib/python*/site-packages/pyspark-*.dist-info"), None)
    match = re.search(r"pyspark-([\d.]+)\.dist-info", str(found))
    return match[1] if match else "of an unknown version"
