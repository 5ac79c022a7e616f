"""The access key of a state directory."""

from pathlib import Path

import pytest

from localcloud import credentials


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    """It is random, stays, and only its owner can read its file."""
    (tmp_path / "other").mkdir()
    made = credentials.make(tmp_path)
    assert credentials.make(tmp_path) == credentials.read(tmp_path) == made
    assert credentials.make(tmp_path / "other") != made
    assert (tmp_path / credentials.FILE).stat().st_mode & 0o777 == 0o600
    assert made.secret_access_key not in repr(made)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"access_key_id": "a"}', "3"])
def test_a_spoilt_file_is_made_anew(tmp_path: Path, text: str) -> None:
    """What is no key is replaced by one."""
    (tmp_path / credentials.FILE).write_text(text)
    assert credentials.read(tmp_path) is None
    made = credentials.make(tmp_path)
    assert credentials.read(tmp_path) == made
