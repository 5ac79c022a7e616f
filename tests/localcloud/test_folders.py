"""The state directory, and what of it goes with the cloud."""

from pathlib import Path

import pytest

from localcloud import folders


def test_a_directory_that_others_could_open_is_closed(tmp_path: Path) -> None:
    """It is its owner's alone, new or not."""
    old, new = tmp_path / "old", tmp_path / "deep" / "new"
    old.mkdir(mode=0o755)
    for home in (old, new):
        folders.prepare(home)
        assert home.stat().st_mode & 0o777 == 0o700
        assert (home / "logs").is_dir()


def test_sockets_of_a_deep_directory_lie_elsewhere_and_go_with_it(tmp_path: Path) -> None:
    """A short path is used as it is; a long one gets a folder that is remembered and removed."""
    short = Path("/short")
    assert folders.socket_folder(short) == short
    deep = tmp_path / ("d" * 100)
    folders.prepare(deep)
    folders.make_temporary(deep)
    found = folders.socket_folder(deep)
    (found / "sagemaker.sock").touch()
    assert len(str(found)) < 60
    folders.remove_temporary(deep)
    assert not found.exists()
    assert not folders.temporary(deep).exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "(there is no log)"), ("", "(the log is empty)"), ("a\nb\nc\n", "b\nc")],
)
def test_a_log_ends_with_its_last_lines(tmp_path: Path, content: str | None, said: str) -> None:
    """Or it is said that there is none."""
    log = tmp_path / "log"
    if content is not None:
        log.write_text(content)
    assert folders.tail(log, 2) == said
