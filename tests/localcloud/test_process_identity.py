"""Processes told apart from later ones with the same number."""

import os
import subprocess
import sys

import pytest

from localcloud import process_identity


def test_a_process_is_the_same_as_long_as_it_lives() -> None:
    """Its mark stays, and belongs to no other process."""
    mark = process_identity.start_mark(os.getpid())
    assert process_identity.same(os.getpid(), mark)
    assert not process_identity.same(os.getppid(), mark)
    assert not process_identity.same(os.getpid(), None)


@pytest.mark.process
def test_an_ended_process_is_none_before_and_after_it_is_collected() -> None:
    """A zombie still has its number, and counts as ended."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        mark = process_identity.start_mark(child.pid)
        assert process_identity.same(child.pid, mark)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert process_identity.start_mark(child.pid) is None
        child.wait()
        assert not process_identity.same(child.pid, mark)
