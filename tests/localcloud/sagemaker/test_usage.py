"""What the processes of a job take, as `/proc` accounts for it."""

import os
import threading
from pathlib import Path

import pytest

from localcloud.sagemaker import usage
from localcloud.sagemaker.usage import Use, Watch


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `/proc` of the test's own, with 100 ticks a second and pages of 4 KiB."""
    monkeypatch.setattr(usage, "_PROC", tmp_path)
    monkeypatch.setattr(usage, "_TICKS", 100)
    monkeypatch.setattr(usage, "_PAGE", 4096)
    (tmp_path / "meminfo").write_text("MemTotal: 1 kB\n")
    return tmp_path


def process(
    proc: Path,
    pid: int,
    *,
    session: int,
    ticks: tuple[int, int, int, int] = (0, 0, 0, 0),
    pages: int = 0,
    shared: int | None = None,
    peak: int | None = None,
    name: str = "python",
) -> None:
    """Write what the kernel tells of a process; memory in KiB, but for its pages."""
    folder = proc / str(pid)
    folder.mkdir(exist_ok=True)
    # Source: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html, fields 1 to 24.
    before = ["S", "1", str(pid), str(session), *["0"] * 7]
    after = ["20", "0", "1", "0", "0", "999999", str(pages)]
    fields = [*before, *map(str, ticks), *after]
    (folder / "stat").write_text(f"{pid} ({name}) {' '.join(fields)} 0 0\n")
    if shared is not None:
        (folder / "smaps_rollup").write_text(f"00400000 [rollup]\nRss: 9 kB\nPss: {shared} kB\n")
    if peak is not None:
        (folder / "status").write_text(f"Name: x\nVmHWM:\t{peak} kB\nVmRSS:\t1 kB\n")


def looked(**leaders: int) -> dict[str, Use]:
    """What one look finds."""
    watch = Watch(leaders)
    watch._look()
    return watch.used


def test_processes_of_a_session_are_summed(proc: Path) -> None:
    """Time of the user's, the system's and of children that have ended; a shared page once."""
    process(proc, 10, session=10, ticks=(100, 50, 25, 25), shared=300)
    process(proc, 11, session=10, ticks=(200, 0, 0, 0), shared=200)
    process(proc, 20, session=20, ticks=(1, 0, 0, 0), shared=1)
    process(proc, 30, session=30, ticks=(900, 0, 0, 0), shared=900)
    found = looked(one=10, two=20)
    assert found == {"one": Use(4.0, 500 << 10), "two": Use(0.01, 1 << 10)}


def test_a_kernel_without_shares_tells_what_is_resident(proc: Path) -> None:
    """Pages times their size."""
    process(proc, 10, session=10, pages=3)
    assert looked(one=10)["one"].memory == 3 * 4096


def test_memory_between_two_looks_is_the_peak_of_one_process(proc: Path) -> None:
    """The kernel keeps it for each process alone."""
    process(proc, 10, session=10, shared=10, peak=700)
    process(proc, 11, session=10, shared=10, peak=900)
    assert looked(one=10)["one"].memory == 900 << 10


def test_names_of_any_form_disturb_nothing(proc: Path) -> None:
    """A name may hold blanks and brackets, as if further fields began."""
    process(proc, 10, session=10, ticks=(100, 0, 0, 0), name="a) S 1 1 99 (b")
    assert looked(one=10)["one"].seconds == 1.0


def test_a_process_that_ends_meanwhile_is_passed_over(proc: Path) -> None:
    """Its folder is there and its files are not."""
    process(proc, 10, session=10, ticks=(100, 0, 0, 0))
    (proc / "11").mkdir()
    assert looked(one=10)["one"].seconds == 1.0


def test_a_later_look_takes_nothing_back(proc: Path) -> None:
    """Memory that was given back was taken all the same, and so was time of a lost child."""
    process(proc, 10, session=10, ticks=(300, 0, 0, 0), shared=500)
    watch = Watch({"one": 10})
    watch._look()
    process(proc, 10, session=10, ticks=(200, 0, 0, 0), shared=100)
    watch._look()
    assert watch.used == {"one": Use(3.0, 500 << 10)}


def test_the_peak_of_a_process_is_in_bytes(proc: Path) -> None:
    """None where it has ended, or the kernel does not tell it."""
    process(proc, 10, session=10, peak=5)
    process(proc, 11, session=11)
    (proc / "12").mkdir()
    (proc / "12" / "status").write_text("Name: kthread\n")
    assert [usage.peak(pid) for pid in (10, 11, 12, 13)] == [5 << 10, None, None, None]


def test_a_watch_looks_by_itself_and_ends(proc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From entering to leaving, and no longer."""
    (proc / "self").mkdir()
    (proc / "self" / "stat").write_text("")
    monkeypatch.setattr(usage, "_SOONEST", 0.01)
    monkeypatch.setattr(usage, "_LATEST", 0.01)
    process(proc, 10, session=10, ticks=(100, 0, 0, 0))
    seen = threading.Event()
    look = Watch._look

    def looking(watch: Watch[str]) -> None:
        look(watch)
        seen.set()

    monkeypatch.setattr(Watch, "_look", looking)
    with Watch({"one": 10}) as watch:
        assert seen.wait(20)
    assert not watch._thread.is_alive()
    assert watch.used["one"].seconds == 1.0


def test_where_there_is_no_proc_nothing_is_told(proc: Path) -> None:
    """As on macOS: no thread looks, and leaving waits for none."""
    with Watch({"one": os.getpid()}) as watch:
        assert watch._thread.ident is None
    assert watch.used == {}


def test_use_is_said_in_seconds_and_mebibytes() -> None:
    """As a line of a log."""
    assert str(Use(1.25, 300 << 20)) == (
        "The processes of this host took 1.2 s of processor time and, at most, 300 MiB of memory."
    )
