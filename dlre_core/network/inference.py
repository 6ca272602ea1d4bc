"""What a network sees of stored pictures, and its probabilities in this process."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn

from dlre_core.foundation.errors import StoreMismatch
from dlre_core.foundation.picture_store import RoiStore, StoredSquares
from dlre_core.foundation.study_terms import lacking_flag
from dlre_core.network.fibrosis_network import network_input
from dlre_core.network.kinds import NetworkKind, takes_stiffness

INPUT_NAMES = {"stiffness": "map of stiffness in kPa", "bmode": "B-mode picture without colours"}
NAMED = 3


@dataclass(frozen=True)
class Seen:
    """What a network is given of n pictures.

    Attributes
    ----------
    images : (n, 250, 250, channels) uint8, or StoredSquares
    stiffness_kpa : (n,) float64, optional
        For a network that takes it; NaN where unknown.
    """

    images: NDArray[np.uint8] | StoredSquares
    stiffness_kpa: NDArray[np.float64] | None = None


def seen_pictures(store: RoiStore, rows: pd.DataFrame, kind: NetworkKind) -> Seen:
    """What a network of this kind sees of the pictures in a table.

    Parameters
    ----------
    store : RoiStore
    rows : DataFrame
        Of ``rois.csv``, with ``index``, the row in the store.
    kind : NetworkKind

    Raises
    ------
    StoreMismatch
        If a picture lacks what the network sees.
    """
    check_input(rows, kind)
    index = rows["index"].to_numpy()
    stiffness_kpa = None if kind.of_the_paper else rows["q_box_mean_kpa"].to_numpy(np.float64)
    return Seen(store.squares(index, kind.input), stiffness_kpa)


def check_input(rows: pd.DataFrame, kind: NetworkKind) -> None:
    """Refuse pictures, rows of ``rois.csv``, of which there is not what a network of this kind sees.

    Raises
    ------
    StoreMismatch
        With their number, the first of them, and what to do.
    """
    for name in kind.besides_the_square:
        lacking = rows.loc[lacks(rows, name), "image_id"]
        if len(lacking):
            first = ", ".join(lacking[:NAMED]) + (", ..." if len(lacking) > NAMED else "")
            raise StoreMismatch(
                f"{len(lacking)} of {len(rows)} pictures have no {INPUT_NAMES[name]}, which an arm with input: "
                f"{kind.input} sees: {first}.",
                "Give that arm another input (section arms), or leave out the hospitals with such screens.",
            )


def lacks(rows: pd.DataFrame, name: str) -> NDArray[np.bool_]:
    """Which rows of ``rois.csv`` are flagged as lacking a picture of this name."""
    flags = rows["flags"].fillna("").astype(str).str.split(";")
    return np.array([lacking_flag(name) in found for found in flags], dtype=bool)


def picture_probabilities(
    network: nn.Module,
    rois: NDArray[np.uint8] | StoredSquares,
    stiffness_kpa: NDArray[np.float64] | None = None,
    *,
    chosen: NDArray[np.int64] | None = None,
    batch_size: int = 32,
    device: torch.device | None = None,
) -> NDArray[np.float64]:
    """Probabilities of images ``(n, 250, 250, channels)`` uint8, or of the ``chosen`` ones, in process.

    ``stiffness_kpa`` (n,), NaN where unknown, is for networks that take it. A number of images at a time; arithmetic is
    float32, or autocast's, the probability always float32.
    """
    joined = torch.from_numpy(np.asarray(stiffness_kpa, np.float32)).to(device) if takes_stiffness(network) else None
    chosen = np.arange(len(rois)) if chosen is None else chosen
    network.eval()
    with torch.inference_mode():
        parts = [
            torch.sigmoid(
                network(network_input(rois[here], device), *([] if joined is None else [joined[here]])).float()
            )
            for here in (chosen[start : start + batch_size] for start in range(0, len(chosen), batch_size))
        ]
    return torch.cat(parts).double().cpu().numpy() if parts else np.empty(0)
