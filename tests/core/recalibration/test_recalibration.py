"""Recalibrations and calibration errors against R, by hand and by simulation."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special

from dlre_core.recalibration.calibration_errors import NAMES, calibration_errors, smoothed_shares
from dlre_core.recalibration.maps import (
    ISOTONIC,
    RECALIBRATIONS,
    Recalibration,
    read_recalibrations,
    recalibrations_from,
    write_recalibrations,
)
from dlre_core.recalibration.methods import fit_recalibration
from dlre_core.recalibration.recalibration_table import fit_recalibrations, printed_recalibration, recalibration_table
from dlre_core.statistics.calibration import calibration
from tests.helpers.score_table import scores

DATA = Path(__file__).parents[2] / "oracles/proc/data"
AT = [0.2, 0.4, 0.6, 0.8]
# R 4.2.2, with y and p = p1 of the table, l <- qlogis(p):
# intercept: coef(glm(y ~ offset(l), family=binomial)); intercept_slope: coef(glm(y ~ l, family=binomial));
# prior_shift: qlogis(mean(y)) - qlogis(.5); isotonic: o <- order(p); i <- isoreg(p[o], y[o]);
# approxfun(i$x, i$yf, rule=2)(c(.2, .4, .6, .8));
# errors: s <- lowess(p, y, f=.75, iter=0, delta=0); e <- abs(s$x - pmin(pmax(s$y, 0), 1));
# 1 - sum((p - y)^2) / sum((mean(y) - y)^2), mean(e), median(e), quantile(e, .9).
IN_R = {
    "n132_F4": {
        "intercept": (-0.7213055015, 1.0),
        "intercept_slope": (-0.7729189767, 2.3005167122),
        "prior_shift": (-1.1394342832, 1.0),
        "isotonic": (0.0303030303, 0.1, 0.4444444444, 1.0),
        "errors": (0.5077479763, 0.1216537366, 0.1223048312, 0.2244862875),
    },
    "n266_F3": {
        "intercept": (0.0352262976, 1.0),
        "intercept_slope": (-0.4818536831, 4.1363659727),
        "prior_shift": (0.2723477085, 1.0),
        "isotonic": (0.0, 0.2404905580, 0.5, 1.0),
        "errors": (0.7564971734, 0.1014072186, 0.1132987223, 0.1485953902),
    },
}


@pytest.mark.parametrize("name", list(IN_R))
def test_fits_and_errors_are_those_of_r(name):
    table = pd.read_csv(DATA / f"{name}.csv")
    expected = IN_R[name]
    for method in RECALIBRATIONS:
        found = fit_recalibration(table["y"], table["p1"], method, prior=0.5)
        if method == ISOTONIC:
            np.testing.assert_allclose(found.apply(AT), expected[method], atol=1e-9)
        else:
            np.testing.assert_allclose((found.intercept, found.slope), expected[method], rtol=1e-6, atol=1e-8)
            logits = found.intercept + found.slope * special.logit(AT)
            np.testing.assert_allclose(found.apply(AT), special.expit(logits), rtol=1e-12)
    errors = calibration_errors(table["y"], table["p1"], replicates=0)
    np.testing.assert_allclose([getattr(errors, one).value for one in NAMES], expected["errors"], rtol=1e-8)


def test_a_recalibration_holds_in_the_patients_that_it_was_fitted_to():
    table = pd.read_csv(DATA / "n132_F4.csv")
    mapped = {m: fit_recalibration(table["y"], table["p1"], m).apply(table["p1"]) for m in RECALIBRATIONS}
    found = {method: calibration(table["y"], p) for method, p in mapped.items()}
    for method in ("intercept", "intercept_slope", "isotonic"):
        assert found[method].observed_expected.value == pytest.approx(1, abs=1e-6)
    assert found["intercept_slope"].slope.value == pytest.approx(1, abs=1e-5)
    # Isotonic regression has the least squares of all rising maps.
    assert found["isotonic"].brier.value <= min(found[m].brier.value for m in RECALIBRATIONS)
    # A prior that is the patients' own shifts nothing.
    np.testing.assert_allclose(mapped["prior_shift"], table["p1"], rtol=1e-9)


def test_what_cannot_be_fitted_says_why():
    for method in RECALIBRATIONS:
        few = fit_recalibration([1] * 4 + [0] * 20, np.linspace(0.9, 0.1, 24), method)
        assert few.reason == "4 cases, fewer than 5"
        assert np.isnan(few.apply([0.5])).all()
    assert "equal" in fit_recalibration([0, 1] * 10, [0.5] * 20, "intercept_slope").reason
    assert "next to 0 or 1" in fit_recalibration([0, 1] * 10, [0.0, 1.0] * 10, "intercept").reason
    for wrong in ({"method": "platt"}, {"method": "prior_shift", "prior": 1.0}):
        with pytest.raises(ValueError, match=r"none of|between 0 and 1"):
            fit_recalibration([0, 1], [0.1, 0.9], **wrong)
    assert np.isnan(Recalibration(ISOTONIC, probabilities=(0.1, 0.9), shares=(0.0, 1.0)).apply([np.nan])).all()


def test_isotonic_is_level_beyond_its_ends():
    found = Recalibration(ISOTONIC, probabilities=(0.2, 0.6), shares=(0.1, 0.9))
    np.testing.assert_allclose(found.apply([0.0, 0.2, 0.4, 0.6, 1.0]), [0.1, 0.1, 0.5, 0.9, 0.9])


def test_smoothing_does_with_few_and_with_tied_probabilities():
    few = smoothed_shares([1, 0, 0, 1], [0.3, 0.3, 0.3, 0.8])
    np.testing.assert_allclose(few, [1 / 3, 1 / 3, 1 / 3, 1])
    # Five distinct ones, but nine in ten patients share one.
    tied = np.concatenate([np.full(90, 0.5), np.linspace(0.1, 0.9, 10)])
    labels = np.resize([0, 1, 1], 100)
    found = smoothed_shares(labels, tied)
    assert np.isfinite(found).all()
    assert ((found >= 0) & (found <= 1)).all()


def test_intervals_of_errors_cover_what_a_large_cohort_shows():
    """Probabilities that are too sure: slope 0.5. The scaled Brier score of 100,000 patients lies in their limits."""
    generator = np.random.default_rng(5)

    def drawn(n):
        logit = generator.normal(0, 2, n)
        return (generator.random(n) < special.expit(0.5 * logit)).astype(int), special.expit(logit)

    labels, p = drawn(100_000)
    truth = 1 - np.sum((p - labels) ** 2) / np.sum((labels.mean() - labels) ** 2)
    found = [calibration_errors(*drawn(60), replicates=60, seed=seed).scaled_brier for seed in range(60)]
    assert 0.88 <= np.mean([one.low <= truth <= one.high for one in found]) <= 0.99
    # One patient at a probability of 0.5 needs no map, one at 0.88 has a share of 0.73.
    large = smoothed_shares(labels[:1500], p[:1500])
    assert np.interp(0.88, np.sort(p[:1500]), large[np.argsort(p[:1500])]) == pytest.approx(0.73, abs=0.05)
    same = [calibration_errors(labels[:80], p[:80], replicates=20, seed=1) for _ in range(2)]
    assert same[0] == same[1]


def test_a_recalibration_is_read_as_it_was_written(tmp_path):
    data = scores()
    fitted = fit_recalibrations(data, None, balanced=True)
    write_recalibrations(fitted, tmp_path / "fits.json")
    assert read_recalibrations(tmp_path / "fits.json") == fitted
    with pytest.raises(TypeError):
        recalibrations_from({"f4": {"intercept": {"what": 1}}})
    assert "NaN" not in json.dumps(json.loads((tmp_path / "fits.json").read_text()))


def test_the_table_judges_frozen_recalibrations_in_other_patients():
    data = scores()
    held_back = data[data["cohort"] == "training"].copy()
    for stage in ("f4", "ge_f3", "ge_f2"):
        held_back[f"dlre_{stage}"] = special.expit(special.logit(held_back[f"dlre_{stage}"]) + 1)
    fitted, apparent = (fit_recalibrations(data, table, balanced=True) for table in (held_back, None))
    # What is fitted comes from out-of-fold predictions: one logit more there, one less in the map.
    assert fitted["f4"]["intercept"].intercept == pytest.approx(apparent["f4"]["intercept"].intercept - 1, abs=1e-3)
    share = (held_back["fibrosis_stage"] == 4).mean()
    assert fitted["f4"]["prior_shift"].intercept == pytest.approx(special.logit(share))
    assert fit_recalibrations(data, None, balanced=False)["f4"]["prior_shift"].intercept == pytest.approx(0, abs=1e-12)
    validation = data[data["cohort"] == "validation"]
    table = recalibration_table(validation, fitted, replicates=20, seed=1)
    assert list(table["recalibration"]) == ["original", *RECALIBRATIONS] * 3
    assert set(table["n"]) == {40}
    # In the file of a frozen study they stand in another order.
    other = {stage: dict(sorted(of_stage.items())) for stage, of_stage in fitted.items()}
    pd.testing.assert_frame_equal(recalibration_table(validation, other, replicates=20, seed=1), table)
    rows = table.set_index(["stage", "recalibration"])
    labels, p = validation["fibrosis_stage"] == 4, validation["dlre_f4"]
    by_hand = calibration(labels.astype(int), special.expit(special.logit(p) + fitted["f4"]["intercept"].intercept))
    assert rows.loc[("f4", "intercept"), "observed_expected"] == pytest.approx(by_hand.observed_expected.value)
    assert rows.loc[("f4", "original"), "brier"] == pytest.approx(((p - labels) ** 2).mean())
    page = printed_recalibration(table, 0.95, True, "Extended table 13. A", chosen="the training cohort (out of fold)")
    assert "fitted to the training cohort (out of fold), and frozen" in page.html()
    assert "nan" not in page.html().lower() + page.latex().lower()
    # A study that froze none shows what it has.
    alone = recalibration_table(validation, {}, replicates=20, seed=1)
    assert list(alone["recalibration"]) == ["original"] * 3
    assert "froze no other row" in printed_recalibration(alone, 0.95, False, "A", chosen="training").html()


def test_too_few_is_a_word():
    data = scores()
    cases = (data["cohort"] == "validation") & (data["fibrosis_stage"] == 4)
    fitted = fit_recalibrations(data, None, balanced=True)
    some = data[(data["cohort"] == "validation") & (~cases | (cases.cumsum() <= 3))]
    table = recalibration_table(some, fitted, replicates=20, seed=1)
    assert table.loc[table["stage"] == "f4", ["brier", "ici", "slope"]].isna().all(axis=None)
    page = printed_recalibration(table, 0.95, False, "A", chosen="training")
    assert page.blocks[0].rows[0][2:] == ["too few"] * 7
    assert "3 cases, fewer than 5" in page.footnotes[-1]
    # Nor can anything be fitted to so few.
    poor = fit_recalibrations(data[(data["fibrosis_stage"] < 4) | cases], None, balanced=True)
    assert math.isnan(poor["f4"]["isotonic"].apply([0.5])[0])
    none = recalibration_table(data[data["cohort"] == "validation"], poor, replicates=20, seed=1)
    assert "0 cases, fewer than 5" in none.set_index(["stage", "recalibration"]).loc[("f4", "isotonic"), "notes"]
    assert "none" in printed_recalibration(none, 0.95, False, "A", chosen="training").blocks[0].rows[1]
