"""Everything in a hospital's folder is found once; nothing is followed or blocks."""

import gzip
import os
import tarfile
import zipfile
from pathlib import Path

from dlre_core.dicom.file_search import FoundFile, find_files
from dlre_core.dicom.reject_reasons import Reason

LIMIT = 1_000_000


def problems(root: Path) -> dict[str, Reason | None]:
    files = list(find_files(root, LIMIT))
    assert len({file.name for file in files}) == len(files)
    return {file.name: file.problem for file in files}


def test_nested_files_are_found_sorted(tmp_path):
    for name in ("b/c/2", "b/1", "a"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / ".snakemake_timestamp").touch()
    assert [file.name for file in find_files(tmp_path, LIMIT)] == ["a", "b/1", "b/c/2"]


def test_an_empty_or_missing_folder_has_no_files(tmp_path):
    assert problems(tmp_path) == {}
    assert set(problems(tmp_path / "missing").values()) <= {Reason.UNREADABLE_FILE}


def test_links_pipes_and_large_files_are_reported(tmp_path):
    (tmp_path / "d").mkdir()
    os.symlink(tmp_path, tmp_path / "d" / "loop")
    os.symlink("/etc/passwd", tmp_path / "link")
    os.symlink("nowhere", tmp_path / "broken")
    os.mkfifo(tmp_path / "pipe")
    with open(tmp_path / "large", "wb") as file:
        file.truncate(LIMIT + 1)
    assert problems(tmp_path) == {
        "d/loop": Reason.LINKED_FOLDER,
        "link": Reason.NOT_A_FILE,
        "broken": Reason.NOT_A_FILE,
        "pipe": Reason.NOT_A_FILE,
        "large": Reason.TOO_LARGE,
    }


def test_names_that_are_no_utf_8_are_found(tmp_path):
    name = os.fsdecode(b"\xc0\xee\xcb\xc4.dcm")
    (tmp_path / name).write_bytes(b"x")
    assert list(problems(tmp_path)) == [name]


def test_unreadable_files_and_folders_are_reported(tmp_path, monkeypatch):
    # Tests may run as root, who may read everything.
    (tmp_path / "closed").write_bytes(b"x")
    (tmp_path / "folder").mkdir()
    real_open, real_scandir = open, os.scandir

    def refusing_open(path, *arguments, **options):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return real_open(path, *arguments, **options)

    def refusing_scandir(path):
        if str(path).endswith("folder"):
            raise PermissionError(13, "Permission denied", str(path))
        return real_scandir(path)

    monkeypatch.setattr("builtins.open", refusing_open)
    monkeypatch.setattr(os, "scandir", refusing_scandir)
    assert problems(tmp_path) == {
        "closed": Reason.UNREADABLE_FILE,
        "folder": Reason.UNREADABLE_FILE,
    }


def test_members_of_an_archive_are_files_in_folders_of_its_name(tmp_path):
    with zipfile.ZipFile(tmp_path / "A0001.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("day 1")
        archive.writestr("day 1/x.dcm", b"x")
        archive.writestr("../../evil.dcm", b"x")
        archive.writestr("/etc/evil.dcm", b"x")
        archive.writestr("..\\evil.dcm", b"x")
        archive.writestr("inner.zip", b"x")
        archive.writestr("bomb", bytes(LIMIT))
    found = problems(tmp_path)
    assert found == {
        "A0001.zip/day 1/x.dcm": None,
        "A0001.zip/../../evil.dcm": Reason.BAD_ARCHIVE,
        "A0001.zip//etc/evil.dcm": Reason.BAD_ARCHIVE,
        "A0001.zip/..\\evil.dcm": Reason.BAD_ARCHIVE,
        "A0001.zip/inner.zip": Reason.BAD_ARCHIVE,
        "A0001.zip/bomb": Reason.TOO_LARGE,
    }
    assert FoundFile("A0001.zip/day 1/x.dcm", tmp_path).folders == ("A0001", "day 1")


def test_a_damaged_archive_is_one_reject(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04" + bytes(100))
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    assert problems(tmp_path) == {
        "a.zip": Reason.BAD_ARCHIVE,
        "empty.zip": Reason.EMPTY_FILE,
    }


def test_an_archive_of_folders_only_is_empty_and_a_folder_with_content_is_a_file(tmp_path):
    with zipfile.ZipFile(tmp_path / "folders.zip", "w") as archive:
        archive.mkdir("a")
    with zipfile.ZipFile(tmp_path / "odd.zip", "w") as archive:
        archive.writestr("x.dcm/", b"x")
    assert problems(tmp_path) == {"folders.zip": Reason.EMPTY_FILE, "odd.zip/x.dcm/": None}


def test_a_crowded_archive_is_told_by_its_end_and_not_opened(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for number in range(12):
            archive.writestr(f"{number:0200d}", b"x")
    assert len(problems(tmp_path)) == 12
    monkeypatch.setattr("dlre_core.dicom.file_search.zipfile.ZipFile", None)
    for limit in ({"MEMBERS_PER_ARCHIVE": 11}, {"LONGEST_DIRECTORY": 2000}):
        with monkeypatch.context() as patch:
            for name, value in limit.items():
                patch.setattr(f"dlre_core.dicom.file_search.{name}", value)
            assert problems(tmp_path) == {"many.zip": Reason.CROWDED_ARCHIVE}


def test_empty_files_and_other_archives_are_no_mere_bystanders(tmp_path):
    (tmp_path / "cut off.dcm").write_bytes(bytes(500))
    (tmp_path / "nothing.dcm").touch()
    (tmp_path / "a.dcm.gz").write_bytes(gzip.compress(b"x"))
    with tarfile.open(tmp_path / "b.tar", "w") as archive:
        archive.add(tmp_path / "nothing.dcm", "x")
    (tmp_path / "c.7z").write_bytes(b"7z\xbc\xaf\x27\x1c" + bytes(30))
    (tmp_path / "notes.txt").write_text("Picture 3 is the best.")
    assert problems(tmp_path) == {
        "cut off.dcm": Reason.EMPTY_FILE,
        "nothing.dcm": Reason.EMPTY_FILE,
        "a.dcm.gz": Reason.OTHER_ARCHIVE,
        "b.tar": Reason.OTHER_ARCHIVE,
        "c.7z": Reason.OTHER_ARCHIVE,
        "notes.txt": None,
    }


def test_windows_paths_in_archives_are_folders(tmp_path):
    assert FoundFile("a.zip/A0002\\x.dcm", tmp_path, 0).folders == ("a", "A0002")
    assert FoundFile("A0002\\x.dcm", tmp_path).folders == ()
