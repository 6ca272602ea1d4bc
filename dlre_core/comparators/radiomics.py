"""Engineered texture of the stiffness map, and a logistic model on it, as a score to compare with.

After Gatos et al. (Med Phys 2016;43:1428-1436, doi:10.1118/1.4942383), who took 330 first and second
order features of the colour-inverted stiffness map; here is a small set of the same kinds.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from skimage.feature import graycomatrix, graycoprops

from dlre_core.comparators.logistic_model import logistic_scores
from dlre_core.elastography.elastogram import read_box, stiffness_map, stored_layout
from dlre_core.elastography.q_box import BOX_WIDTH_MM
from dlre_core.elastography.scale import scale_of_columns
from dlre_core.foundation.csv_tables import read_table, write_table
from dlre_core.foundation.design import study_questions
from dlre_core.foundation.errors import StoreMismatch
from dlre_core.foundation.picture_store import open_images
from dlre_core.foundation.study_terms import BOX_WRONG, KEYS

FIRST_ORDER = (
    "mean_kpa",
    "median_kpa",
    "sd_kpa",
    "p10_kpa",
    "p90_kpa",
    "skewness",
    "kurtosis",
    "entropy_bits",
)
CO_OCCURRENCE = ("contrast", "dissimilarity", "homogeneity", "ASM", "correlation", "entropy")
FEATURES = (*FIRST_ORDER, *(f"glcm_{name.lower()}" for name in CO_OCCURRENCE), "measured_fraction")
COLUMNS = ["image_id", *KEYS, "acquisition", *FEATURES]
GREY_LEVELS = 32
# Neighbours are compared at a distance that the elastograph resolves; its pixels are finer.
DISTANCE_MM = 1.0
ANGLES = np.deg2rad([0, 45, 90, 135])
# Share of the sector that must carry stiffness.
LEAST_MEASURED = 0.1


def texture_features(kpa: NDArray[np.float32], scale_maximum_kpa: float, distance: int) -> dict[str, float]:
    """First-order and grey-level co-occurrence features of a stiffness map.

    Skewness and kurtosis are m3 / m2^1.5 and m4 / m2^2, as PyRadiomics has them; the first-order
    entropy is that of 32 equal bins of the scale, bits. Co-occurrence is counted between pixels that
    both carry stiffness, in the same bins, both ways, at 0, 45, 90 and 135 degrees; scikit-image's
    properties are averaged over the angles. Angular second moment is ``ASM``, entropy in nats.

    Parameters
    ----------
    kpa : (height, width) float32
        NaN where there is no signal.
    scale_maximum_kpa : float
        Full scale of the colour bar, kPa.
    distance : int
        Pixels between the two of a pair.

    Returns
    -------
    dict
        `FEATURES` but ``measured_fraction``; NaN where undefined (no pixel, no pair, no variance).

    References
    ----------
    Haralick, Shanmugam, Dinstein, IEEE Trans Syst Man Cybern 1973;3:610-621.
    """
    known = ~np.isnan(kpa)
    names = FEATURES[:-1]
    if not known.any():
        return dict.fromkeys(names, np.nan)
    # Level 0 is for pixels without stiffness, and its pairs are dropped below.
    levels = np.zeros(kpa.shape, dtype=np.uint8)
    share = kpa[known] / scale_maximum_kpa
    levels[known] = 1 + np.clip((share * GREY_LEVELS).astype(int), 0, GREY_LEVELS - 1)
    values = kpa[known].astype(np.float64)
    varies = bool(values.std() > 0)
    first = (
        values.mean(),
        np.median(values),
        values.std(),
        *np.percentile(values, [10, 90]),
        stats.skew(values) if varies else np.nan,
        stats.kurtosis(values, fisher=False) if varies else np.nan,
        stats.entropy(np.bincount(levels[known]), base=2),
    )
    pairs = graycomatrix(levels, [distance], ANGLES, GREY_LEVELS + 1, symmetric=True)[1:, 1:]
    if not pairs.any():
        return dict(zip(names, [*map(float, first), *[np.nan] * len(CO_OCCURRENCE)], strict=True))
    pairs = pairs[..., pairs.sum(axis=(0, 1, 2)) > 0]
    second = (graycoprops(pairs, name).mean() for name in CO_OCCURRENCE)
    return dict(zip(names, [*map(float, first), *map(float, second)], strict=True))


def measure_hospital(shard: str | Path, acquisitions: str | Path, table: str | Path) -> None:
    """Features of the whole elastography box of each of a hospital's pictures.

    Parameters
    ----------
    shard, acquisitions : path
        ``results/store/{hospital}.h5`` and ``{hospital}_acquisitions.csv``.
    table : path
        Written: CSV with `COLUMNS`. ``measured_fraction`` is the share of the sector with stiffness;
        below a tenth the others are missing.

    Raises
    ------
    StoreMismatch
        If pictures and table disagree.
    """
    rows = read_table(acquisitions)
    measured = []
    with open_images(shard) as store:
        if list(rows["image_id"]) != store.image_ids:
            raise StoreMismatch(
                f"{shard} and {acquisitions} list different pictures.",
                "Delete both and run again.",
            )
        for index, row in enumerate(rows.itertuples()):
            features = _picture_features(store.screen(index), row)
            measured.append({name: getattr(row, name) for name in COLUMNS[:4]} | features)
    write_table(pd.DataFrame(measured, columns=COLUMNS), table)


def read_features(tables: Sequence[str | Path], acquisitions: pd.DataFrame) -> pd.DataFrame:
    """Features of all hospitals, of which some may have no pictures; none of pictures whose box is wrong.

    Parameters
    ----------
    tables : sequence of path
        As `measure_hospital` writes them.
    acquisitions : DataFrame
        ``results/store/acquisitions.csv``: image_id and flags are used.

    Raises
    ------
    StoreMismatch
        If a table is not what `measure_hospital` writes.
    """
    parts = [read_table(path, needs=COLUMNS) for path in tables]
    features = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    wrong = acquisitions.loc[acquisitions["flags"].str.split(";").map(lambda flags: BOX_WRONG in flags), "image_id"]
    features.loc[features["image_id"].isin(wrong), list(FEATURES)] = np.nan
    return features


def radiomics_scores(scores: pd.DataFrame, predictions: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    """Add ``radiomics_{stage}`` to a study's scores.

    A patient's features are the means over the arm's pictures; the model is fitted on training
    patients only. So training rows are of patients that it has seen, as those of DLRE are.

    Parameters
    ----------
    scores, predictions : DataFrame
        ``results/scores/{arm}.csv``, and ``results/predictions/{arm}.csv`` for which pictures count.
    features : DataFrame
        What `measure_hospital` writes, all hospitals.

    Returns
    -------
    DataFrame
        As ``scores``; a score is NaN where a patient has no picture with all features.

    Raises
    ------
    StoreMismatch
        If a predicted picture has no row of features.
    TrainingError
        If a stage question has one class only among complete training patients.
    """
    used = predictions[[*KEYS, "image_id"]].merge(
        features[["image_id", *FEATURES]], on="image_id", how="left", indicator=True
    )
    if (used.pop("_merge") != "both").any():
        raise StoreMismatch(
            "Pictures were predicted that have no radiomics features.",
            "Delete results/radiomics and run again.",
        )
    # One undefined feature and the picture tells nothing.
    used = used[used[list(FEATURES)].notna().all(axis=1)]
    means = used.groupby(KEYS)[list(FEATURES)].mean()
    of_patient = means.reindex(pd.MultiIndex.from_frame(scores[KEYS])).to_numpy(dtype=np.float64)
    return scores.assign(
        **{f"radiomics_{stage}": logistic_scores(of_patient, scores, stage, "radiomics") for stage in study_questions()}
    )


def _picture_features(screen: NDArray[np.uint8], row: tuple) -> dict[str, float]:
    layout = stored_layout(row._asdict())
    opacity = None if np.isnan(row.opacity) else float(row.opacity)
    colours = read_box(screen, layout, opacity)
    kpa = stiffness_map(colours, scale_of_columns(row._asdict()))
    fraction = float((~np.isnan(kpa)).sum() / max(int(colours.sector.sum()), 1))
    if fraction < LEAST_MEASURED:
        kpa = np.full_like(kpa, np.nan)
    pixel_mm = layout.pixel_spacing_mm or BOX_WIDTH_MM / layout.box.width
    distance = max(1, round(DISTANCE_MM / pixel_mm))
    features = texture_features(kpa, float(row.scale_maximum_kpa), distance)
    return features | {"measured_fraction": fraction}
