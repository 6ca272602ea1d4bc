"""The plan of a study: how many patients each of its aims needs, from what is assumed before there are data."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr

from dlre_core.foundation.errors import ConfigurationError
from dlre_core.sample_size.auc_precision import (
    auc_of_mean,
    auc_of_one,
    cases_for_difference,
    cases_for_width,
    power_of_difference,
    separation,
)
from dlre_core.sample_size.model_validation import ExpectedModel, Precision, patients_for_validation

# Patients of the curves: from a pilot to more than any such study has had.
CURVE_PATIENTS = np.unique(np.round(np.geomspace(30, 3000, 60))).astype(int)


@dataclass(frozen=True)
class PlannedQuestion:
    """A binary question about the fibrosis stage, and what is expected of it.

    Attributes
    ----------
    name : str
        f4, ge_f3, ge_f2 or another word.
    prevalence : float
        Share of the enrolled patients who are cases.
    auc, compared_auc : float
        Of the network with the largest number of pictures, and of what it is compared with.
    """

    name: str
    prevalence: float
    auc: float
    compared_auc: float

    @property
    def controls_per_case(self) -> float:
        """Controls divided by cases."""
        return (1 - self.prevalence) / self.prevalence


@dataclass(frozen=True)
class Assumptions:
    """What a plan rests on: section ``plan`` of config.yaml.

    Attributes
    ----------
    questions : sequence of PlannedQuestion
    correlation : float
        Of the two scores, within cases and within controls.
    reliability : float
        Intraclass correlation of one picture's score, within cases and within controls.
    images_per_patient : sequence of int
        Numbers of pictures to compare; the largest is the one for which the AUCs are given.
    interval_width : float
        Whole width of the AUC's interval.
    power : float
        Chance to find the difference.
    enrolled_share : float
        Share of the patients asked who are enrolled in the end.
    validation : Precision
        Widths for the external validation.
    confidence : float
        One minus the level of the tests.
    """

    questions: Sequence[PlannedQuestion]
    correlation: float
    reliability: float
    images_per_patient: Sequence[int]
    interval_width: float
    power: float
    enrolled_share: float
    validation: Precision
    confidence: float = 0.95


def read_assumptions(plan: Mapping[str, object], confidence: float) -> Assumptions:
    """Section ``plan`` of a validated config.yaml.

    Raises
    ------
    ConfigurationError
        If a question's AUC is not above the one it is compared with.
    """
    values = dict(plan)
    questions = [PlannedQuestion(name, **given) for name, given in values.pop("questions").items()]
    for question in questions:
        if question.auc <= question.compared_auc:
            raise ConfigurationError(
                f"plan.questions.{question.name}: an auc of {question.auc:g} is not above the compared_auc of "
                f"{question.compared_auc:g}, so that no study finds a difference.",
                "Expect more of the network, or less of what it is compared with.",
            )
    return Assumptions(
        questions=questions, validation=Precision(**values.pop("validation")), confidence=confidence, **values
    )


def patients_needed(assumptions: Assumptions) -> pd.DataFrame:
    """Patients for each aim of each question.

    Parameters
    ----------
    assumptions : Assumptions

    Returns
    -------
    DataFrame
        question, aim (width, difference and the criteria of `patients_for_validation`), cases and controls,
        patients (their sum, with a readable biopsy and pictures) and asked (before exclusions): int64, rounded up.
    """
    rows = []
    for question in assumptions.questions:
        cases = cases_for_width(
            question.auc, assumptions.interval_width, question.controls_per_case, assumptions.confidence
        )
        patients = {
            "width": math.ceil(cases / question.prevalence),
            "difference": _patients_for_difference(question, question.auc, assumptions),
        }
        patients |= patients_for_validation(expected_model(question), assumptions.validation, assumptions.confidence)
        for aim, number in patients.items():
            with_stage = math.ceil(number * question.prevalence)
            asked = math.ceil(number / assumptions.enrolled_share)
            rows.append((question.name, aim, with_stage, number - with_stage, number, asked))
    return pd.DataFrame(rows, columns=["question", "aim", "cases", "controls", "patients", "asked"])


def patients_by_pictures(assumptions: Assumptions) -> pd.DataFrame:
    """AUC and patients for the difference, by the number of pictures per patient.

    Returns
    -------
    DataFrame
        question, images, auc, patients (float64, NaN where the AUC is not above the one compared with).
    """
    rows = []
    most = max(assumptions.images_per_patient)
    for question in assumptions.questions:
        single = auc_of_one(question.auc, most, assumptions.reliability)
        for images in sorted(assumptions.images_per_patient):
            auc, patients = auc_of_mean(single, images, assumptions.reliability), math.nan
            if auc > question.compared_auc:
                patients = float(_patients_for_difference(question, auc, assumptions))
            rows.append((question.name, images, auc, patients))
    return pd.DataFrame(rows, columns=["question", "images", "auc", "patients"])


def curves(assumptions: Assumptions) -> pd.DataFrame:
    """What a study of any size gives: the width of the AUC's interval and the power for the difference.

    Returns
    -------
    DataFrame
        question, patients (`CURVE_PATIENTS`), width, power.
    """
    rows = []
    for question in assumptions.questions:
        ratio = question.controls_per_case
        width_of_one_case = math.sqrt(cases_for_width(question.auc, 1.0, ratio, assumptions.confidence))
        for patients in CURVE_PATIENTS:
            cases = patients * question.prevalence
            power = power_of_difference(
                question.auc,
                question.compared_auc,
                cases,
                patients - cases,
                assumptions.correlation,
                1 - assumptions.confidence,
            )
            rows.append((question.name, int(patients), width_of_one_case / math.sqrt(cases), power))
    return pd.DataFrame(rows, columns=["question", "patients", "width", "power"])


def expected_model(question: PlannedQuestion) -> ExpectedModel:
    """A calibrated model with the question's AUC, which treats from the prevalence on.

    Sensitivity and specificity follow from the two normal distributions of its log odds.
    """
    # At the prevalence's log odds, midway between both means, which are separation squared apart.
    share = float(ndtr(separation(question.auc) / 2))
    return ExpectedModel(
        prevalence=question.prevalence,
        auc=question.auc,
        threshold=question.prevalence,
        sensitivity=share,
        specificity=share,
    )


def _patients_for_difference(question: PlannedQuestion, auc: float, assumptions: Assumptions) -> int:
    """Patients that find this AUC above the question's compared one."""
    cases = cases_for_difference(
        auc,
        question.compared_auc,
        question.controls_per_case,
        assumptions.correlation,
        assumptions.power,
        1 - assumptions.confidence,
    )
    return math.ceil(cases / question.prevalence)
