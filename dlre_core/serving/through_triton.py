"""Predict every arm of a study and write one table per arm."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from dlre_core.foundation.csv_tables import read_table, write_table
from dlre_core.foundation.design import prediction_columns, study_questions
from dlre_core.foundation.errors import StoreMismatch
from dlre_core.foundation.picture_store import RoiStore, open_rois
from dlre_core.network.inference import Seen, seen_pictures
from dlre_core.network.kinds import NetworkKind
from dlre_core.patients.splits import select_images
from dlre_core.serving.client import check_served_model, predict_images
from dlre_core.serving.repository import manifest_digest, served_kind
from dlre_core.serving.server import TritonServer

logger = logging.getLogger(__name__)

# Pictures and an arm, to probabilities.
Ask = Callable[[Seen, str], np.ndarray]


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


@dataclass(frozen=True)
class ArmToPredict:
    """An arm's table of patients and cohorts, its pictures per patient, and the CSV file to write.

    The columns of ``output`` are hospital, patient, cohort, fibrosis_stage, acquisition, image_id, f4, ge_f3, ge_f2;
    rows are sorted by hospital, patient and acquisition.
    """

    split: str | Path
    images: int
    output: str | Path


def predict_arms(
    arms: Mapping[str, ArmToPredict],
    rois: str | Path,
    roi_table: str | Path,
    repository: str | Path,
    log: str | Path,
    settings: ServingSettings,
    *,
    version: int = 1,
) -> None:
    """Send the pictures of all arms through one server and write the probabilities.

    Parameters
    ----------
    arms : mapping of str to ArmToPredict
        By name; the first acquisitions of each patient count.
    rois, roi_table : path
        ``results/roi/rois.h5`` and ``rois.csv``.
    repository : path
        Model repository of this study; a server at ``settings.url`` must hold the same networks.
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
    with checked_server(repository, digest, log, settings, version) as ask, open_rois(rois) as store:
        for name, arm in arms.items():
            rows = select_images(table, read_table(arm.split), arm.images)
            rows[list(study_questions())] = ask(
                stored_pictures(store, rows, served_kind(repository, name, version)), name
            )
            write_table(rows[prediction_columns()], arm.output)
            logger.info("%s: %d pictures predicted", name, len(rows))


@contextmanager
def checked_server(
    repository: str | Path, digest: str, log: str | Path, settings: ServingSettings, version: int = 1
) -> Iterator[Ask]:
    """Context manager: a server that holds exactly the networks of a study, as a function to ask it.

    Parameters
    ----------
    repository : path
        Model repository, for the bundled server.
    digest : str
        Of the networks' manifest (`manifest_digest`).
    log : path
        Takes the output of the bundled server.
    settings : ServingSettings
        A server is started unless ``settings.url`` names one that runs.
    version : int
        Version of the model in the repository.

    Yields
    ------
    callable
        Takes what a network sees of n pictures, and an arm, and gives probabilities (n, 3) as `predict_images` does.

    Raises
    ------
    ServerUnavailable
        If the server does not start, is lost, or holds other networks.
    """
    with ExitStack() as stack:
        url = settings.url
        if url is None:
            bundled = TritonServer(
                repository, log=log, start_timeout_seconds=settings.start_timeout_seconds, threads=settings.threads
            )
            url = stack.enter_context(bundled).grpc_url
        check_served_model(url, digest, version)
        yield partial(
            predict_images,
            url,
            version=version,
            batch_size=settings.batch_size,
            request_timeout_seconds=settings.request_timeout_seconds,
        )


def stored_pictures(store: RoiStore, rows: pd.DataFrame, kind: NetworkKind) -> Seen:
    """What a network of this kind sees of the rows; the table's rows and the store's pictures must be the same ones.

    Raises
    ------
    StoreMismatch
        If they are not, or a picture lacks what the network sees.
    """
    index = rows["index"].to_numpy()
    stored = np.asarray(store.image_ids)
    if index.max() >= len(stored) or (stored[index] != rows["image_id"].to_numpy()).any():
        raise StoreMismatch(
            "The table of squares and their store name different pictures.",
            "Delete results/roi and run again.",
        )
    return seen_pictures(store, rows, kind)
