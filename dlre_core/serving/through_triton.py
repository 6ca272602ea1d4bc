"""Predict every arm of a study and write one table per arm."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from dlre_core.foundation.csv_tables import read_table, write_table
from dlre_core.foundation.errors import StoreMismatch
from dlre_core.foundation.picture_store import RoiStore, StoredSquares, open_rois
from dlre_core.foundation.study_terms import PREDICTION_COLUMNS
from dlre_core.patients.splits import select_images
from dlre_core.serving.client import check_served_model, predict_images
from dlre_core.serving.onnx_model import STAGES
from dlre_core.serving.repository import manifest_digest
from dlre_core.serving.server import TritonServer

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServingSettings:
    """How to reach or start the server; see `TritonServer` and `predict_images`.

    ``url`` is the ``host:port`` of a running server, or None for the bundled one. ``device`` is what
    the model repository was written for; the server reads it there.
    """

    url: str | None = None
    device: str = "cpu"
    batch_size: int = 32
    start_timeout_seconds: float = 120.0
    request_timeout_seconds: float = 60.0
    threads: int | None = None


def predict_arms(
    *,
    repository: str | Path,
    rois: str | Path,
    roi_table: str | Path,
    splits: Mapping[str, str | Path],
    arms: Mapping[str, Mapping[str, object]],
    outputs: Mapping[str, str | Path],
    log: str | Path,
    settings: ServingSettings,
    version: int = 1,
) -> None:
    """Send the pictures of all arms through one server and write the probabilities.

    Parameters
    ----------
    repository : path
        Model repository of this study; a server at ``settings.url`` must hold the same networks.
    rois, roi_table : path
        ``results/roi/rois.h5`` and ``rois.csv``.
    splits : mapping of str to path
        Split name to its table of patients and cohorts.
    arms : mapping
        Arm to ``{"split": name, "images": n}``: the first n acquisitions of each patient count.
    outputs : mapping of str to path
        Arm to the CSV file to write: hospital, patient, cohort, fibrosis_stage, acquisition,
        image_id, f4, ge_f3, ge_f2; sorted by hospital, patient and acquisition.
    log : path
        Takes the output of the bundled server.
    settings : ServingSettings
        How to reach or start the server.
    version : int
        Version of the model in the repository.

    Raises
    ------
    ServerUnavailable
        If the server does not start, is lost, or holds other networks.
    StoreMismatch
        If the tables name pictures that the store lacks, or a patient has too few.
    """
    digest = manifest_digest(repository, version)
    table = read_table(roi_table)
    with server_url(repository, log, settings) as url, open_rois(rois) as store:
        check_served_model(url, digest, version)
        for arm, choice in arms.items():
            rows = select_images(table, read_table(splits[choice["split"]]), choice["images"])
            rows[list(STAGES)] = predict_images(
                url,
                stored_pictures(store, rows),
                arm,
                version=version,
                batch_size=settings.batch_size,
                request_timeout_seconds=settings.request_timeout_seconds,
            )
            write_table(rows[PREDICTION_COLUMNS], outputs[arm])
            logger.info("%s: %d pictures predicted", arm, len(rows))


@contextmanager
def server_url(repository: str | Path, log: str | Path, settings: ServingSettings) -> Iterator[str]:
    """Context manager: the address of the server that the settings name, or of the bundled one."""
    if settings.url is not None:
        yield settings.url
        return
    with TritonServer(
        repository,
        log=log,
        start_timeout_seconds=settings.start_timeout_seconds,
        threads=settings.threads,
    ) as server:
        yield server.grpc_url


def stored_pictures(store: RoiStore, rows: pd.DataFrame) -> StoredSquares:
    """Pictures of the rows; the table's rows and the store's pictures must be the same ones."""
    index = rows["index"].to_numpy()
    stored = np.asarray(store.image_ids)
    if index.max() >= len(stored) or (stored[index] != rows["image_id"].to_numpy()).any():
        raise StoreMismatch(
            "The table of squares and their store name different pictures.",
            "Delete results/roi and run again.",
        )
    return store.squares(index)
