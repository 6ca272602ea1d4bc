"""Every number that pROC 1.18.0 (R 4.2.2) gives for the data beside, to 1e-10 (p-values 1e-8).

``proc/oracle.json`` holds pROC's ``roc``, ``auc``, ``var``, ``cov``, ``ci.auc``, ``coords`` and
``roc.test`` (method "delong", levels 0 and 1, direction "<") for the tables in ``proc/data``.
"""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dlre_core.statistics.comparisons import auc_heterogeneity, compare_paired_aucs, compare_unpaired_aucs
from dlre_core.statistics.cutoffs import youden_cutoff
from dlre_core.statistics.roc import roc_analysis

HERE = Path(__file__).parent / "proc"
CASES = json.loads((HERE / "oracle.json").read_text())["cases"]
PAIRED = [name for name, case in CASES.items() if case["info"].get("paired")]
UNPAIRED = [name for name in CASES if name not in PAIRED]
CURVES = [(name, part) for name in PAIRED for part in ("p1", "p2")]
CURVES += [(name, part) for name in UNPAIRED for part in ("A", "B")]


def number(value):
    return float({"Inf": "inf", "-Inf": "-inf", "NaN": "nan", "NA": "nan"}.get(value, value))


def data(name, part=None):
    table = pd.read_csv(HERE / "data" / f"{name}.csv")
    if part in ("A", "B"):
        return table.loc[table["group"] == part, "y"], table.loc[table["group"] == part, "p1"]
    return table["y"], table[part]


def close(ours, theirs, rtol=1e-10):
    np.testing.assert_allclose(ours, number(theirs), rtol=rtol, atol=1e-15)


@pytest.mark.parametrize(("name", "part"), CURVES)
def test_auc_variance_interval_and_curve(name, part):
    expected = CASES[name][part]
    for confidence, key in ((0.95, "ci95"), (0.90, "ci90")):
        ours = roc_analysis(*data(name, part), confidence=confidence)
        close(ours.auc, expected["auc"])
        close(ours.auc_variance, expected["delong_var"])
        if key in expected and isinstance(expected[key], list):
            close(ours.auc_interval[0], expected[key][0])
            close(ours.auc_interval[1], expected[key][2])
    assert (ours.n_cases, ours.n_controls) == (expected["n_pos"], expected["n_neg"])
    assert len(ours.thresholds) == expected["n_thresholds"]
    for i, point in enumerate(expected.get("roc_points", [])):
        close(ours.thresholds[i], point["threshold"])
        close(ours.sensitivity[i], point["sensitivity"])
        close(ours.specificity[i], point["specificity"])


@pytest.mark.parametrize(("name", "part"), CURVES)
def test_cutoffs_are_among_procs_with_the_highest_sensitivity(name, part):
    rows = CASES[name][part]["youden"]
    best = max(rows, key=lambda row: number(row["sensitivity"]))
    ours = youden_cutoff(*data(name, part))
    close(ours.threshold, best["threshold"])
    close(ours.sensitivity, best["sensitivity"])
    close(ours.specificity, best["specificity"])


@pytest.mark.parametrize("name", PAIRED)
def test_paired_test(name):
    expected = CASES[name]
    labels, first = data(name, "p1")
    ours = compare_paired_aucs(labels, first, data(name, "p2")[1])
    np.testing.assert_allclose(ours.covariance, number(expected["delong_cov"]), rtol=1e-10, atol=1e-15)
    test = expected["paired_test"]
    if ours.degenerate:
        assert ours.p_value == 1
        assert ours.statistic == 0
        return
    close(ours.statistic, test["statistic"])
    close(ours.p_value, test["p_value"], rtol=1e-8)
    assert math.isclose(math.exp(ours.log_p_value), ours.p_value, rel_tol=1e-9)
    if test["conf_int"]:
        close(ours.interval[0], test["conf_int"][0])
        close(ours.interval[1], test["conf_int"][1])


@pytest.mark.parametrize("name", PAIRED)
def test_the_same_data_taken_as_unpaired(name):
    test = CASES[name]["unpaired_test_same_data"]
    labels, first = data(name, "p1")
    ours = compare_unpaired_aucs(labels, first, labels, data(name, "p2")[1])
    if "statistic" in test and not math.isnan(number(test["statistic"])):
        close(ours.statistic, test["statistic"])
        close(ours.degrees_of_freedom, test["parameter"])
        close(ours.p_value, test["p_value"], rtol=1e-8)


@pytest.mark.parametrize("name", UNPAIRED)
def test_unpaired_test(name):
    test = CASES[name]["unpaired_test"]
    ours = compare_unpaired_aucs(*data(name, "A"), *data(name, "B"))
    close(ours.statistic, test["statistic"])
    close(ours.degrees_of_freedom, test["parameter"])
    close(ours.p_value, test["p_value"], rtol=1e-8)


def test_heterogeneity_rests_on_the_variances_of_proc():
    """Four groups of patients: Cochran's Q of pROC's AUCs and DeLong variances."""
    chosen = [("unpaired_small_ties", "B"), ("unpaired_one_perfect", "A")]
    chosen += [("n132_F4", "p1"), ("heavy_ties_5level", "p2")]
    parts = [data(*one) for one in chosen]
    labels, scores = (pd.concat([part[column] for part in parts]).to_numpy() for column in (0, 1))
    groups = np.repeat(np.arange(len(parts)), [len(part[0]) for part in parts])
    area, variance = (
        np.array([number(CASES[name][part][key]) for name, part in chosen]) for key in ("auc", "delong_var")
    )
    weights = 1 / variance
    statistic = (weights * (area - (weights * area).sum() / weights.sum()) ** 2).sum()
    found = auc_heterogeneity(labels, scores, groups, range(len(parts)))
    close(found.statistic, statistic)
    assert (found.groups, found.degrees_of_freedom) == ((0, 1, 2, 3), 3)
