"""The mutants that behave as the code does: nothing that a test could see tells them apart.

`equivalent.txt` has one a line: the file, what is gone, what is there instead, and the reason.
"""

from pathlib import Path

LIST = Path(__file__).with_name("equivalent.txt")


def read() -> dict[str, str]:
    """The reasons, by what `Mutant.change` says.

    Raises:
        ValueError: A line gives no reason.
    """
    found = {}
    for line in LIST.read_text().splitlines():
        if line and not line.startswith("#"):
            change, mark, reason = line.partition("  # ")
            if not mark or not reason.strip():
                raise ValueError(
                    f"{LIST.name}: give the reason, behind two blanks and '# ': {line}"
                )
            found[change] = reason
    return found
