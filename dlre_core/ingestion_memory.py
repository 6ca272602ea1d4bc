"""What was read from a hospital's files last time, so that only new files are decoded.

Two files in the private folder: ``{hospital}.json`` with what each file's header and picture said (mode
0600: it holds patients' ids), and ``{hospital}.h5``, a second name of the last shard, which costs no disk
space and outlives Snakemake's deletion of outputs. A file counts as known while its size, times and
inode are the same, as everywhere in the project (docs/decisions.md, 2). Losing the memory, or finding it
damaged, only costs time.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dlre_core.digests import file_digest
from dlre_core.found_files import FoundFile
from dlre_core.rejects import Reason, Unusable
from dlre_core.store import ImageStore, StoredScreen, open_images

# These say something about the machine at the time, not about the file.
PASSING = (Reason.TOO_SLOW, Reason.OVER_MEMORY, Reason.UNREADABLE_FILE)


class IngestionMemory:
    """Context manager around one run of one hospital.

    Parameters
    ----------
    path : path or None
        Of the memory without suffix; None remembers nothing.
    version : str
        Of everything but the files that an answer depends on: code and settings.
    """

    def __init__(self, path: str | Path | None, version: str) -> None:
        self._path = None if path is None else Path(path)
        self._version = version
        self._known: dict[str, Any] = {}
        self._noted: dict[str, Any] = {}
        self._store: ImageStore | None = None
        self._index: dict[str, int] = {}

    def __enter__(self) -> Self:
        if self._path is not None:
            # Whatever is wrong with the memory: it is as good as none.
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                self._load()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._store is not None:
            self._store.__exit__(kind, error, trace)

    def answer(self, what: str, file: FoundFile, ask: Callable[[], Any]) -> Any:
        """What is known of a file, else what ``ask`` says, which is noted.

        Parameters
        ----------
        what : str
            The question, with all that the answer depends on beside file and version.
        file : FoundFile
        ask : callable
            Gives something that JSON can hold.

        Raises
        ------
        Unusable
            As ``ask`` does, or did.
        """
        key = f"{what} {_stamp(file)}" if self._path is not None else ""
        entry = self._known.get(key)
        if entry is None:
            try:
                entry = {"answer": ask()}
            except Unusable as unusable:
                if unusable.reason in PASSING:
                    raise
                entry = {"reason": unusable.reason.code}
        if self._path is not None:
            self._noted[key] = entry
        if "reason" in entry:
            raise Unusable(Reason[entry["reason"].upper()])
        return entry["answer"]

    def screen(self, pixel_digest: str) -> StoredScreen | None:
        """A picture of the last shard."""
        index = self._index.get(pixel_digest)
        return None if index is None else self._store.stored(index)

    def knows(self, what: str, file: FoundFile) -> Any:
        """The noted answer, or None; raises nothing."""
        return self._known.get(f"{what} {_stamp(file)}", {}).get("answer") if self._known else None

    def forget(self, what: str, file: FoundFile) -> None:
        """Let the next `answer` ask."""
        self._known.pop(f"{what} {_stamp(file)}", None)

    def save(self, shard: str | Path, pixel_digests: Sequence[str]) -> None:
        """Keep what was noted and the shard with these pictures, by renames."""
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        pictures = self._path.with_suffix(".h5.partial")
        pictures.unlink(missing_ok=True)
        try:
            os.link(shard, pictures)
        except OSError:
            # Another file system.
            shutil.copyfile(shard, pictures)
        words = self._path.with_suffix(".json.partial")
        words.unlink(missing_ok=True)
        handle = os.open(words, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(handle, "w", encoding="utf-8") as file:
            body = {"version": self._version, "shard": file_digest(shard)}
            body |= {"pictures": list(pixel_digests), "files": self._noted}
            json.dump(body, file)
        os.replace(pictures, self._path.with_suffix(".h5"))
        os.replace(words, self._path.with_suffix(".json"))

    def _load(self) -> None:
        words, pictures = (self._path.with_suffix(end) for end in (".json", ".h5"))
        body = json.loads(words.read_text(encoding="utf-8"))
        if body["version"] != self._version or body["shard"] != file_digest(pictures):
            return
        self._store = open_images(pictures)
        self._index = {digest: index for index, digest in enumerate(body["pictures"])}
        self._known = body["files"]


def _stamp(file: FoundFile) -> str:
    """Name, member, size, times and inode; a file that is gone has a stamp that none had."""
    try:
        status = os.lstat(file.path)
    except OSError:
        return f"{file.name} gone"
    times = f"{status.st_mtime_ns}-{status.st_ctime_ns}-{status.st_ino}"
    return f"{file.name} {file.member} {status.st_size}-{times}"
