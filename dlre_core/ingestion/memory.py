"""What was read from a hospital's files last time, so that only new files are decoded.

Two files in the private folder: ``{hospital}.sqlite`` with what each file's header and picture said (mode
0600: it holds patients' ids), and ``{hospital}.h5``, a second name of the last shard, which costs no disk
space and outlives Snakemake's deletion of outputs. A file counts as known while its size, times and
inode are the same, as everywhere in the project (docs/design/decisions.md, 2). Losing the memory, or finding it
damaged, only costs time. Answers lie on the disk and never all in memory, however many files there are.
"""

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dlre_core.dicom.file_search import FoundFile
from dlre_core.dicom.reject_reasons import Reason, Unusable
from dlre_core.foundation.atomic_files import make_folder
from dlre_core.foundation.digests import file_digest
from dlre_core.foundation.picture_store import ImageStore, StoredScreen, open_images

TABLES = """
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
    CREATE TABLE answers (question TEXT PRIMARY KEY, body TEXT) WITHOUT ROWID;
    CREATE TABLE pictures (digest TEXT PRIMARY KEY, place INTEGER) WITHOUT ROWID;
"""


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
        self._known: sqlite3.Connection | None = None
        self._noted: sqlite3.Connection | None = None
        self._forgotten: set[str] = set()
        self._store: ImageStore | None = None

    def __enter__(self) -> Self:
        if self._path is not None:
            # Whatever is wrong with the memory: it is as good as none.
            with contextlib.suppress(OSError, sqlite3.Error):
                self._load()
            self._noted = _new_database(self._path.with_suffix(".sqlite.partial"))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for database in (self._known, self._noted):
            if database is not None:
                database.close()
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
        key = _question(what, file) if self._path is not None else ""
        entry = self._recall(key)
        if entry is None:
            try:
                entry = {"answer": ask()}
            except Unusable as unusable:
                if unusable.passing:
                    raise
                entry = {"reason": unusable.reason.code, "detail": unusable.detail}
        if self._noted is not None:
            row = (key, json.dumps(entry))
            self._noted.execute("INSERT OR REPLACE INTO answers VALUES (?, ?)", row)
        if "reason" in entry:
            raise Unusable(Reason[entry["reason"].upper()], entry["detail"])
        return entry["answer"]

    def screen(self, pixel_digest: str) -> StoredScreen | None:
        """A picture of the last shard."""
        row = self._known_row("SELECT place FROM pictures WHERE digest = ?", pixel_digest)
        return None if row is None else self._store.stored(row[0])

    def knows(self, what: str, file: FoundFile) -> Any:
        """The noted answer, or None; raises nothing."""
        return (self._recall(_question(what, file)) or {}).get("answer") if self._known else None

    def forget(self, what: str, file: FoundFile) -> None:
        """Let the next `answer` ask."""
        self._forgotten.add(_question(what, file))

    def save(self, shard: str | Path, pixel_digests: Sequence[str]) -> None:
        """Keep what was noted and the shard with these pictures, by renames, before the context ends."""
        if self._noted is None:
            return
        pictures = self._path.with_suffix(".h5.partial")
        pictures.unlink(missing_ok=True)
        try:
            os.link(shard, pictures)
        except OSError:
            # Another file system.
            shutil.copyfile(shard, pictures)
        facts = {"version": self._version, "shard": file_digest(shard)}
        self._noted.executemany("INSERT INTO facts VALUES (?, ?)", facts.items())
        places = ((digest, place) for place, digest in enumerate(pixel_digests))
        self._noted.executemany("INSERT INTO pictures VALUES (?, ?)", places)
        self._noted.commit()
        os.replace(pictures, self._path.with_suffix(".h5"))
        os.replace(self._path.with_suffix(".sqlite.partial"), self._path.with_suffix(".sqlite"))

    def _load(self) -> None:
        words, pictures = (self._path.with_suffix(end) for end in (".sqlite", ".h5"))
        known = sqlite3.connect(f"{words.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        facts = dict(known.execute("SELECT name, value FROM facts"))
        if facts == {"version": self._version, "shard": file_digest(pictures)}:
            self._store = open_images(pictures)
            self._known = known
        else:
            known.close()

    def _recall(self, question: str) -> dict[str, Any] | None:
        if question in self._forgotten:
            return None
        row = self._known_row("SELECT body FROM answers WHERE question = ?", question)
        # Damaged: it knows nothing.
        with contextlib.suppress(ValueError):
            return None if row is None else json.loads(row[0])
        return None

    def _known_row(self, query: str, key: str) -> tuple | None:
        if self._known is None:
            return None
        with contextlib.suppress(sqlite3.DatabaseError):
            return self._known.execute(query, (key,)).fetchone()
        return None


def _new_database(path: Path) -> sqlite3.Connection:
    """An empty one that only its owner may read."""
    make_folder(path.parent, 0o700)
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    # Nobody else opens it, and network disks may have no locks.
    database = sqlite3.connect(f"{path.absolute().as_uri()}?nolock=1", uri=True)
    database.executescript(TABLES)
    return database


def _question(what: str, file: FoundFile) -> str:
    """A key for a question about a file; a digest, since names need not be UTF-8."""
    text = f"{what} {_stamp(file)}".encode("utf-8", "surrogateescape")
    return hashlib.sha256(text).hexdigest()


def _stamp(file: FoundFile) -> str:
    """Name, member, size, times and inode; a file that is gone has a stamp that none had."""
    try:
        status = os.lstat(file.path)
    except OSError:
        return f"{file.name} gone"
    times = f"{status.st_mtime_ns}-{status.st_ctime_ns}-{status.st_ino}"
    return f"{file.name} {file.member} {status.st_size}-{times}"
