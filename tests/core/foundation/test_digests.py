"""Digests see every change of content and none that has no meaning."""

import os
import shutil
import subprocess
import sys
from datetime import date

import pytest

from dlre_core.foundation import digests


@pytest.fixture
def package(tmp_path, monkeypatch):
    root = tmp_path / "dlre_core"
    root.mkdir()
    (root / "__init__.py").write_text("")
    (root / "low.py").write_text('"""Low."""\n\nVALUE = 1\n')
    (root / "high.py").write_text("from dlre_core.low import VALUE\n\n\ndef f():\n    return VALUE\n")
    (root / "other.py").write_text("X = 1\n")
    monkeypatch.setattr(digests, "PACKAGE_ROOT", root)
    digests.forget_modules()
    yield root
    digests.forget_modules()


def changed(path, text):
    path.write_text(text)
    digests.forget_modules()


def test_core_digest_follows_imports_and_nothing_else(package):
    before = digests.core_digest("high")
    changed(package / "other.py", "X = 2\n")
    assert digests.core_digest("high") == before
    changed(package / "low.py", '"""Low."""\n\nVALUE = 2\n')
    assert digests.core_digest("high") != before


def test_core_digest_ignores_docstrings_comments_and_layout(package):
    before = digests.core_digest("high")
    changed(package / "low.py", '"""Another text."""\n# a comment\nVALUE   =  1\n')
    assert digests.core_digest("high") == before


def test_core_digest_of_a_package_sees_its_templates(package):
    (package / "pages").mkdir()
    (package / "pages" / "__init__.py").write_text("")
    (package / "pages" / "page.j2").write_text("one")
    before = digests.core_digest("pages")
    changed(package / "pages" / "page.j2", "two")
    assert digests.core_digest("pages") != before


def test_core_digest_of_unknown_module(package):
    with pytest.raises(ModuleNotFoundError, match="nothing"):
        digests.core_digest("nothing")


LIMIT = 1000


def test_contents_digest_sees_what_files_hold_and_neither_times_nor_names(tmp_path):
    one, other, absent = (tmp_path / name for name in ("one", "other", "absent"))
    one.write_text("1")
    other.write_text("1")
    before = digests.contents_digest(one, absent)
    os.utime(one, (0, 0))
    assert digests.contents_digest(one, absent) == digests.contents_digest(other, absent) == before
    assert digests.contents_digest(absent, one) != before
    times = os.stat(one)
    one.write_text("2")
    os.utime(one, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert digests.contents_digest(one, absent) != before


def test_tree_digest_sees_a_changed_byte_behind_an_old_time(tmp_path):
    tree, cache = tmp_path / "tree", tmp_path / "private" / "cache"
    (tree / "a").mkdir(parents=True)
    file = tree / "a" / "one.dcm"
    file.write_bytes(b"aaaa")
    times = os.stat(file)
    before = digests.tree_digest(tree, cache, LIMIT)
    file.write_bytes(b"aaab")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert digests.tree_digest(tree, cache, LIMIT) != before


def test_tree_digest_does_not_see_a_touch_or_a_move_of_the_tree(tmp_path):
    tree, cache = tmp_path / "tree", tmp_path / "private" / "cache"
    tree.mkdir()
    (tree / "one.dcm").write_bytes(b"aaaa")
    before = digests.tree_digest(tree, cache, LIMIT)
    os.utime(tree / "one.dcm", (1, 1))
    assert digests.tree_digest(tree, cache, LIMIT) == before
    shutil.copytree(tree, tmp_path / "copy")
    assert digests.tree_digest(tmp_path / "copy", cache, LIMIT) == before


def test_tree_digest_sees_new_removed_and_renamed_files(tmp_path):
    tree, cache = tmp_path / "tree", tmp_path / "private" / "cache"
    tree.mkdir()
    (tree / "one.dcm").write_bytes(b"aaaa")
    seen = {digests.tree_digest(tree, cache, LIMIT)}
    (tree / "two.dcm").write_bytes(b"b")
    seen.add(digests.tree_digest(tree, cache, LIMIT))
    (tree / "two.dcm").rename(tree / "three.dcm")
    seen.add(digests.tree_digest(tree, cache, LIMIT))
    assert len(seen) == 3
    (tree / "three.dcm").unlink()
    assert digests.tree_digest(tree, cache, LIMIT) in seen


def test_tree_digest_remembers_each_tree_for_its_owner_only_and_survives_damage(tmp_path, monkeypatch):
    cache, trees = tmp_path / "private" / "cache", [tmp_path / name for name in ("one", "zwei ü")]
    for tree in trees:
        tree.mkdir()
        (tree / "x.dcm").write_bytes(tree.name.encode())
    os.rename(os.fsencode(trees[0] / "x.dcm"), os.fsencode(trees[0]) + b"/Bild_\xe4.dcm")
    first = [digests.tree_digest(tree, cache, LIMIT) for tree in trees]
    assert cache.stat().st_mode & 0o077 == 0
    with monkeypatch.context() as forgetful:
        forgetful.setattr(digests, "file_digest", None)
        assert [digests.tree_digest(tree, cache, LIMIT) for tree in trees] == first
    for file in cache.iterdir():
        file.write_text('["no memory"]')
    assert [digests.tree_digest(tree, cache, LIMIT) for tree in trees] == first
    assert len(list(cache.iterdir())) == 2


def test_tree_digest_reads_no_file_that_nobody_would(tmp_path, monkeypatch):
    tree, cache = tmp_path / "tree", tmp_path / "private" / "cache"
    tree.mkdir()
    with open(tree / "large", "wb") as file:
        file.truncate(LIMIT + 1)
    monkeypatch.setattr(digests, "file_digest", None)
    before = digests.tree_digest(tree, cache, LIMIT)
    with open(tree / "large", "r+b") as file:
        file.truncate(LIMIT + 2)
    assert digests.tree_digest(tree, cache, LIMIT) != before


def test_tree_digest_passes_folders_that_may_not_be_entered(tmp_path, monkeypatch):
    tree, cache = tmp_path / "tree", tmp_path / "private" / "cache"
    (tree / "closed").mkdir(parents=True)
    (tree / "closed" / "Wang").write_bytes(b"a")
    real = os.lstat

    def refusing(path, **options):
        if str(path).endswith("Wang"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, **options)

    open_digest = digests.tree_digest(tree, cache, LIMIT)
    monkeypatch.setattr(os, "lstat", refusing)
    assert digests.tree_digest(tree, cache, LIMIT) == open_digest


def test_tree_digest_survives_links_pipes_and_a_missing_folder(tmp_path):
    tree, cache = tmp_path / "tree", tmp_path / "private" / "cache"
    assert digests.tree_digest(tree, cache, LIMIT) == "absent"
    tree.mkdir()
    os.mkfifo(tree / "pipe")
    (tree / "loop").symlink_to(tree)
    (tree / "dangling").symlink_to("nowhere")
    assert len(digests.tree_digest(tree, cache, LIMIT)) == 16


DIGEST_OF_A_DESIGN = """
from dataclasses import asdict
from dlre_core.foundation.design import design_of
from dlre_core.foundation.digests import value_digest
from dlre_core.workflow.study_design import read_design
print(value_digest(asdict(design_of(read_design("international_2025")))))
"""


def test_a_designs_digest_is_the_same_in_every_process():
    # Each process walks a set in an order of its own.
    found = {
        subprocess.run(
            [sys.executable, "-c", DIGEST_OF_A_DESIGN],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(found) == 1
    assert found != {""}


def test_value_digest_sorts_sets_and_refuses_what_has_no_words_of_its_own(tmp_path):
    assert digests.value_digest(frozenset("stage")) == digests.value_digest(sorted("stage"))
    assert digests.value_digest([date(2019, 1, 31), tmp_path]) == digests.value_digest(["2019-01-31", str(tmp_path)])
    with pytest.raises(TypeError, match="no digest"):
        digests.value_digest(object())
