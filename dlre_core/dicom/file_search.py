"""Find what a hospital sent: files by content, nested folders, zip archives; nothing is followed."""

import os
import stat
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from dlre_core.dicom.reject_reasons import Reason

MEMBERS_PER_ARCHIVE = 100_000
# Of an archive's list of members, which is read as a whole.
LONGEST_DIRECTORY = 64_000_000
START_BYTES = 4096
# Uncompressed pictures that are mostly black shrink about a hundredfold.
LARGEST_COMPRESSION = 1000
ARCHIVE_START = (b"PK\x03\x04", b"PK\x05\x06")
ENCRYPTED = 1
# gzip, 7z, rar, bzip2, xz; tar has its mark further on.
OTHER_ARCHIVES = (b"\x1f\x8b", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"BZh", b"\xfd7zXZ\x00")
TAR, TAR_AT = b"ustar", 257


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file below a hospital's folder, or a member of an archive.

    ``name`` is relative to the hospital's folder, with ``/``; ``member`` the number of the entry in
    the archive at ``path``; ``problem`` says why it cannot be read, if so.
    """

    name: str
    path: Path
    member: int | None = None
    problem: Reason | None = None

    @property
    def folders(self) -> tuple[str, ...]:
        """Folders below the hospital's, and within the archive, whose own name counts as one."""
        # Old tools write Windows paths into archives.
        name = self.name if self.member is None else self.name.replace("\\", "/")
        parts = PurePosixPath(name).parts[:-1]
        return tuple(part[:-4] if part.lower().endswith(".zip") else part for part in parts)


def find_files(root: str | Path, bytes_per_file: int) -> Iterator[FoundFile]:
    """Every file below a folder, sorted by name; links are reported, not followed.

    Parameters
    ----------
    root : path
        The hospital's folder.
    bytes_per_file : int
        Larger files are reported.

    Yields
    ------
    FoundFile
    """
    root = Path(root)
    for path, unreadable in sorted(_walk(root)):
        name = path.relative_to(root).as_posix()
        try:
            problem = Reason.UNREADABLE_FILE if unreadable else _problem(path, bytes_per_file)
            start = _start(path) if problem is None else b""
        except OSError:
            problem, start = Reason.UNREADABLE_FILE, b""
        if problem is None:
            problem = _problem_of_start(start)
        if problem is None and start[:4] in ARCHIVE_START:
            yield from _members(name, path, bytes_per_file)
        else:
            yield FoundFile(name, path, problem=problem)


def _walk(root: Path) -> Iterator[tuple[Path, bool]]:
    """Paths of files, links and the like, and of folders that cannot be listed (True)."""
    closed: list[Path] = []
    for directory, folders, names in os.walk(
        root, onerror=lambda error: closed.append(Path(error.filename)), followlinks=False
    ):
        links = [name for name in folders if os.path.islink(os.path.join(directory, name))]
        for name in [*names, *links]:
            if name != ".snakemake_timestamp":
                yield Path(directory, name), False
    for path in closed:
        yield path, True


def _problem(path: Path, bytes_per_file: int) -> Reason | None:
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode) and path.is_dir():
        return Reason.LINKED_FOLDER
    if not stat.S_ISREG(status.st_mode):
        return Reason.NOT_A_FILE
    return Reason.TOO_LARGE if status.st_size > bytes_per_file else None


def _start(path: Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(START_BYTES)


def _problem_of_start(start: bytes) -> Reason | None:
    if not start.strip(b"\0"):
        return Reason.EMPTY_FILE
    tar = start[TAR_AT : TAR_AT + len(TAR)] == TAR
    return Reason.OTHER_ARCHIVE if tar or start.startswith(OTHER_ARCHIVES) else None


def _members(name: str, path: Path, bytes_per_file: int) -> Iterator[FoundFile]:
    """An archive's members, or the archive itself where it cannot be opened as a whole."""
    entries: list[zipfile.ZipInfo] = []
    problem: Reason | None = None
    try:
        with open(path, "rb") as file:
            problem = _problem_of_directory(file)
            if problem is None:
                with zipfile.ZipFile(file) as archive:
                    entries = archive.infolist()
    except (
        zipfile.BadZipFile,
        OSError,
        ValueError,
        NotImplementedError,
        OverflowError,
        struct.error,
    ):
        problem = Reason.BAD_ARCHIVE
    if problem is None and len(entries) > MEMBERS_PER_ARCHIVE:
        problem = Reason.CROWDED_ARCHIVE
    # Folders are members without content.
    members = [(entry.filename, i) for i, entry in enumerate(entries) if entry.file_size or not entry.is_dir()]
    if problem is None and not members:
        problem = Reason.EMPTY_FILE
    if problem is not None:
        yield FoundFile(name, path, problem=problem)
        return
    for member_name, i in sorted(members):
        problem = _member_problem(entries[i], bytes_per_file)
        yield FoundFile(f"{name}/{member_name}", path, i, problem)


def _problem_of_directory(file: BinaryIO) -> Reason | None:
    """Of an archive's list of members, before it is read: it may be made to fill the memory."""
    end = zipfile._EndRecData(file)
    if not end:
        return Reason.BAD_ARCHIVE
    members, size = end[zipfile._ECD_ENTRIES_TOTAL], end[zipfile._ECD_SIZE]
    crowded = members > MEMBERS_PER_ARCHIVE or size > LONGEST_DIRECTORY
    return Reason.CROWDED_ARCHIVE if crowded else None


def _member_problem(entry: zipfile.ZipInfo, bytes_per_file: int) -> Reason | None:
    parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
    nested = entry.filename.lower().endswith(".zip")
    if ".." in parts or "/" in parts[:1] or entry.flag_bits & ENCRYPTED or nested:
        return Reason.BAD_ARCHIVE
    swollen = entry.file_size > LARGEST_COMPRESSION * max(entry.compress_size, 1)
    return Reason.TOO_LARGE if swollen or entry.file_size > bytes_per_file else None
