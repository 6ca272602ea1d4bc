"""Riley's four criteria, against the R package of the same authors."""

import numpy as np
import pytest
from scipy.special import expit

from dlre_core.sample_size.model_validation import (
    ExpectedModel,
    Precision,
    calibrated_scores,
    patients_for_auc,
    patients_for_net_benefit,
    patients_for_observed_expected,
    patients_for_slope,
    patients_for_validation,
)

Z = 1.959964
# pmvalsampsize 0.1.0: pmvalsampsize(type="b", cslope=1, csciwidth=.2, oe=1, oeciwidth=.2, oeseincrement=1e-6,
# nbseincrement=1e-6, cstatistic=.8, cstatciwidth=.1, prevalence=.1, lpnormal=c(-2.7,1.3), sensitivity=.7,
# specificity=.8, threshold=.1); and with .4, .4, .9, .08, .25, c(-1.9,2.4), .8, .85, .2. Its slope is simulated
# (a million patients), and its last two are searched in steps.
ORACLE = [
    ((ExpectedModel(0.1, 0.8, 0.1, 0.7, 0.8), Precision(0.2, 0.2, 0.1, 0.2), (-2.7, 1.3)), (3469, 4068, 836, 1047)),
    ((ExpectedModel(0.25, 0.9, 0.2, 0.8, 0.85), Precision(0.4, 0.4, 0.08, 0.2), (-1.9, 2.4)), (292, 452, 327, 309)),
]


@pytest.mark.parametrize(("given", "patients"), ORACLE)
def test_patients_are_those_of_pmvalsampsize(given, patients):
    model, precision, (mean, spread) = given
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    assert patients_for_observed_expected(model.prevalence, precision.observed_expected, Z) == patients[0]
    slope = patients_for_slope(mean + spread * nodes, weights / weights.sum(), precision.calibration_slope, Z)
    assert slope == pytest.approx(patients[1], rel=0.003)
    assert patients_for_auc(model.auc, model.prevalence, precision.auc, Z) == patients[2]
    assert patients_for_net_benefit(model, precision.net_benefit, Z) == pytest.approx(patients[3], abs=1)


def test_expected_scores_are_calibrated_and_have_the_auc():
    scores, weights = calibrated_scores(0.3, 0.85)
    assert weights.sum() == pytest.approx(1)
    assert (weights * expit(scores)).sum() == pytest.approx(0.3, abs=1e-9)
    # The first half are cases. The AUC of two normal distributions, from their moments.
    cases, controls = (
        (part, share / share.sum()) for part, share in zip(np.split(scores, 2), np.split(weights, 2), strict=True)
    )
    means = [(part * share).sum() for part, share in (cases, controls)]
    spreads = [((part - mean) ** 2 * share).sum() for (part, share), mean in zip((cases, controls), means, strict=True)]
    chance = np.random.default_rng(1)
    drawn = chance.normal(means[0], spreads[0] ** 0.5, 400_000) > chance.normal(means[1], spreads[1] ** 0.5, 400_000)
    assert drawn.mean() == pytest.approx(0.85, abs=0.003)


def test_the_largest_criterion_of_a_calibrated_model_is_its_slope():
    patients = patients_for_validation(ExpectedModel(0.25, 0.9, 0.25, 0.82, 0.82), Precision(0.4, 0.4, 0.1, 0.2))
    assert max(patients, key=patients.get) == "calibration_slope"
