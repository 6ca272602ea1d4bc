"""What is written is read back, at its size, from wherever the results folder was moved."""

import fcntl
import shutil
import time

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlre_core.foundation.errors import StoreMismatch
from dlre_core.foundation.picture_store import (
    link_rois,
    link_shards,
    open_images,
    open_rois,
    write_rois,
    write_shard,
)

SIZES = [(40, 60), (70, 30), (40, 60)]


def pictures(prefix="a", sizes=SIZES):
    generator = np.random.default_rng(len(prefix) + len(sizes))
    return [
        (f"{prefix}{i:015d}", generator.integers(0, 256, (*size, 3), dtype=np.uint8)) for i, size in enumerate(sizes)
    ]


def squares(n, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, 250, 250, 3), dtype=np.uint8)


def ids(n, prefix="a"):
    return [f"{prefix}{i:015d}" for i in range(n)]


def test_pictures_come_back_at_their_own_size(tmp_path):
    stored = pictures()
    write_shard(tmp_path / "a.h5", stored)
    with open_images(tmp_path / "a.h5") as store:
        assert len(store) == 3
        assert store.image_ids == [name for name, _ in stored]
        for index, (_, picture) in enumerate(stored):
            np.testing.assert_array_equal(store.screen(index), picture)


def test_joined_pictures_are_those_of_the_shards_after_a_move(tmp_path):
    first, second = pictures("a"), pictures("b", [(90, 20)])
    (tmp_path / "results").mkdir()
    write_shard(tmp_path / "results" / "a.h5", first)
    write_shard(tmp_path / "results" / "none.h5", [])
    write_shard(tmp_path / "results" / "b.h5", second)
    shards = [tmp_path / "results" / f"{name}.h5" for name in ("a", "none", "b")]
    link_shards(shards, tmp_path / "results" / "images.h5")
    shutil.move(tmp_path / "results", tmp_path / "moved")
    with open_images(tmp_path / "moved" / "images.h5") as store:
        assert store.image_ids == [name for name, _ in first + second]
        for index, (_, picture) in enumerate(first + second):
            np.testing.assert_array_equal(store.screen(index), picture)


def test_the_same_pictures_give_the_same_bytes(tmp_path):
    for name in ("x", "y"):
        # HDF5 keeps times in seconds, if it keeps them.
        time.sleep(1.1 if name == "y" else 0)
        (tmp_path / name).mkdir()
        write_shard(tmp_path / name / "a.h5", pictures())
        write_rois(tmp_path / name / "r.h5", ids(2), squares(2))
        link_shards([tmp_path / name / "a.h5"], tmp_path / name / "images.h5")
        link_rois([tmp_path / name / "r.h5"], tmp_path / name / "rois.h5")
    for file in ("a.h5", "r.h5", "images.h5", "rois.h5"):
        assert (tmp_path / "x" / file).read_bytes() == (tmp_path / "y" / file).read_bytes()


def test_a_job_that_dies_leaves_no_shard(tmp_path):
    def failing():
        yield from pictures()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_shard(tmp_path / "a.h5", failing())
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_shard(tmp_path, monkeypatch):
    write_shard(tmp_path / "a.h5", pictures())
    before = (tmp_path / "a.h5").read_bytes()

    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(h5py.Group, "create_dataset", full)
    with pytest.raises(OSError, match="No space"):
        write_shard(tmp_path / "a.h5", pictures())
    assert (tmp_path / "a.h5").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.h5"]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 6), max_size=12))
def test_squares_are_read_in_any_order_and_number(tmp_path_factory, indices):
    folder = tmp_path_factory.mktemp("rois")
    all_squares = squares(7)
    write_rois(folder / "a.h5", ids(3), all_squares[:3])
    write_rois(folder / "b.h5", ids(4, "b"), all_squares[3:])
    link_rois([folder / "a.h5", folder / "b.h5"], folder / "rois.h5")
    with open_rois(folder / "rois.h5") as store:
        assert store.image_ids == ids(3) + ids(4, "b")
        read = store.read(np.array(indices, dtype=np.int64))
        np.testing.assert_array_equal(read, all_squares[indices])


def test_all_squares_and_batches_of_them(tmp_path):
    write_rois(tmp_path / "a.h5", ids(5), squares(5))
    with open_rois(tmp_path / "a.h5") as store:
        np.testing.assert_array_equal(store.read(), squares(5))
        stored = store.squares()
        batches = list(stored.batches(2))
        np.testing.assert_array_equal(np.stack(list(stored)), squares(5))
        part = store.squares(np.array([4, 0, 2]))
        assert (part.shape, part.dtype, len(part)) == ((3, 250, 250, 3), np.uint8, 3)
        np.testing.assert_array_equal(part[np.array([2, 1])], squares(5)[[2, 0]])
    assert [len(batch) for batch in batches] == [2, 2, 1]
    np.testing.assert_array_equal(np.concatenate(batches), squares(5))


def test_hospitals_without_squares_can_be_joined(tmp_path):
    write_rois(tmp_path / "a.h5", [], [])
    link_rois([tmp_path / "a.h5"], tmp_path / "rois.h5")
    with open_rois(tmp_path / "rois.h5") as store:
        assert store.read().shape == (0, 250, 250, 3)


@pytest.mark.parametrize("n", [1, 3])
def test_other_than_one_square_an_id_is_refused(tmp_path, n):
    with pytest.raises(StoreMismatch, match=f"{n} squares for 2"):
        write_rois(tmp_path / "a.h5", ids(2), squares(n))
    assert list(tmp_path.iterdir()) == []


def test_files_are_read_and_written_where_no_lock_is_to_be_had(tmp_path, monkeypatch):
    monkeypatch.delenv("HDF5_USE_FILE_LOCKING", raising=False)
    write_shard(tmp_path / "a.h5", pictures())
    write_rois(tmp_path / "r.h5", ids(2), squares(2))
    # Whoever asked for a lock would be refused, as on a disk without locks.
    with open(tmp_path / "a.h5", "rb") as shard, open(tmp_path / "r.h5", "rb") as rois:
        for held in (shard, rois):
            fcntl.flock(held, fcntl.LOCK_EX)
        link_shards([tmp_path / "a.h5"], tmp_path / "images.h5")
        link_rois([tmp_path / "r.h5"], tmp_path / "rois.h5")
        with pytest.raises(OSError, match="lock"):
            h5py.File(tmp_path / "a.h5", "r")
        with open_images(tmp_path / "images.h5") as store:
            np.testing.assert_array_equal(store.screen(1), pictures()[1][1])
        with open_rois(tmp_path / "rois.h5") as store:
            np.testing.assert_array_equal(store.read(), squares(2))


@pytest.mark.parametrize("gone", [[], [0], [1], [0, 2], [1, 2, 4], [0, 1, 2], [0, 1, 2, 3, 4]])
def test_what_is_left_out_stays_in_the_shards_only(tmp_path, gone):
    shards = {"a": pictures("a"), "b": pictures("b", [(90, 20), (30, 30)])}
    for name, stored in shards.items():
        write_shard(tmp_path / f"{name}.h5", stored)
        write_rois(tmp_path / f"{name}_roi.h5", [i for i, _ in stored], squares(len(stored), len(stored)))
    everything = [one for stored in shards.values() for one in stored]
    left_out = {everything[number][0] for number in gone}
    kept = [(number, *one) for number, one in enumerate(everything) if number not in gone]
    link_shards([tmp_path / "a.h5", tmp_path / "b.h5"], tmp_path / "images.h5", left_out)
    link_rois([tmp_path / "a_roi.h5", tmp_path / "b_roi.h5"], tmp_path / "rois.h5", left_out)
    with open_images(tmp_path / "images.h5") as images, open_rois(tmp_path / "rois.h5") as rois:
        assert images.image_ids == rois.image_ids == [name for _, name, _ in kept]
        for index, (_, _, picture) in enumerate(kept):
            np.testing.assert_array_equal(images.screen(index), picture)
        expected = np.concatenate([squares(3, 3), squares(2, 2)])[[number for number, _, _ in kept]]
        np.testing.assert_array_equal(rois.read(), expected)
