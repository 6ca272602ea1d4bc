"""Patients and pictures in two cohorts of a split, also those that look the same although their bytes differ."""

from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from scipy.fft import dctn

from dlre_core.foundation.errors import PatientLeak
from dlre_core.foundation.picture_store import open_rois
from dlre_core.foundation.study_terms import KEYS, cohorts_of

HASH_SIDE = 16
# Of 255 bits. 1,000 simulated squares: different pictures differ in 52 or more, recompressed, resized
# and brightened twins in 16 or less (docs/measurements/learning.md).
MOST_DIFFERENT_BITS = 32
THUMBNAIL_SIDE = 32
ROWS_AT_ONCE = 512


def perceptual_hashes(batches: Iterable[NDArray[np.uint8]]) -> NDArray[np.bool_]:
    """A hash of every picture that recompression, resizing and brightness hardly change.

    Which of the 16 x 16 lowest cosine coefficients (without the mean) of a 32 x 32 grey thumbnail
    are above their median.

    Parameters
    ----------
    batches : iterable of (n, side, side, 3) uint8

    Returns
    -------
    (n, 255) bool

    References
    ----------
    Zauner C. Implementation and benchmarking of perceptual image hash functions. Thesis, Hagenberg
    2010, section 3.2.1 (DCT hash).
    """
    hashes = [np.empty((0, HASH_SIDE**2 - 1), dtype=bool)]
    for batch in batches:
        if len(batch):
            thumbnails = np.stack([_thumbnail(picture) for picture in batch])
            low = dctn(thumbnails, axes=(1, 2), norm="ortho")[:, :HASH_SIDE, :HASH_SIDE]
            coefficients = low.reshape(len(batch), -1)[:, 1:]
            hashes.append(coefficients > np.median(coefficients, axis=1, keepdims=True))
    return np.concatenate(hashes)


def hashes_as_text(hashes: NDArray[np.bool_]) -> list[str]:
    """64 hexadecimal digits for each of `perceptual_hashes`."""
    return [packed.tobytes().hex() for packed in np.packbits(hashes, axis=1)]


def hashes_from_text(texts: Sequence[str]) -> NDArray[np.bool_]:
    """The (n, 255) hashes that `hashes_as_text` wrote.

    Raises
    ------
    ValueError
        If a text is none.
    """
    packed = np.frombuffer(bytes.fromhex("".join(texts)), dtype=np.uint8)
    packed = packed.reshape(len(texts), HASH_SIDE**2 // 8)
    return np.unpackbits(packed, axis=1, count=HASH_SIDE**2 - 1).astype(bool)


def alike(
    first: NDArray[np.bool_], second: NDArray[np.bool_], most: int = MOST_DIFFERENT_BITS
) -> list[tuple[int, int, int]]:
    """Index in ``first``, index in ``second`` and different bits of every pair of similar hashes.

    Parameters
    ----------
    first, second : (n, bits), (m, bits) bool
    most : int
        Pairs that differ in more bits are left out.

    Examples
    --------
    >>> first = np.array([[True, False, True, True]])
    >>> second = np.array([[True, False, True, False], [False, True, False, False]])
    >>> alike(first, second, most=1)
    [(0, 0, 1)]
    """
    a, b = first.astype(np.float32), second.astype(np.float32)
    found, bits = [], b.sum(axis=1)
    # Some rows at a time: all pairs of a large study do not fit into memory. Whole numbers, so exact.
    for start in range(0, len(a), ROWS_AT_ONCE):
        rows = a[start : start + ROWS_AT_ONCE]
        different = rows.sum(axis=1)[:, None] + bits - 2 * (rows @ b.T)
        found += [(int(start + i), int(j), int(different[i, j])) for i, j in np.argwhere(different <= most)]
    return found


def check_split(split: pd.DataFrame, pictures: pd.DataFrame, rois: pd.DataFrame, rois_file: str | Path) -> pd.DataFrame:
    """Look for patients, identical and nearly identical pictures in two cohorts of a split.

    Parameters
    ----------
    split : DataFrame
        As `dlre_core.patients.splits.make_split` returns it.
    pictures : DataFrame
        ``results/store/acquisitions.csv``.
    rois : DataFrame
        ``results/roi/rois.csv``; row i is square i of the file.
    rois_file : path
        ``results/roi/rois.h5``.

    Returns
    -------
    DataFrame
        The row of `check_leaks` and shared_look_alikes (0).

    Raises
    ------
    PatientLeak
        With the pairs.
    """
    counts = check_leaks(split, pictures)
    with open_rois(rois_file) as store:
        hashes = perceptual_hashes(store.squares().batches())
    used = rois.assign(index=np.arange(len(rois))).merge(split[[*KEYS, "cohort"]], on=KEYS)
    for names in combinations(cohorts_of(split), 2):
        first, second = (used[used["cohort"] == name] for name in names)
        pairs = alike(hashes[first["index"]], hashes[second["index"]])
        if pairs:
            named = "; ".join(
                f"{_name(first.iloc[i])} ~ {_name(second.iloc[j])}, {bits} of {hashes.shape[1]} bits"
                for i, j, bits in pairs
            )
            raise PatientLeak(
                f"Nearly the same picture stands in {names[0]} and in {names[1]}: {named}.",
                "Look at both: if one was exported for two patients, find out whose it is and remove the other.",
            )
    return counts.assign(shared_look_alikes=0)


def check_leaks(split: pd.DataFrame, pictures: pd.DataFrame) -> pd.DataFrame:
    """Look for patients and picture contents that stand in two cohorts of a split.

    Parameters
    ----------
    split : DataFrame
        As `dlre_core.patients.splits.make_split` returns it.
    pictures : DataFrame
        image_id, hospital, patient, pixel_digest of every stored picture.

    Returns
    -------
    DataFrame
        One row, counts of what was compared: training_patients, validation_patients, training_pictures,
        validation_pictures (and the same of an external cohort), shared_patients (0), shared_pictures (0).

    Raises
    ------
    PatientLeak
        With the pairs, if a pseudonym or a picture content is in two cohorts.
    """
    named = cohorts_of(split)
    patients = {name: set(split.loc[split["cohort"] == name, "patient"]) for name in named}
    shared = set().union(*(patients[one] & patients[other] for one, other in combinations(named, 2)))
    if shared or split.duplicated(KEYS).any():
        raise PatientLeak(
            f"Patients on both sides of the split: {', '.join(sorted(shared)) or 'duplicated rows'}.",
            "Give every patient one id and one hospital in clinical.csv.",
        )
    used = pictures.merge(split[[*KEYS, "cohort"]], on=KEYS, how="inner")
    cohorts = used.groupby("pixel_digest")["cohort"].nunique()
    leaked = used[used["pixel_digest"].isin(cohorts[cohorts > 1].index)]
    if len(leaked):
        pairs = "; ".join(
            " = ".join(f"{r.hospital}/{r.patient}/{r.image_id} ({r.cohort})" for r in part.itertuples())
            for _, part in leaked.groupby("pixel_digest")
        )
        raise PatientLeak(
            f"The same picture stands on both sides of the split: {pairs}.",
            "One picture was exported for two patients: find out whose it is, remove the other.",
        )
    counts = used["cohort"].value_counts()
    row = {f"{name}_patients": int((split["cohort"] == name).sum()) for name in named}
    row |= {f"{name}_pictures": int(counts.get(name, 0)) for name in named}
    return pd.DataFrame([row | {"shared_patients": 0, "shared_pictures": 0}])


def _name(row: pd.Series) -> str:
    return f"{row['hospital']}/{row['patient']}/{row['image_id']}"


def _thumbnail(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    size = (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    grey = Image.fromarray(picture).convert("L").resize(size, Image.Resampling.BOX)
    return np.asarray(grey, dtype=np.float32)
