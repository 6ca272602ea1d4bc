"""A finished study, frozen: what it takes to apply its networks to patients it has never seen."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlre_core.foundation.atomic_files import written_whole
from dlre_core.foundation.design import (
    Design,
    design_as_json,
    design_from_json,
    design_in_use,
    study_questions,
    use_design,
)
from dlre_core.foundation.errors import ConfigurationError, PatientLeak, StoreMismatch
from dlre_core.foundation.picture_store import RoiStore
from dlre_core.foundation.study_terms import FROZEN_STUDY, KEYS, MODEL_REPOSITORY
from dlre_core.ingestion.look_alikes import (
    alike,
    hashes_as_text,
    hashes_from_text,
    perceptual_hashes,
)
from dlre_core.recalibration.maps import Recalibrations, recalibrations_from
from dlre_core.serving.repository import INTENDED_USE, manifest_digest

# A picture is unlike those of training if a measure lies this share of the range beyond its ends.
WIDENING = 0.1
GREY_LEVELS = 12


@dataclass(frozen=True)
class FrozenStudy:
    """What staging and external validation need besides the networks.

    ``cutoffs`` holds, by method, the cut-off of each stage question, chosen in the training cohort by the rule
    ``cutoff_choice``;
    ``training_range`` the smallest and largest value of each measure of picture quality among the
    training pictures (`picture_measures`); ``own_validation`` the AUC with its interval that each
    method had in the study's own validation cohort; ``own_patients``, by stage question, DLRE's patients
    there and the share of them with the stage; ``manifest`` the digest of the networks' manifest;
    ``pictures`` the digests of all its patients' pictures, of which nobody can validate it, and ``looks``
    the perceptual hashes of their squares (`hashes_as_text`), which survive an export in another form;
    ``design`` its questions, comparators and disease;
    ``primary_hypothesis`` what it set out to confirm, as the configuration named it (None: nothing);
    ``dual_cutoffs``, by stage question, the network's probability below which the stage is ruled out and that
    from which on it is ruled in (NaN: none), and ``recalibrations`` what puts its probabilities right. A study
    that an earlier version froze has none of these three.
    """

    title: str
    simulated: bool
    arm: str
    images_per_patient: int
    aggregate: str
    cutoff_choice: str
    cutoffs: Mapping[str, Mapping[str, float]]
    training_range: Mapping[str, tuple[float, float]]
    own_validation: Mapping[str, Mapping[str, tuple[float, float, float]]]
    own_patients: Mapping[str, tuple[int, float]]
    training_patients: int
    scale_maximum_kpa: float
    manifest: str
    pictures: Sequence[str]
    looks: Sequence[str]
    intended_use: str = INTENDED_USE
    design: Design = field(default_factory=design_in_use)
    dual_cutoffs: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    recalibrations: Recalibrations = field(default_factory=dict)
    primary_hypothesis: Mapping[str, Any] | None = None


def picture_measures(acquisitions: pd.DataFrame, squares: Iterable[NDArray[np.uint8]]) -> pd.DataFrame:
    """Measures of picture quality that say whether a picture is of the kind that was trained on.

    Parameters
    ----------
    acquisitions : DataFrame
        Rows of ``acquisitions.csv``.
    squares : n of (250, 250, 3) uint8
        Of the same pictures, in the same order.

    Returns
    -------
    DataFrame
        fill_fraction, saturated_fraction, box_width and box_height (shares of the screen's width),
        q_box_mean_kpa, brightness and contrast (mean and SD of the square's grey levels) and
        coloured (share of the square's pixels with colour).
    """
    measures = pd.DataFrame(
        {
            "fill_fraction": acquisitions["fill_fraction"],
            "saturated_fraction": acquisitions["saturated_fraction"],
            "box_width": (acquisitions["box_right"] - acquisitions["box_left"]) / acquisitions["width"],
            "box_height": (acquisitions["box_bottom"] - acquisitions["box_top"]) / acquisitions["width"],
            "q_box_mean_kpa": acquisitions["q_box_mean_kpa"],
        }
    ).reset_index(drop=True)
    looks = [_look(square) for square in squares]
    return measures.join(pd.DataFrame(looks, columns=["brightness", "contrast", "coloured"]))


def _look(square: NDArray[np.uint8]) -> tuple[float, float, float]:
    values = square[::2, ::2].astype(np.float32)
    coloured = values.max(axis=2) - values.min(axis=2) > GREY_LEVELS
    return float(values.mean()), float(values.mean(axis=2).std()), float(coloured.mean())


def freeze_study(
    table_2: pd.DataFrame,
    predictions: pd.DataFrame,
    acquisitions: pd.DataFrame,
    squares: RoiStore,
    *,
    repository: str | Path,
    **facts: object,
) -> FrozenStudy:
    """Gather what the training cohort of a finished study says.

    Parameters
    ----------
    table_2 : DataFrame
        ``results/tables/table_2.csv``, for the cut-offs of the training cohort.
    predictions : DataFrame
        ``results/predictions/{arm}.csv`` of the main arm, for who was trained on.
    acquisitions : DataFrame
        ``results/store/acquisitions.csv``.
    squares : RoiStore
        ``results/roi/rois.h5``.
    repository : path
        The model repository.
    **facts
        The other fields of `FrozenStudy`.
    """
    cutoffs: dict[str, dict[str, float]] = {}
    for row in table_2[table_2["cohort"] == "training"].itertuples():
        cutoffs.setdefault(str(row.method), {})[str(row.stage)] = float(row.cutoff)
    own: dict[str, dict[str, tuple[float, float, float]]] = {}
    patients = {}
    for row in table_2[table_2["cohort"] == "validation"].itertuples():
        auc = (float(row.auc), float(row.auc_low), float(row.auc_high))
        own.setdefault(str(row.method), {})[str(row.stage)] = auc
        if row.method == "dlre":
            patients[str(row.stage)] = (int(row.n), float(row.prevalence))
    training = predictions[predictions["cohort"] == "training"]
    rows = acquisitions.set_index("image_id").loc[training["image_id"]]
    index = pd.Series(range(len(squares)), index=squares.image_ids)[training["image_id"]]
    order = np.argsort(index.to_numpy())
    measures = picture_measures(rows.iloc[order], squares.squares(index.to_numpy()[order]))
    mine = acquisitions.merge(predictions[KEYS].drop_duplicates(), on=KEYS)
    theirs = np.flatnonzero(pd.Index(squares.image_ids).isin(mine["image_id"]))
    looks = perceptual_hashes(squares.squares(theirs).batches())
    (choice,) = set(table_2["cutoff_choice"])
    return FrozenStudy(
        # Cut-offs chosen again in every cohort are Youden's (`tables.accuracy.choose_cutoff`).
        cutoff_choice="youden" if choice == "reoptimised" else choice,
        cutoffs=cutoffs,
        training_range={name: (float(values.min()), float(values.max())) for name, values in measures.items()},
        own_validation=own,
        own_patients=patients,
        training_patients=int(training.groupby(KEYS).ngroups),
        manifest=manifest_digest(repository),
        pictures=tuple(sorted(set(mine["pixel_digest"]))),
        looks=tuple(sorted(set(hashes_as_text(looks)))),
        **facts,
    )


def check_never_seen(study: FrozenStudy, acquisitions: pd.DataFrame, squares: RoiStore) -> None:
    """Make sure that a cohort shares no picture with the frozen study, trained on or not.

    Neither the same picture nor, exported once more in another form, nearly the same
    (`near_duplicates.alike`).

    Parameters
    ----------
    study : FrozenStudy
    acquisitions : DataFrame
        ``acquisitions.csv`` of the cohort.
    squares : RoiStore
        Its ``rois.h5``.

    Raises
    ------
    PatientLeak
        Naming the patients that the study had.
    """
    pairs = alike(perceptual_hashes(squares.squares().batches()), hashes_from_text(study.looks))
    look_alikes = {squares.image_ids[index] for index, _, _ in pairs}
    seen = acquisitions[acquisitions["pixel_digest"].isin(study.pictures) | acquisitions["image_id"].isin(look_alikes)]
    if len(seen):
        names = [
            f"{hospital}/{patient}"
            for hospital, patient in sorted(set(zip(seen["hospital"], seen["patient"], strict=True)))
        ]
        raise PatientLeak(
            f"{len(names)} patients of this cohort were in the frozen study “{study.title}”, by a picture that is "
            f"the same or nearly the same: {', '.join(names)}.",
            "Take them out of clinical.csv: only patients that the study never had can validate it. "
            "docs/design/security.md says how to find whose pseudonym it is.",
        )


def outside_training(measures: pd.DataFrame, study: FrozenStudy) -> list[list[str]]:
    """For each picture, the measures in which it is unlike every picture of training.

    Parameters
    ----------
    measures : DataFrame
        From `picture_measures`.
    study : FrozenStudy

    Returns
    -------
    list of list of str
        Names of measures outside the training range widened by a tenth at both ends, or unknown.

    Examples
    --------
    A tenth of the range is allowed at both ends, 10 here:

    >>> import types
    >>> study = types.SimpleNamespace(training_range={"brightness": (100.0, 200.0)})
    >>> outside_training(pd.DataFrame({"brightness": [92.0, 211.0, float("nan")]}), study)
    [[], ['brightness'], ['brightness']]
    """
    outside = {}
    for name, (low, high) in study.training_range.items():
        slack = WIDENING * (high - low)
        outside[name] = ~measures[name].between(low - slack, high + slack)
    return [[str(name) for name, out in row.items() if out] for _, row in pd.DataFrame(outside).iterrows()]


def write_frozen_study(study: FrozenStudy, path: str | Path) -> None:
    """Write it as JSON, by rename; null for a cut-off that is not there or does not divide the patients."""
    content = _finite(asdict(replace(study, design=None)) | {"design": design_as_json(study.design)})
    text = json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n"
    with written_whole(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def read_frozen_study(folder: str | Path) -> FrozenStudy:
    """Read a frozen study and make sure that its networks are the ones beside it.

    From then on this process follows the study's design: its questions, comparators and words.

    Parameters
    ----------
    folder : path
        Holds ``frozen_study.json`` and ``model_repository/``: the folder ``results/serving`` of a
        finished study, or a copy of it.

    Raises
    ------
    StoreMismatch
        If it is missing, not whole, or made of other networks.
    """
    path = Path(folder) / FROZEN_STUDY
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        content["design"] = design_from_json(content.get("design"))
        use_design(content["design"])
        content["cutoffs"] = {
            method: {stage: _number(limits[stage]) for stage in study_questions()}
            for method, limits in content["cutoffs"].items()
        }
        content["own_validation"] = {
            method: {stage: tuple(map(_number, aucs[stage])) for stage in study_questions()}
            for method, aucs in content["own_validation"].items()
        }
        content["own_patients"] = {
            stage: (
                int(content["own_patients"][stage][0]),
                _number(content["own_patients"][stage][1]),
            )
            for stage in study_questions()
        }
        content["training_range"] = {
            name: (_number(low), _number(high)) for name, (low, high) in content["training_range"].items()
        }
        content["dual_cutoffs"] = {
            stage: (_number(rule_out), _number(rule_in))
            for stage, (rule_out, rule_in) in content.get("dual_cutoffs", {}).items()
        }
        content["recalibrations"] = recalibrations_from(content.get("recalibrations", {}))
        study = FrozenStudy(**content)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise StoreMismatch(
            f"{path} is no frozen study ({type(error).__name__}).",
            "Give the folder results/serving of a finished study, whole, as MODEL or staging.model; "
            "one that an earlier version froze has to be made again: make study.",
        ) from None
    if study.manifest != manifest_digest(Path(folder) / MODEL_REPOSITORY):
        raise StoreMismatch(
            f"{path} and the networks beside it come from different studies.",
            "Copy the folder results/serving of one finished study as a whole.",
        )
    return study


def check_same_settings(
    study: FrozenStudy, *, images_per_patient: int, scale_maximum_kpa: float, aggregate: str
) -> None:
    """Make sure that new patients are read as the study's own were.

    Raises
    ------
    ConfigurationError
    """
    if images_per_patient < study.images_per_patient:
        raise ConfigurationError(
            f"enrolment.images_per_patient = {images_per_patient}: the frozen study looked at "
            f"{study.images_per_patient} pictures of every patient.",
            f"Set it to {study.images_per_patient}.",
        )
    if aggregate != study.aggregate:
        raise ConfigurationError(
            f"statistics.aggregate = {aggregate}: the frozen study's cut-offs are for the {study.aggregate} of a "
            "patient's pictures.",
            f"Set it to {study.aggregate}.",
        )
    if scale_maximum_kpa != study.scale_maximum_kpa:
        raise ConfigurationError(
            f"ingestion.scale_maximum_kpa = {scale_maximum_kpa:g}: the frozen study was trained on "
            f"pictures with a scale of {study.scale_maximum_kpa:g} kPa, and colours mean stiffness.",
            f"Set it to {study.scale_maximum_kpa:g}, and use pictures of that scale.",
        )


def _finite(value: Any) -> Any:
    """NaN and infinity are no JSON; null stands for them."""
    if isinstance(value, Mapping):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
