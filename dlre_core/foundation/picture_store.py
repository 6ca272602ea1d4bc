"""The picture store: one HDF5 shard a hospital, joined by virtual datasets. Only this opens HDF5."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

import h5py
import hdf5plugin
import numpy as np
from numpy.typing import NDArray

from dlre_core.foundation.atomic_files import written_whole
from dlre_core.foundation.errors import StoreMismatch
from dlre_core.foundation.study_terms import INPUTS, SQUARE_SHAPE

IMAGE_ID_TYPE = "S16"
# Chosen by measurement: docs/measurements/ingestion.md, benchmarks/store.py.
CHUNK = (1, 540, 720, 3)
# Squares, 188 kB each.
READ_AT_ONCE = 256
COMPRESSION = dict(hdf5plugin.Blosc(cname="lz4", clevel=1, shuffle=hdf5plugin.Blosc.NOSHUFFLE))
# Files appear whole and are never changed, so nobody has to wait; some network disks have no locks.
NO_LOCKS = dict(locking=False)


@dataclass(frozen=True)
class StoredScreen:
    """A picture of an open shard, to be copied as it is compressed."""

    data: h5py.Dataset
    index: int
    shape: tuple[int, int]

    def copy_to(self, target: h5py.Dataset, index: int) -> None:
        """Copy the picture's chunks; the target has the same chunks and compression."""
        height, width = self.shape
        for row in range(0, height, CHUNK[1]):
            for column in range(0, width, CHUNK[2]):
                mask, content = self.data.id.read_direct_chunk((self.index, row, column, 0))
                target.id.write_direct_chunk((index, row, column, 0), content, mask)


def write_shard(path: str | Path, pictures: Iterable[tuple[str, NDArray[np.uint8] | StoredScreen]]) -> None:
    """Write a hospital's pictures one by one; a killed job leaves no file that looks whole.

    Parameters
    ----------
    path : path
        HDF5 file: ``screens`` (n, height, width, 3) uint8, smaller pictures at the top left;
        ``sizes`` (n, 2) int32, true height and width; ``image_id`` (n,) 16 characters.
    pictures : iterable of (str, (height, width, 3) uint8 or StoredScreen)
        Image id and picture; only one is held at a time. Copied or new, the bytes are the same.
    """
    with _new_file(path) as file:
        data = file.create_dataset(
            "screens",
            shape=(0, 0, 0, 3),
            maxshape=(None, None, None, 3),
            chunks=CHUNK,
            dtype=np.uint8,
            **COMPRESSION,
        )
        image_ids: list[str] = []
        sizes: list[tuple[int, int]] = []
        for image_id, screen in pictures:
            height, width = screen.shape[:2]
            data.resize((len(sizes) + 1, max(data.shape[1], height), max(data.shape[2], width), 3))
            if isinstance(screen, StoredScreen):
                screen.copy_to(data, len(sizes))
            else:
                data[len(sizes), :height, :width] = screen
            image_ids.append(image_id)
            sizes.append((height, width))
        file["sizes"] = np.array(sizes, dtype=np.int32).reshape(-1, 2)
        file["image_id"] = np.array(image_ids, dtype=IMAGE_ID_TYPE)


def link_shards(shards: Sequence[str | Path], path: str | Path, left_out: Collection[str] = frozenset()) -> None:
    """Join shards into one file of virtual datasets, by relative names, in the order given.

    Pictures whose image ids are ``left_out`` stay in their shard only.
    """
    parts = [_Shard.read(shard, path, "screens", left_out) for shard in shards]
    rows = sum(part.shape[0] for part in parts)
    height = max((part.shape[1] for part in parts), default=0)
    width = max((part.shape[2] for part in parts), default=0)
    layout = _virtual_layout((rows, height, width, 3))
    start = 0
    for part in parts:
        _, h, w = part.shape[:3]
        for source, n in part.sources("screens"):
            layout[start : start + n, :h, :w] = source
            start += n
    with _new_file(path) as file:
        file.create_virtual_dataset("screens", layout, fillvalue=0)
        file["sizes"] = _concatenate([part.sizes for part in parts], (0, 2), np.int32)
        file["image_id"] = _concatenate([part.image_ids for part in parts], (0,), IMAGE_ID_TYPE)


def write_rois(
    path: str | Path,
    image_ids: Sequence[str],
    rois: Iterable[NDArray[np.uint8]],
    others: Mapping[str, Iterable[NDArray[np.uint8]]] = MappingProxyType({}),
) -> None:
    """Write cropped squares (250, 250, 3) uint8, uncompressed, in the order of ``image_ids``.

    Parameters
    ----------
    path : path
    image_ids : n str
    rois : n arrays
    others : mapping of str to n arrays, optional
        Other pictures of the same squares, by the names that `INPUTS` has for them.

    Raises
    ------
    StoreMismatch
        If there are not as many squares as ids.
    """
    with _new_file(path) as file:
        shape = (len(image_ids), *SQUARE_SHAPE)
        for name, squares in {"rois": rois, **others}.items():
            data = file.create_dataset(name, shape=shape, dtype=np.uint8)
            count = 0
            for count, square in enumerate(squares, start=1):
                if count <= len(image_ids):
                    data[count - 1] = square
            if count != len(image_ids):
                raise StoreMismatch(f"{path}: {count} squares for {len(image_ids)} image ids.")
        file["image_id"] = np.array(image_ids, dtype=IMAGE_ID_TYPE)


def link_rois(shards: Sequence[str | Path], path: str | Path, left_out: Collection[str] = frozenset()) -> None:
    """Join the squares of all hospitals, but for the image ids that are ``left_out``, as virtual datasets."""
    parts = [_Shard.read(shard, path, "rois", left_out) for shard in shards]
    rows = sum(part.shape[0] for part in parts)
    names = set.intersection(*(part.pictures for part in parts)) if parts else {"rois"}
    with _new_file(path) as file:
        for name in sorted(names, reverse=True):
            layout = _virtual_layout((rows, *SQUARE_SHAPE))
            start = 0
            for part in parts:
                for source, n in part.sources(name):
                    layout[start : start + n] = source
                    start += n
            file.create_virtual_dataset(name, layout, fillvalue=0)
        file["image_id"] = _concatenate([part.image_ids for part in parts], (0,), IMAGE_ID_TYPE)


class _Store:
    """An open file with ``image_id``; a context manager."""

    def __init__(self, path: str | Path) -> None:
        self._file = h5py.File(path, "r", **NO_LOCKS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._file["image_id"])

    @cached_property
    def image_ids(self) -> list[str]:
        """Ids of all pictures, in their order."""
        return [name.decode("ascii") for name in self._file["image_id"][()]]

    def image_id(self, index: int) -> str:
        """Id of picture ``index``; empty where there are fewer."""
        ids = self._file["image_id"]
        return ids[index].decode("ascii") if 0 <= index < len(ids) else ""


class ImageStore(_Store):
    """Whole pictures, with everything but the pictures and the colour bar blanked."""

    def stored(self, index: int) -> StoredScreen:
        """Picture ``index`` of a shard as it lies there."""
        height, width = (int(side) for side in self._file["sizes"][index])
        return StoredScreen(self._file["screens"], index, (height, width))

    def screen(self, index: int) -> NDArray[np.uint8]:
        """Picture ``index`` at its true size, (height, width, 3) uint8."""
        height, width = self._file["sizes"][index]
        return self._file["screens"][index, :height, :width]


class RoiStore(_Store):
    """Squares, 250 x 250 pixels."""

    def read(self, indices: NDArray[np.int64] | None = None, kind: str = "square") -> NDArray[np.uint8]:
        """Squares ``(n, 250, 250, channels)`` uint8: all, or those at ``indices`` in their order.

        ``kind``, one of `INPUTS`, says what is seen of them; three channels a picture.

        Raises
        ------
        StoreMismatch
            If the store has no such pictures.
        """
        parts = [self._read(indices, name) for name in INPUTS[kind]]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=3)

    def _read(self, indices: NDArray[np.int64] | None, name: str) -> NDArray[np.uint8]:
        if name not in self._file:
            raise StoreMismatch(
                f"{self._file.filename} holds no pictures of the kind {name}.",
                "Delete results/roi and run again.",
            )
        data = self._file[name]
        if indices is None:
            return data[()]
        indices = np.asarray(indices, dtype=np.int64)
        out = np.empty((len(indices), *data.shape[1:]), dtype=np.uint8)
        # One read for every run of neighbours.
        breaks = np.flatnonzero(np.diff(indices) != 1) + 1
        for run in np.split(np.arange(len(indices)), breaks):
            if len(run):
                first = indices[run[0]]
                out[run[0] : run[-1] + 1] = data[first : first + len(run)]
        return out

    def squares(self, indices: NDArray[np.int64] | None = None, kind: str = "square") -> "StoredSquares":
        """All squares, or those at ``indices`` in their order, to be read when they are used."""
        return StoredSquares(self, np.arange(len(self)) if indices is None else indices, kind)


class StoredSquares:
    """Squares of an open store that are read when they are used, so that memory does not grow with them.

    Answers to ``len``, ``shape``, ``dtype``, iteration, and a slice or an array of positions as an array
    (n, 250, 250, channels) uint8 does.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, store: RoiStore, indices: NDArray[np.int64], kind: str = "square") -> None:
        self._store, self._indices, self._kind = store, np.asarray(indices, dtype=np.int64), kind
        self.shape = (len(self._indices), *SQUARE_SHAPE[:2], SQUARE_SHAPE[2] * len(INPUTS[kind]))
        self.nbytes = int(np.prod(self.shape))

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, chosen: slice | NDArray[np.int64]) -> NDArray[np.uint8]:
        return self._store.read(self._indices[chosen], self._kind)

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        for batch in self.batches():
            yield from batch

    def batches(self, number: int = READ_AT_ONCE) -> Iterator[NDArray[np.uint8]]:
        """Yield all squares in order, ``number`` at a time."""
        for start in range(0, len(self), number):
            yield self[start : start + number]


def open_images(path: str | Path) -> ImageStore:
    """Open a shard or the joined store of whole pictures."""
    return ImageStore(path)


def open_rois(path: str | Path) -> RoiStore:
    """Open a shard or the joined store of squares."""
    return RoiStore(path)


class _Shard:
    """What joining needs to know of a shard."""

    def __init__(self, name: str, stored: tuple[int, ...], kept: NDArray[np.bool_], file: h5py.File) -> None:
        self.name, self._stored, self._kept = name, stored, kept
        self.shape = (int(kept.sum()), *stored[1:])
        self.image_ids: NDArray[np.bytes_] = file["image_id"][()][kept]
        sizes = file["sizes"][()] if "sizes" in file else np.zeros((len(kept), 2), dtype=np.int32)
        self.sizes: NDArray[np.int32] = sizes[kept]
        self.pictures = {name for names in INPUTS.values() for name in names if name in file}

    @classmethod
    def read(cls, shard: str | Path, joined: str | Path, dataset: str, left_out: Collection[str]) -> "_Shard":
        name = os.path.relpath(shard, Path(joined).parent)
        with h5py.File(shard, "r", **NO_LOCKS) as file:
            kept = ~np.isin(file["image_id"][()], np.array(sorted(left_out), dtype=IMAGE_ID_TYPE))
            return cls(name, file[dataset].shape, kept, file)

    def sources(self, dataset: str) -> Iterator[tuple[h5py.VirtualSource, int]]:
        """Every run of neighbours that are kept, and how many they are."""
        edges = np.flatnonzero(np.diff(self._kept, prepend=False, append=False))
        for first, end in edges.reshape(-1, 2).tolist():
            source = h5py.VirtualSource(self.name, dataset, shape=self._stored)
            yield source if end - first == len(self._kept) else source[first:end], end - first


def _virtual_layout(shape: tuple[int, ...]) -> h5py.VirtualLayout:
    layout = h5py.VirtualLayout(shape, dtype=np.uint8)
    # Else the time of writing is in the file, and the same input gives other bytes.
    layout.dcpl.set_obj_track_times(False)
    return layout


def _concatenate(parts: list[NDArray], empty: tuple[int, ...], dtype: object) -> NDArray:
    return np.concatenate(parts) if parts else np.zeros(empty, dtype=dtype)


@contextmanager
def _new_file(path: str | Path) -> Iterator[h5py.File]:
    """An HDF5 file that appears under its name when all went well."""
    with (
        written_whole(path) as unfinished,
        # Without a cache of chunks they lie in the file in the order in which they came.
        h5py.File(unfinished, "w", libver="latest", track_order=False, rdcc_nbytes=0, **NO_LOCKS) as file,
    ):
        yield file
