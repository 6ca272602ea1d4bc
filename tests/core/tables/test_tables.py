"""Tables by hand: rounding, stars, cut-offs that are frozen, and cells that do not exist."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from dlre_core.statistics.comparisons import compare_paired_aucs
from dlre_core.statistics.cutoffs import youden_cutoff
from dlre_core.statistics.estimates import Estimate
from dlre_core.statistics.roc import roc_analysis
from dlre_core.tables.accuracy_print import footnotes, printed_table_2
from dlre_core.tables.formatting import (
    format_exact_p_value,
    format_interval,
    format_p_value,
    images_name,
    round_half_up,
    stars,
)
from dlre_core.tables.table_2_accuracy import AccuracySettings, table_2
from dlre_core.tables.typeset import Block, PrintedTable, cell_html

QUICK = AccuracySettings(bootstrap_replicates=50)
SETTINGS = {
    "confidence": 0.95,
    "cutoff": "youden",
    "auc_interval": "delong",
    "proportion_interval": "clopper-pearson",
    "likelihood_ratio_interval": "simel",
}


def scores(n=60, seed=1):
    generator = np.random.default_rng(seed)
    stage = np.tile([1, 2, 3, 4], n // 4)
    table = pd.DataFrame(
        {
            "hospital": "A",
            "patient": [f"P{i}" for i in range(n)],
            "fibrosis_stage": stage,
            "cohort": np.where(np.arange(n) < 2 * n // 3, "training", "validation"),
        }
    )
    for name, weight in (
        ("dlre_f4", 1.5),
        ("dlre_ge_f3", 1.5),
        ("dlre_ge_f2", 1.0),
        ("lsm", 0.8),
        ("apri", 0.3),
        ("fib4", 0.3),
    ):
        table[name] = weight * stage + generator.normal(size=n)
    return table


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.125, 2, "0.13"),
        (0.145, 2, "0.15"),
        (-0.125, 2, "-0.13"),
        (2.675, 2, "2.68"),
        (0.9949999, 2, "0.99"),
        (99.95, 1, "100.0"),
        (math.inf, 2, "∞"),
        (math.nan, 2, "–"),
        (0.0, 2, "0.00"),
        (-0.001, 2, "0.00"),
    ],
)
def test_halves_round_up_once(value, digits, text):
    assert round_half_up(value, digits) == text


def test_percentages_are_rounded_in_decimals():
    """In binary 100 x 23 / 80 is a little less than 28.75, and 12 of 320 exact halves went down."""
    halves = [(k, n) for n in range(1, 399) for k in range(n + 1) if (2000 * k) % n == 0 and (2000 * k // n) % 2]
    assert len(halves) > 300
    for k, n in halves:
        expected = (2000 * k // n + 1) // 2
        assert round_half_up(k / n, 1, 100) == f"{expected // 10}.{expected % 10}"
    assert format_interval(Estimate(23 / 80, 0.19199, 0.4), 1, 100) == "28.8 (19.2 to 40.0)"


def test_printed_forms():
    assert format_interval(Estimate(0.97, 0.9399, 0.992)) == "0.97 (0.94 to 0.99)"
    assert format_interval(Estimate(0.875, 0.71, 0.965), 1, 100) == "87.5 (71.0 to 96.5)"
    assert format_interval(Estimate(0.5, math.nan, math.nan)) == "0.50"
    assert [format_p_value(p) for p in (0.0009, 0.0496, math.nan)] == ["<0.001", "0.050", "–"]
    assert format_interval(Estimate(0.0, 0.0, 0.35, "one-sided exact")) == "0.00 (≤0.35)"
    assert format_interval(Estimate(1.0, 0.8, 1.2, "one-sided exact")) == "1.00 (0.80 to 1.20)"
    assert [format_exact_p_value(p) for p in (0.0, 9e-17, 2e-16, 0.5)] == ["<10⁻¹⁶", "<10⁻¹⁶", "2.00×10⁻¹⁶", "0.500"]
    assert [stars(p) for p in (0.05, 0.049, 0.0099, 0.00099, math.nan)] == [
        "",
        "*",
        "**",
        "***",
        "",
    ]


def test_limits_of_significance_themselves_are_not_significant():
    assert [stars(p) for p in (0.05, 0.0499, 0.01, 0.0099, 0.001, 0.00099)] == ["", "*", "*", "**", "**", "***"]
    assert (format_p_value(0.001), format_p_value(0.000999)) == ("0.001", "<0.001")
    assert (images_name(1), images_name(3), images_name(1, "lsm")) == ("1 image", "3 images", "1 measurement")
    assert format_exact_p_value(1e-16) == "1.00×10⁻¹⁶"


def test_every_row_agrees_with_the_library_and_cutoffs_are_frozen():
    data = scores()
    table = table_2(data, QUICK)
    assert len(table) == 24
    row = table[(table["stage"] == "f4") & (table["method"] == "lsm") & (table["cohort"] == "validation")].iloc[0]
    part = data[data["cohort"] == "validation"]
    truth = (part["fibrosis_stage"] == 4).astype(int)
    assert row["auc"] == roc_analysis(truth, part["lsm"]).auc
    test = compare_paired_aucs(truth, part["dlre_f4"], part["lsm"])
    assert (row["p_value"], row["difference"]) == (test.p_value, test.difference)
    training = table[(table["stage"] == "f4") & (table["method"] == "lsm") & (table["cohort"] == "training")].iloc[0]
    assert row["cutoff"] == training["cutoff"]
    assert row["true_positives"] == ((part["lsm"] >= row["cutoff"]) & (truth == 1)).sum()
    assert row[["true_positives", "false_negatives", "true_negatives", "false_positives"]].sum() == 20
    validation = table[table["cohort"] == "validation"].dropna(subset=["p_value"])
    assert (validation["p_holm"] >= validation["p_value"] - 1e-15).all()


def test_training_rows_are_apparent_and_no_part_of_a_family():
    data = scores()
    table = table_2(data, QUICK)
    training, validation = (table[table["cohort"] == cohort] for cohort in ("training", "validation"))
    assert (training["p_value"] < 0.05).any()
    assert (training["stars"] == "").all()
    assert training["p_holm"].isna().all()
    # Nine comparisons of the validation cohort: the smallest p is multiplied by nine, not by eighteen.
    assert validation["p_value"].count() == 9
    assert validation["p_holm"].min() == pytest.approx(min(1, 9 * validation["p_value"].min()))
    assert "T, training cohort (apparent" in printed_table_2(table, SETTINGS, True).footnotes[0]


def test_cutoffs_of_dlre_are_chosen_out_of_fold_where_there_are_such_scores():
    data = scores()
    training = data[data["cohort"] == "training"]
    # The networks' own scores separate their training patients, those of other folds do not.
    own = data.copy()
    own.loc[training.index, "dlre_f4"] = (training["fibrosis_stage"] == 4) + np.linspace(0, 0.1, len(training))
    table = table_2(own, QUICK, out_of_fold=training).set_index(["stage", "method", "cohort"])
    row = table.loc[("f4", "dlre", "validation")]
    honest = youden_cutoff((training["fibrosis_stage"] == 4).astype(int), training["dlre_f4"])
    assert (row["cutoff"], row["cutoff_youden"]) == (honest.threshold, honest.youden)
    assert row["cutoff_predictions"] == "out of fold"
    assert row["cutoff_low"] <= row["cutoff"] <= row["cutoff_high"]
    assert table.loc[("f4", "lsm", "validation"), "cutoff_predictions"] == ""
    apparent = table_2(own, QUICK).set_index(["stage", "method", "cohort"])
    row = apparent.loc[("f4", "dlre", "validation")]
    assert (row["cutoff_predictions"], row["cutoff_youden"]) == ("apparent", 1.0)
    notes = {
        kind: printed_table_2(part.reset_index(), SETTINGS, True).footnotes[0]
        for kind, part in (("out of fold", table), ("apparent predictions", apparent))
    }
    assert all(kind in text for kind, text in notes.items())
    # Youden's index of a row is that of its own patients.
    row = table.loc[("f4", "dlre", "validation")]
    assert row["youden"] == pytest.approx(row["sensitivity"] + row["specificity"] - 1)
    # Where no case is held back, the apparent predictions stand in.
    nobody = training.assign(dlre_f4=training["dlre_f4"].where(training["fibrosis_stage"] < 4))
    again = table_2(own, QUICK, out_of_fold=nobody).set_index(["stage", "method", "cohort"])
    assert again.loc[("f4", "dlre", "validation"), "cutoff_predictions"] == "apparent"


def test_footnotes_name_the_limits_of_the_numbers():
    data = scores()
    data["dlre_f4"] = (data["fibrosis_stage"] == 4).astype(float) + np.linspace(0, 0.1, len(data))
    data.loc[data.index[-3:], "apri"] = np.nan
    data["fib4"] = 1.0
    table = table_2(data, replace(QUICK, confidence=0.9))
    notes = printed_table_2(table, SETTINGS | {"confidence": 0.9}, True).footnotes
    text = " ".join(notes)
    assert "86 % instead of 95 % at an AUC of 0.97 in 132 patients" in text
    assert "86 % instead" not in " ".join(printed_table_2(table, SETTINGS | {"auc_interval": "logit"}, True).footnotes)
    assert "Comparisons are on complete cases, the patients with both scores: APRI 17 of 20." in notes
    assert "90 % confidence intervals" in notes[0]
    assert "AUC: no variance: exact one-sided bound (F4 DLRE T, F4 DLRE V)" in text
    assert "cut-off: everybody is positive (F4 FIB-4 T, F4 FIB-4 V, ≥F3 FIB-4 T" in text
    assert "comparison: an AUC of 0 or 1 has no variance (F4 2D-SWE T, F4 2D-SWE V" in text
    row = table[(table["stage"] == "f4") & (table["method"] == "dlre") & (table["cohort"] == "validation")].iloc[0]
    cell = printed_table_2(table, SETTINGS, True).blocks[0].rows[1][3]
    assert cell == f"1.00 (≥{row['auc_low']:.2f})"
    assert cell_html(cell) == f'1.00 <span class="interval">(≥{row["auc_low"]:.2f})</span>'


def test_reoptimised_cutoffs_are_chosen_again_and_said_so():
    table = table_2(scores(), replace(QUICK, cutoff="reoptimised"))
    validation = table[table["cohort"] == "validation"]
    assert (validation["cutoff_cohort"] == "validation").all()
    assert "optimistic" in footnotes(table, SETTINGS | {"cutoff": "reoptimised"})[0]


def test_missing_scores_are_complete_cases_with_their_number():
    data = scores()
    data.loc[data.index[-3:], "apri"] = np.nan
    table = table_2(data, QUICK)
    row = table[(table["method"] == "apri") & (table["cohort"] == "validation")].iloc[0]
    assert (row["n"], row["n_missing"], row["n_compared"]) == (17, 3, 17)


def test_a_stage_missing_in_validation_leaves_the_rest_of_the_table():
    data = scores()
    data = data[~((data["cohort"] == "validation") & (data["fibrosis_stage"] == 4))]
    table = table_2(data, QUICK)
    row = table[(table["stage"] == "f4") & (table["method"] == "dlre") & (table["cohort"] == "validation")].iloc[0]
    assert math.isnan(row["auc"])
    assert "no cases" in row["notes"]
    assert table[table["stage"] == "ge_f3"]["auc"].notna().all()
    page = printed_table_2(table, SETTINGS, True).html()
    assert "no cases" in page
    assert "simulated data" in page


def test_print_forms_escape_and_put_intervals_on_their_own_line():
    assert cell_html("0.97 (0.94 to 0.99)***") == '0.97*** <span class="interval">(0.94 to 0.99)</span>'
    assert cell_html("<b>") == "&lt;b&gt;"
    tex = printed_table_2(table_2(scores(), QUICK), SETTINGS, False).latex()
    assert r"95 \%" in tex
    assert r"$\geq$" in tex
    assert tex.count(r"\midrule") == 3


def test_a_blocks_heading_spans_the_table_and_notes_stand_below():
    table = PrintedTable("A & B", ("x", "y"), [Block("Head", [["a", "1 (0 to 2)*"]])], ["n < 5"])
    page = table.html()
    assert "<caption><span>A &amp; B</span></caption>" in page
    assert "colspan='2'>Head" in page
    assert '<td>1* <span class="interval">(0 to 2)</span></td>' in page
    assert "n &lt; 5" in page
    assert r"A \& B" in table.latex()


def test_a_perfect_score_prints_its_exact_bound_and_no_false_interval():
    data = scores()
    data["dlre_f4"] = (data["fibrosis_stage"] == 4).astype(float) + np.linspace(0, 0.1, len(data))
    row = table_2(data, QUICK).iloc[1]
    cases = row["true_positives"] + row["false_negatives"]
    assert (row["auc"], row["auc_high"]) == (1.0, 1.0)
    # One-sided 97.5 % bound of the smaller class: 0.05^(1/n) at 95 %.
    assert row["auc_low"] == pytest.approx(0.05 ** (1 / cases))
    assert (row["auc_logit_low"], row["auc_logit_high"]) == (row["auc_low"], row["auc_high"])
    assert "one-sided" in row["notes"]
