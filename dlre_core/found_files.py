"""Find what a hospital sent: files by content, nested folders, zip archives; nothing is followed."""

import os
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dlre_core.rejects import Reason

MEMBERS_PER_ARCHIVE = 100_000
COMPRESSION_LIMIT = 200


@dataclass(frozen=True)
class FoundFile:
    """A file, or a member of an archive; ``problem`` says why it cannot be read, if so."""

    name: str
    path: Path
    member: str | None = None
    problem: Reason | None = None

    @property
    def folders(self) -> tuple[str, ...]:
        """Folders below the hospital's, and within the archive."""
        return tuple(part for part in Path(self.name).parts[:-1] if part not in ("..", "/"))

    def source(self) -> Path | bytes:
        """What the DICOM reader takes: a path, or the content of an archive's member.

        Raises
        ------
        OSError
            If it cannot be read.
        """
        if self.member is None:
            return self.path
        with zipfile.ZipFile(self.path) as archive:
            return archive.read(self.member)


def find_files(root: Path, bytes_per_file: int) -> Iterator[FoundFile]:
    """Every file below a folder, sorted by name; links are reported, not followed.

    Parameters
    ----------
    root : path
        The hospital's folder.
    bytes_per_file : int
        Larger files are reported.
    """
    for path in sorted(_walk(root)):
        name = path.relative_to(root).as_posix()
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            yield FoundFile(name, path, problem=Reason.NOT_A_FILE)
        elif status.st_size > bytes_per_file:
            yield FoundFile(name, path, problem=Reason.TOO_LARGE)
        elif not os.access(path, os.R_OK):
            yield FoundFile(name, path, problem=Reason.UNREADABLE_FILE)
        elif _is_archive(path):
            yield from _members(name, path, bytes_per_file)
        else:
            yield FoundFile(name, path)


def _walk(root: Path) -> Iterator[Path]:
    for directory, folders, names in os.walk(root, followlinks=False):
        links = [name for name in folders if os.path.islink(os.path.join(directory, name))]
        for name in [*names, *links]:
            if name != ".snakemake_timestamp":
                yield Path(directory, name)


def _is_archive(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(4) == b"PK\x03\x04"


def _members(name: str, path: Path, bytes_per_file: int) -> Iterator[FoundFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        yield FoundFile(name, path, problem=Reason.BAD_ARCHIVE)
        return
    if len(members) > MEMBERS_PER_ARCHIVE:
        yield FoundFile(name, path, problem=Reason.BAD_ARCHIVE)
        return
    for member in sorted(members, key=lambda m: m.filename):
        parts = Path(member.filename).parts
        unsafe = ".." in parts or member.filename.startswith(("/", "\\")) or member.flag_bits & 1
        bomb = member.file_size > COMPRESSION_LIMIT * max(member.compress_size, 1)
        problem = None
        if unsafe:
            problem = Reason.BAD_ARCHIVE
        elif bomb or member.file_size > bytes_per_file:
            problem = Reason.TOO_LARGE
        yield FoundFile(f"{name}/{member.filename}", path, member.filename, problem)
