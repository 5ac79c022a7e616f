"""Reading what the XGBoost container answers. Pure.

The container (`algorithm_mode/serve.py`) writes the values of `Booster.predict`: on an endpoint one
row a line, several values of a row separated by commas; in a batch transform a line is Python's own
text of the row, in brackets where it has several values. Images up to 1.2-1 write all rows on one
line, separated by commas.
"""

from ..answers import Form

_BRACKETS = str.maketrans("", "", "[]")


class Answer(Form):
    """What a model of XGBoost answers for a row."""

    def split(self, line: str) -> list[str]:
        """Return the values of a line of the container's answer, of one row or of several."""
        return super().split(line.translate(_BRACKETS) if self.width > 1 else line)
