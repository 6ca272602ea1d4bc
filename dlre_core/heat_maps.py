"""Where a network looks: gradient-weighted class activation maps, and the cases worth looking at."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch.nn import functional

from dlre_core.network import FibrosisNetwork
from dlre_core.scores import KEYS, STAGES
from dlre_core.splits import stage_labels

# What an answer can be, with (has the stage, answered with yes).
KINDS: Mapping[str, tuple[int, bool]] = {
    "Rightly yes": (1, True),
    "Rightly no": (0, False),
    "Missed": (1, False),
    "False alarm": (0, True),
}


def grad_cam(network: FibrosisNetwork, image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What in a picture speaks for the network's answer.

    The maps of the last pooling layer, weighted by the mean gradient of the logit (of its negative
    where the answer is no), cut at zero and enlarged.

    Parameters
    ----------
    network : FibrosisNetwork
    image : (250, 250, 3) uint8

    Returns
    -------
    (250, 250) float32
        0 to 1; all 0 where nothing speaks for the answer.

    References
    ----------
    Selvaraju RR, et al. Grad-CAM. ICCV 2017:618-626. doi:10.1109/ICCV.2017.74
    """
    maps = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255 - 0.5
    with torch.no_grad():
        for convolution in network.convolutions:
            maps = functional.relu(functional.max_pool2d(convolution(maps), 2))
    maps.requires_grad_(True)
    logit = network.output(functional.relu(network.hidden(torch.flatten(maps, 1)))).squeeze()
    (gradient,) = torch.autograd.grad(logit if logit > 0 else -logit, maps)
    cam = functional.relu((maps * gradient.mean(dim=(2, 3), keepdim=True)).sum(dim=1, keepdim=True))
    cam = functional.interpolate(
        cam.detach(), size=image.shape[:2], mode="bilinear", align_corners=False
    )[0, 0]
    largest = float(cam.max())
    return (cam / largest if largest > 0 else cam).numpy().astype(np.float32)


def choose_cases(predictions: pd.DataFrame, table_2: pd.DataFrame) -> pd.DataFrame:
    """The most decided validation patient of every kind of answer and stage question.

    Parameters
    ----------
    predictions : DataFrame
        ``results/predictions/{arm}.csv``.
    table_2 : DataFrame
        ``results/tables/table_2.csv``: DLRE's cut-offs.

    Returns
    -------
    DataFrame
        stage, kind, fibrosis_stage, probability (of the patient), cutoff, image_id (the picture whose
        own probability is nearest to the patient's); a kind that nobody is of has no row.
    """
    cutoffs = table_2[(table_2["method"] == "dlre") & (table_2["cohort"] == "validation")]
    cutoff = cutoffs.set_index("stage")["cutoff"]
    pictures = predictions[predictions["cohort"] == "validation"]
    rows = []
    for stage in STAGES:
        patients = pictures.groupby(KEYS, sort=True).agg(
            fibrosis_stage=("fibrosis_stage", "first"), probability=(stage, "mean")
        )
        has = stage_labels(patients["fibrosis_stage"], stage)
        yes = (patients["probability"] >= cutoff[stage]).to_numpy()
        for kind, (truth, answer) in KINDS.items():
            part = patients[(has == truth) & (yes == answer)]
            if len(part):
                where = part["probability"].idxmax() if answer else part["probability"].idxmin()
                own = pictures.set_index(KEYS).loc[[where]]
                nearest = (own[stage] - part.loc[where, "probability"]).abs().to_numpy().argmin()
                rows.append(
                    {
                        "stage": stage, "kind": kind, "cutoff": cutoff[stage],
                        "fibrosis_stage": int(part.loc[where, "fibrosis_stage"]),
                        "probability": float(part.loc[where, "probability"]),
                        "image_id": own["image_id"].iloc[nearest],
                    }
                )  # fmt: skip
    columns = ["stage", "kind", "fibrosis_stage", "probability", "cutoff", "image_id"]
    return pd.DataFrame(rows, columns=columns)
