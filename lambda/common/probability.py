"""Reading a probability the XGBoost container wrote. Pure."""

import re

# float() also takes "nan", "inf", "1_0" and digits of other scripts, none of which the container
# writes for a probability.
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?")


def parse(text: str) -> float | None:
    """Return the number when the text is one in [0, 1], else None."""
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if number <= 1 else None
