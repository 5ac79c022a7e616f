"""A folder that a job's container writes, copied to S3 while it runs: checkpoints and outputs."""

import threading
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Self

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.sagemaker import sources
from localcloud.sagemaker.errors import JobError
from localcloud.sagemaker.sources import Item
from localcloud.sagemaker.storage import Location, Storage, relative_key

_SECONDS = 1.0
# What a container is still writing, or keeps for itself. Source: `checkpointing.py` of
# aws/sagemaker-xgboost-container.
_IGNORED = ".sagemaker-ignore"


class Mirror:
    """Copies new and changed files to a prefix every second, and once more at the end.

    As a context manager: entering makes the folder and, with `fetch`, fills it with what the
    prefix holds; leaving sends the rest.

    Args:
        storage: S3 as the job's role sees it.
        folder: What is copied.
        target: Where to.
        fetch: Whether what is there already comes first, as a checkpoint folder's content does.
    """

    def __init__(self, storage: Storage, folder: Path, target: Location, *, fetch: bool) -> None:
        self._storage = storage
        self._folder = folder
        self._target = target
        self._fetch = fetch
        self._sent: dict[Path, tuple[int, int]] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mirror", daemon=True)

    def __enter__(self) -> Self:
        """Starts copying.

        Raises:
            JobError: S3 refuses what is there already.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        if self._fetch:
            self._download()
            self._sent = self._state()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Copies what is left.

        Raises:
            JobError: S3 refuses.
        """
        self._ended.set()
        self._thread.join()
        self.send()

    def send(self) -> None:
        """Copies what is new.

        Raises:
            JobError: S3 refuses.
        """
        for path, state in self._state().items():
            if self._sent.get(path) == state:
                continue
            name = path.relative_to(self._folder).as_posix()
            # The container keeps its last few checkpoints and may just have removed this one.
            with suppress(FileNotFoundError):
                self._storage.put(path, self._target.child(name))
                self._sent[path] = state

    def _download(self) -> None:
        # A prefix stands for a folder here: `a/b` is not the beginning of `a/bc`.
        below = Location(self._target.bucket, f"{self._target.key.rstrip('/')}/".lstrip("/"))
        try:
            items = [
                Item(Location(below.bucket, key), PurePosixPath(relative_key(below.key, key)))
                for key in self._storage.keys(below)
            ]
        except (ClientError, BotoCoreError) as error:
            raise JobError(f"ClientError: Data download failed: {below}: {error}") from error
        sources.download(self._storage, items, self._folder)

    def _state(self) -> dict[Path, tuple[int, int]]:
        found = {}
        for path in sorted(self._folder.rglob("*")):
            with suppress(FileNotFoundError):
                if path.is_file() and not path.name.endswith(_IGNORED):
                    about = path.stat()
                    found[path] = (about.st_size, about.st_mtime_ns)
        return found

    def _run(self) -> None:
        # Leaving tries once more, and says what is wrong.
        with suppress(JobError):
            while not self._ended.wait(_SECONDS):
                self.send()
