"""The primary hypothesis: tested alone, said in words, and named before there were results."""

import csv
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from dlre_core.foundation.csv_tables import read_table, write_table
from dlre_core.statistics.comparisons import compare_paired_aucs, non_inferiority
from dlre_core.tables.primary_hypothesis import TEXT, PrimaryHypothesis, primary_sentences, primary_table, stated
from dlre_core.tables.table_2_accuracy import AccuracySettings, table_2
from dlre_core.workflow.hypothesis_record import named_beforehand, record_hypothesis
from tests.helpers.score_table import scores

SUPERIOR = PrimaryHypothesis("ge_f3", "apri")
# pROC 1.18.0 in R 4.2.2: t <- roc.test(roc(y, a), roc(y, b), paired = TRUE); var of the difference is
# (d / t$statistic)^2, from which z and p against a margin of 0.1 are (d + 0.1) / sqrt(var) and pnorm(-z).
ORACLE = [-0.111111111111111, 0.0722901778196951, -0.153701532438116, 0.561077461784545]


def paired(n, seed, first, second):
    """Labels and two scores, normal with the AUCs given and a correlation of 0.5 within each class."""
    generator, labels = np.random.default_rng(seed), np.repeat([0, 1], n)
    common, own = generator.normal(size=2 * n), generator.normal(size=(2, 2 * n))
    values = np.sqrt(0.5) * common + np.sqrt(0.5) * own
    shifts = math.sqrt(2) * stats.norm.ppf([first, second])
    return labels, *(values + shifts[:, None] * labels)


def test_non_inferiority_is_procs_difference_and_error_against_the_margin():
    labels = [0, 1] * 12
    a = [1, 4, 2, 3, 3, 5, 2, 6, 4, 4, 1, 5, 2, 7, 3, 2, 5, 8, 1, 3, 2, 6, 4, 7]
    b = [2, 3, 1, 5, 4, 4, 3, 6, 2, 5, 2, 4, 1, 8, 2, 4, 3, 7, 2, 5, 1, 6, 3, 8]
    tested = compare_paired_aucs(labels, a, b)
    z, p = non_inferiority(tested, 0.1)
    assert [tested.difference, tested.standard_error, z, p] == pytest.approx(ORACLE, rel=1e-9)
    # One-sided at 2.5 % is the lower limit of the 95 % interval.
    for margin in (tested.interval[0] * -1 - 1e-6, tested.interval[0] * -1 + 1e-6):
        assert (non_inferiority(tested, margin)[1] < 0.025) == (margin > -tested.interval[0])
    with pytest.raises(ValueError, match="margin = 0"):
        non_inferiority(tested, 0)


def test_non_inferiority_keeps_its_level_where_the_difference_is_the_margin():
    found = [
        non_inferiority(compare_paired_aucs(*paired(60, seed, 0.80, 0.85)), 0.05)[1] < 0.025 for seed in range(1500)
    ]
    assert 0.015 < np.mean(found) < 0.038


def test_the_hypothesis_is_tested_as_table_2_tests_it_and_not_adjusted():
    table, settings = scores(), AccuracySettings(bootstrap_replicates=50)
    row = primary_table(table, SUPERIOR, settings).iloc[0]
    known = table_2(table, settings).set_index(["stage", "method", "cohort"]).loc[("ge_f3", "apri", "validation")]
    for ours, theirs in (("p_value", "p_value"), ("difference", "difference"), ("compared", "auc"), ("z", "z")):
        assert row[ours] == pytest.approx(known[theirs], rel=1e-12)
    assert row["shown"] == (known["p_value"] < 0.05 and known["difference"] > 0)
    assert (row["n"], row["cases"]) == (40, 20)


def test_a_worse_network_is_not_superior_and_only_within_the_margin_not_inferior():
    table, settings = scores(), AccuracySettings()
    swapped = table.assign(dlre_ge_f3=table["apri"], apri=table["dlre_ge_f3"])
    row = primary_table(swapped, SUPERIOR, settings).iloc[0]
    assert (row["p_value"] < 0.05, row["shown"]) == (True, 0)
    assert primary_sentences(pd.DataFrame([row]), 0.95, True)[1].endswith("Superiority is not shown: the opposite is.")
    low = -row["difference_low"]
    for margin, shown in ((low - 1e-6, 0), (low + 1e-6, 1)):
        tested = primary_table(swapped, PrimaryHypothesis("ge_f3", "apri", "non_inferiority", margin), settings)
        assert tested.iloc[0]["shown"] == shown


def test_the_sentences_say_claim_time_result_and_what_is_secondary(tmp_path):
    hypothesis = stated({"question": "ge_f3", "comparator": "apri", "aim": "non_inferiority", "margin": 0.05})
    table = primary_table(scores(), hypothesis, AccuracySettings())
    write_table(table, tmp_path / "primary.csv")
    claim, result, rest = primary_sentences(read_table(tmp_path / "primary.csv", text=TEXT), 0.95, True)
    assert claim.startswith(
        "Primary hypothesis (non-inferiority): for advanced fibrosis (≥F3) the AUC of DLRE is lower"
    )
    assert claim.endswith("It was named before the study had results.")
    row = table.iloc[0]
    assert f"difference {row['difference']:.3f} ({row['difference_low']:.3f} to {row['difference_high']:.3f})" in result
    assert "one-sided against a difference of −0.05, to be below 0.025, not adjusted" in result
    assert result.endswith("40 patients with both, 20 with the stage. Non-inferiority is shown.")
    assert rest.startswith("All other comparisons are secondary")
    assert "confirms nothing" in primary_sentences(table, 0.95, False)[0]


def test_nothing_is_said_of_none_and_what_cannot_be_tested_says_why(tmp_path):
    settings = AccuracySettings()
    none = primary_table(scores(), stated(None), settings)
    write_table(none, tmp_path / "none.csv")
    assert primary_sentences(read_table(tmp_path / "none.csv", text=TEXT), 0.95, True) == []
    arm = PrimaryHypothesis("f4", "lsm", cohort="combination_1")
    skipped = primary_table(scores(), arm, settings, {"combination_1": "Nobody has F4."})
    assert primary_sentences(skipped, 0.95, None)[1] == "It was not tested: its arm was skipped. Nobody has F4."
    few = scores().assign(fibrosis_stage=lambda t: t["fibrosis_stage"].where(t.index > 86, 3))
    few = few.drop(few[(few["fibrosis_stage"] == 4) & (few.index > 100)].index)
    (row,) = primary_table(few, PrimaryHypothesis("f4", "lsm"), settings).to_dict("records")
    assert math.isnan(row["shown"])
    assert "fewer than 5" in row["reason"]


def test_patients_without_one_of_the_scores_take_no_part():
    table = scores()
    table.loc[table.index[80:90], "apri"] = np.nan
    row = primary_table(table, SUPERIOR, AccuracySettings()).iloc[0]
    complete = table[table["apri"].notna()]
    pd.testing.assert_series_equal(row, primary_table(complete, SUPERIOR, AccuracySettings()).iloc[0])
    assert row["n"] == 30


def test_the_record_knows_whether_results_were_there_first(tmp_path):
    results, record = tmp_path / "results", tmp_path / "record.csv"
    (results / "scores").mkdir(parents=True)
    cohort = {"source": "folder", "folder": "/data"}
    none = {"cohort": cohort, "primary_hypothesis": None}
    named = none | {"primary_hypothesis": {"question": "f4", "comparator": "lsm"}}
    other = none | {"primary_hypothesis": {"question": "ge_f2", "comparator": "lsm"}}
    assert named_beforehand(named, record) is None
    for _ in range(2):
        record_hypothesis(named, results, record)
    assert named_beforehand(named, record) is True
    (results / "scores/overall.csv").touch()
    record_hypothesis(named, results, record)
    record_hypothesis(other, results, record)
    assert (named_beforehand(named, record), named_beforehand(other, record)) == (True, False)
    # Another cohort's scores tell nothing, and cleaning takes nothing back.
    elsewhere = other | {"cohort": {"source": "folder", "folder": "/else"}}
    record_hypothesis(elsewhere, results, record)
    assert named_beforehand(elsewhere, record) is True
    (results / "scores/overall.csv").unlink()
    record_hypothesis(other, results, record)
    assert named_beforehand(other, record) is False
    rows = list(csv.DictReader(record.read_text().splitlines()))
    assert [row["results"] for row in rows] == ["0", "1", "1", "0", "0"]
