"""Files that appear whole or not at all."""

import os
import stat

import pytest

from dlre_core.foundation.atomic_files import written_whole


def test_reader_sees_the_old_file_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "new" / "table.csv"
    for content in ("first", "second"):
        before = path.read_text() if path.exists() else None
        with written_whole(path) as unfinished:
            unfinished.write_text(content)
            assert (path.read_text() if path.exists() else None) == before
        assert path.read_text() == content
    assert os.listdir(path.parent) == ["table.csv"]


@pytest.mark.parametrize("private", [False, True])
def test_what_failed_leaves_nothing(tmp_path, private):
    path = tmp_path / "table.csv"
    path.write_text("old")

    def interrupted():
        with written_whole(path, private=private) as unfinished:
            unfinished.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["table.csv"]


def test_private_file_is_closed_to_others_from_its_first_byte(tmp_path):
    path = tmp_path / "outbox" / "names.csv"
    path.parent.mkdir()
    # What a killed process may have left, open to all.
    leftover = path.with_name("names.csv.partial")
    leftover.write_text("")
    leftover.chmod(0o666)
    with written_whole(path, private=True) as unfinished:
        assert stat.S_IMODE(unfinished.stat().st_mode) == 0o600
        unfinished.write_text("a name")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_new_private_folder_is_closed_to_others(tmp_path):
    with written_whole(tmp_path / "outbox" / "north" / "names.csv", private=True) as unfinished:
        unfinished.touch()
    for folder in ("outbox", "outbox/north"):
        assert stat.S_IMODE((tmp_path / folder).stat().st_mode) == 0o700
