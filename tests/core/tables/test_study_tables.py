"""Tables 1, 3 and 4, the supplement and the extended tables, against scipy, scikit-learn and by hand."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from dlre_core.audit.audit import audit_published_tables
from dlre_core.extended_tables.checklist import FILE, checklist, printed_checklist
from dlre_core.extended_tables.counts import (
    counts_table,
    events_table,
    printed_counts,
    printed_events,
)
from dlre_core.extended_tables.differences import (
    bootstrap_differences,
    differences_table,
    printed_differences,
)
from dlre_core.extended_tables.hospitals import EVERYBODY, POOLED, hospital_table, printed_hospitals
from dlre_core.extended_tables.paper_comparison import compare_with_paper, hanley_mcneil_variance
from dlre_core.extended_tables.probabilities import (
    calibration_table,
    decision_table,
    predictive_value_table,
    printed_calibration,
    printed_predictive_values,
)
from dlre_core.extended_tables.published_form import published_form
from dlre_core.extended_tables.stages import (
    implied_stage,
    ordinal_tables,
    printed_stages,
    probability_order,
)
from dlre_core.foundation.errors import StoreMismatch
from dlre_core.report import exhibits
from dlre_core.report.exhibits import report_anchors
from dlre_core.statistics.comparisons import compare_overlapping_aucs, compare_paired_aucs, compare_unpaired_aucs
from dlre_core.statistics.roc import roc_analysis
from dlre_core.tables.accuracy_print import (
    printed_table_2,
    printed_table_3,
    printed_table_4,
    recomputed_q_boxes,
)
from dlre_core.tables.supplement_subgroups import (
    compare_subgroups,
    printed_subgroups,
    subgroup_of,
    subgroup_table,
    subgroupings,
)
from dlre_core.tables.table_1_baseline import printed_table_1, table_1
from dlre_core.tables.table_2_accuracy import table_2
from dlre_core.tables.table_3_pictures import reference_images, table_3
from dlre_core.tables.table_4_hospitals import compare_combinations, table_4
from tests.helpers.score_table import PRINT, SETTINGS, scores


@pytest.fixture(scope="module")
def data():
    return scores()


def patients_and_split(data):
    generator = np.random.default_rng(3)
    n = len(data)
    patients = data[["hospital", "patient", "fibrosis_stage", "inflammation_grade"]].assign(
        age_years=generator.normal(40, 10, n),
        ast_iu_l=generator.lognormal(3.5, 0.9, n),
        sex=np.resize(["M", "F", "M"], n),
        hbeag_positive=np.resize([1, 0, 0, 1, 0], n),
        chronic_infection=np.resize([1, 0], n),
        albumin_g_l=44.0,
        bmi_kg_m2=np.nan,
    )
    patients.loc[0, "sex"] = ""
    return patients, data[["hospital", "patient", "cohort"]]


def test_table_1_chooses_its_tests_and_names_them(data):
    patients, split = patients_and_split(data)
    table = table_1(patients, split).set_index("name")
    training = patients[(split["cohort"] == "training").to_numpy()]
    validation = patients[(split["cohort"] == "validation").to_numpy()]
    age, ast = table.loc["Age"], table.loc["Aspartate aminotransferase"]
    assert (age["test"], ast["test"]) == ("Student t", "Mann-Whitney")
    assert age["p_value"] == pytest.approx(stats.ttest_ind(training["age_years"], validation["age_years"]).pvalue)
    assert ast["p_value"] == pytest.approx(stats.mannwhitneyu(training["ast_iu_l"], validation["ast_iu_l"]).pvalue)
    assert ast["all_q1"] == pytest.approx(patients["ast_iu_l"].quantile(0.25))
    male = table.loc["Male"]
    assert (male["all_n"], male["all_missing"], male["all_count"]) == (
        119,
        1,
        (patients["sex"] == "M").sum(),
    )
    assert table.loc["F0–1", "all_count"] == 30
    # Constant and absent variables have a reason, and the rest of the table stands.
    assert (table.loc["Albumin", "notes"], table.loc["Body mass index", "all_n"]) == (
        "all values are equal",
        0,
    )
    assert table.loc["A0", "notes"] == "the same in everybody"
    chronic = table.loc["HBeAg positive, of chronic infection"]
    assert chronic["all_n"] == 60
    page = printed_table_1(table.reset_index(), {"all": 120, "training": 80, "validation": 40}, True).html()
    assert "training cohort (n=80, 66.7 %)" in page.lower()
    assert "simulated" in page


def test_table_3_pairs_the_arms_by_patient(data):
    arms = {5: data, 3: scores(seed=2), 1: scores(seed=3).sample(frac=1, random_state=1)}
    table = table_3(arms, SETTINGS)
    assert len(table) == 3 * 2 * 3 * 2
    row = table[
        (table["stage"] == "f4")
        & (table["method"] == "lsm")
        & (table["images"] == 1)
        & (table["cohort"] == "validation")
    ].iloc[0]
    keys = ["hospital", "patient"]
    merged = arms[1].merge(arms[3], on=keys, suffixes=("_1", "_3"))
    part = merged[merged["cohort_1"] == "validation"]
    truth = (part["fibrosis_stage_1"] == 4).astype(int)
    within = compare_paired_aucs(truth, part["lsm_3"], part["lsm_1"])
    between = compare_paired_aucs(truth, part["dlre_f4_1"], part["lsm_1"])
    assert row["within_p_value"] == pytest.approx(within.p_value, rel=1e-12)
    assert row["between_p_value"] == pytest.approx(between.p_value, rel=1e-12)
    assert table[table["images"] == 3]["within_p_value"].isna().all()
    assert table[table["method"] == "dlre"]["between_p_value"].isna().all()
    assert (reference_images([5, 1, 3]), reference_images([1, 5])) == (3, 1)
    assert "3 images" in printed_table_3(table, PRINT, True, 3).html()


def test_table_3_refuses_arms_with_other_patients(data):
    renamed = data.assign(patient=["Q000", *data["patient"][1:]])
    moved = data.assign(cohort=["validation", *data["cohort"][1:]])
    for other in (renamed, moved, data[1:]):
        with pytest.raises(StoreMismatch, match="1 and 5 images do not have the same patients"):
            table_3({1: data, 5: other}, SETTINGS)


def test_daggers_mark_the_second_comparison(data):
    table = table_3({5: data, 3: scores(seed=2), 1: scores(seed=3)}, SETTINGS)
    assert (table[table["cohort"] == "training"]["stars"] == "").all()
    strong = data.assign(dlre_ge_f3=data["fibrosis_stage"] + np.linspace(0, 1.3, 120), lsm=np.arange(120) % 7 + 1.0)
    strong.loc[82, "dlre_ge_f3"] = 0
    row = table_3({5: strong, 3: strong}, SETTINGS).set_index(["stage", "method", "images", "cohort"])
    row = row.loc[("ge_f3", "lsm", 3, "validation")]
    assert row["between_p_value"] < 0.001
    assert row["stars"] == "†††"
    printed = printed_table_3(table, PRINT, True, 3)
    assert "† p<0.05, †† p<0.01, ††† p<0.001" in " ".join(printed.footnotes)


def test_combinations_of_few_patients_get_no_star(data):
    f4 = (data["cohort"] == "validation") & (data["fibrosis_stage"] == 4)
    few = data[~f4 | data.index.isin(data.index[f4][:1])]
    other = few.assign(dlre_f4=few["dlre_f4"].to_numpy()[::-1])
    arms = {"combination_1": few, "combination_2": other}
    pairs = compare_combinations(arms)
    row = pairs[(pairs["stage"] == "f4") & (pairs["cohort"] == "validation")].iloc[0]
    assert (math.isnan(row["p_value"]), row["stars"], row["notes"]) == (True, "", "1 case, fewer than 5")
    table = table_4(arms, pairs, SETTINGS)
    printed = printed_table_4(table, PRINT, True, {"combination_1": ["A"]})
    assert "comparison: 1 case, fewer than 5 (F4 Combination 1 V, F4 Combination 2 V)" in " ".join(printed.footnotes)


def test_stages_are_not_tested_where_the_split_is_stratified_by_them(data):
    patients, split = patients_and_split(data)
    table = table_1(patients, split, stratified=["fibrosis_stage"])
    stages = table[table["variable"] == "fibrosis_group"]
    assert len(stages) == 4
    assert stages["p_value"].isna().all()
    assert (stages["notes"] == "the split is stratified by it").all()
    assert table[table["variable"] == "sex"]["p_value"].notna().all()
    notes = printed_table_1(table, {"all": 120, "training": 80, "validation": 40}, True).footnotes
    assert "Fibrosis stages are not tested: the split is stratified by them." in notes
    assert table_1(patients, split)["p_value"].notna().sum() == table["p_value"].notna().sum() + 4


def test_decision_curves_are_of_the_same_patients(data):
    some = data.assign(lsm=data["lsm"].where(np.arange(120) % 4 > 0), apri=np.nan)
    table = decision_table(some, replicates=50)
    validation = table[(table["cohort"] == "validation") & (table["stage"] == "ge_f3")]
    assert (validation["n"] == 30).all()
    assert (validation["n_missing"] == 10).all()
    assert validation[validation["strategy"] == "apri"]["net_benefit"].isna().all()
    kept = some[(some["cohort"] == "validation") & some["lsm"].notna()]
    prevalence = (kept["fibrosis_stage"] >= 3).mean()
    everybody = validation[(validation["strategy"] == "all") & (validation["threshold"] == 0.2)]["net_benefit"].item()
    assert everybody == pytest.approx(prevalence - (1 - prevalence) / 4)
    dlre = validation[validation["strategy"] == "dlre"]
    assert (dlre["net_benefit_low"] <= dlre["net_benefit"] + 1e-12).all()


def test_what_cannot_be_fitted_says_why_and_not_that_cases_lack(data):
    constant = data.assign(fib4=1.0, apri=np.where(data["fibrosis_stage"] == 4, 9.0, 1.0))
    table = calibration_table(constant)
    f4 = table[table["stage"] == "f4"].set_index(["method", "cohort"])["notes"]
    assert f4["fib4", "validation"] == "no probabilities: one value in training"
    assert "Firth's penalised fit: training separates" in f4["apri", "validation"]
    notes = " ".join(printed_calibration(table, 0.95, True).footnotes)
    assert "one value in training (F4 FIB-4 T, F4 FIB-4 V" in notes


def test_a_hospital_called_all_is_not_the_total(data):
    table = hospital_table(data.assign(hospital=np.where(data["hospital"] == "A", "All", "B")), SETTINGS)
    part = table[(table["stage"] == "f4") & (table["method"] == "dlre")].set_index("hospital")
    assert (part.loc["All", "n"], part.loc[EVERYBODY, "n"]) == (20, 40)


def test_the_ordinal_table_prints_what_chance_gives(data):
    table = table_2(data, SETTINGS)
    predictions = data.rename(columns={"dlre_f4": "f4", "dlre_ge_f3": "ge_f3", "dlre_ge_f2": "ge_f2"})
    confusion, measures = ordinal_tables(data, table, predictions, replicates=20, seed=1)
    row = measures[(measures["method"] == "dlre") & (measures["cohort"] == "validation")].iloc[0]
    assert row["rescaled"] == pytest.approx(
        0.5 + 0.5 * (row["obuchowski"] - row["obuchowski_by_chance"]) / (1 - row["obuchowski_by_chance"])
    )
    printed = printed_stages(confusion, measures, 0.95, True)
    assert f"by chance {row['obuchowski_by_chance']:.2f}" in printed.blocks[0].heading
    assert "sum of its three probabilities" in " ".join(printed.footnotes)


def test_table_4_compares_every_two_combinations(data):
    second = scores(seed=5)
    second["cohort"] = np.where(np.arange(120) % 3 == 0, "validation", "training")
    arms = {"combination_1": data, "combination_2": second, "combination_3": scores(seed=6)}
    pairs = compare_combinations(arms)
    assert len(pairs) == 3 * 2 * 3
    row = pairs.iloc[0]
    assert (row["n_first"], row["n_second"]) == (80, 80)
    assert row["n_both"] == ((data["cohort"] == "training") & (second["cohort"] == "training")).sum()
    table = table_4(arms, pairs, SETTINGS)
    assert pairs[pairs["cohort"] == "training"]["p_holm"].isna().all()
    f4 = pairs[(pairs["stage"] == "f4") & (pairs["cohort"] == "training")]
    ours = table[(table["stage"] == "f4") & (table["cohort"] == "training")].set_index("arm")
    assert ours.loc["combination_1", "p_value"] == f4[f4["first"] == "combination_1"]["p_value"].min()
    # z is that of what a row is compared with minus the row, whichever of a pair comes first.
    for row in table.dropna(subset=["p_value"]).itertuples():
        other = table[
            (table["stage"] == row.stage) & (table["cohort"] == row.cohort) & (table["arm"] == row.compared_with)
        ]
        assert np.sign(row.z) == np.sign(other["auc"].item() - row.auc)
        assert row.log_p_value == pytest.approx(math.log(row.p_value))
    again = compare_combinations(arms)
    pd.testing.assert_frame_equal(pairs, again)
    page = printed_table_4(table, PRINT, True, {"combination_1": ["B", "D"]}).html()
    assert "Combination 1: B, D" in page


def test_subgroups_are_divided_at_their_limits(data):
    alt, bmi, grade = subgroupings([80, 40], 25).values()
    assert list(subgroup_of(data, alt)[:6]) == ["≤40 U/L", "≤40 U/L", "40–80 U/L", "40–80 U/L", ">80 U/L", ">80 U/L"]
    assert list(subgroup_of(data, bmi)[:3]) == ["<25 kg/m²", "≥25 kg/m²", "≥25 kg/m²"]
    missing = data.assign(inflammation_grade=[np.nan, *data["inflammation_grade"][1:]])
    assert list(subgroup_of(missing, grade)[:4]) == ["unknown", "A0–2", "A0–2", "A3"]


def test_subgroups_are_compared_unpaired_and_empty_ones_leave_the_rest():
    data = scores(480)
    grouping = subgroupings([40, 80], 25)[3]
    table, pairs = (
        subgroup_table(data, grouping, SETTINGS),
        compare_subgroups(data, grouping, SETTINGS),
    )
    part = data[data["cohort"] == "validation"]
    low, high = part[part["inflammation_grade"] < 3], part[part["inflammation_grade"] == 3]
    f4 = [(x["fibrosis_stage"] == 4).astype(int) for x in (low, high)]
    test = compare_overlapping_aucs(
        np.concatenate(f4),
        [*low["lsm"], *np.full(len(high), np.nan)],
        [*np.full(len(low), np.nan), *high["lsm"]],
    )
    proc = compare_unpaired_aucs(f4[0], low["lsm"], f4[1], high["lsm"])
    row = pairs[(pairs["population"] == "validation") & (pairs["stage"] == "f4") & (pairs["method"] == "lsm")].iloc[0]
    assert row["p_value"] == pytest.approx(test.p_value, rel=1e-12)
    assert row["degrees_of_freedom"] == pytest.approx(test.degrees_of_freedom, rel=1e-12)
    assert row["p_value_proc"] == pytest.approx(proc.p_value, rel=1e-12)
    cell = table[(table["population"] == "validation") & (table["stage"] == "f4") & (table["method"] == "lsm")]
    assert list(cell["auc"]) == [
        roc_analysis(f4[0], low["lsm"]).auc,
        roc_analysis(f4[1], high["lsm"]).auc,
    ]
    assert list(cell["n"]) == [len(low), len(high)]
    assert list(cell["prevalence"]) == pytest.approx([f4[0].mean(), f4[1].mean()])
    family = table[table["population"] == "validation"]
    known = family["p_value"].dropna()
    assert family["p_holm"].min() == pytest.approx(min(1, known.min() * len(known)))
    # Those who trained DLRE are among the enrolled.
    assert table[table["population"] == "enrolled"]["p_holm"].isna().all()
    perfect = data.assign(lsm=np.where(data["inflammation_grade"] < 3, data["fibrosis_stage"], data["lsm"]))
    certain = compare_subgroups(perfect, grouping, SETTINGS)
    stiffness = certain[certain["method"] == "lsm"]
    assert stiffness["p_value"].isna().all()
    assert (stiffness["notes"] == "an AUC of 0 or 1 has no variance").all()
    printed = printed_subgroups(table, certain, grouping, SETTINGS, 0, True)
    # All enrolled first, the validation cohort beside them.
    everybody = (data["inflammation_grade"] < 3).sum()
    cells = printed.blocks[0].rows[0]
    assert [cells[place].split(" (")[0] for place in (1, 5)] == [str(everybody), str(len(low))]
    page = printed.html()
    assert "No p between subgroups where a class has fewer than five patients or an AUC is 0 or 1." in page
    nobody = data[data["inflammation_grade"] < 3]
    empty, tests = (
        subgroup_table(nobody, grouping, SETTINGS),
        compare_subgroups(nobody, grouping, SETTINGS),
    )
    assert empty[empty["subgroup"] == "A3"]["auc"].isna().all()
    assert empty[empty["subgroup"] == "A0–2"]["auc"].notna().all()
    page = printed_subgroups(empty, tests, grouping, SETTINGS, 0, True).html()
    assert "A3: no patients" in page


def test_calibration_and_decision_tables_have_every_method_and_survive_one_class(data):
    table = calibration_table(data)
    assert len(table) == 24
    training = table[(table["cohort"] == "training") & (table["method"] == "lsm")]
    # Fitted there, so perfectly calibrated there.
    assert training["slope"].to_numpy() == pytest.approx([1, 1, 1], abs=1e-6)
    assert training["in_the_large"].to_numpy() == pytest.approx([0, 0, 0], abs=1e-6)
    assert "Brier" in printed_calibration(table, 0.95, True).html()
    curves = decision_table(data)
    at = curves[(curves["stage"] == "f4") & (curves["cohort"] == "validation") & (curves["threshold"] == 0.2)]
    by = at.set_index("strategy")["net_benefit"]
    assert by["none"] == 0
    assert by["all"] == pytest.approx(0.25 - 0.75 * 0.25)
    without = data[~((data["cohort"] == "validation") & (data["fibrosis_stage"] == 4))]
    broken = calibration_table(without)
    f4 = broken[(broken["stage"] == "f4") & (broken["cohort"] == "validation")]
    assert f4["slope"].isna().all()
    assert (f4["notes"] == "no cases").all()
    assert broken[broken["stage"] == "ge_f3"]["slope"].notna().all()


def test_predictive_values_follow_bayes(data):
    table_two = table_2(data, SETTINGS)
    values = predictive_value_table(table_two, [0.1, 0.5])
    row = values[(values["stage"] == "ge_f3") & (values["method"] == "lsm") & (values["prevalence"] == 0.1)].iloc[0]
    source = table_two[
        (table_two["stage"] == "ge_f3") & (table_two["method"] == "lsm") & (table_two["cohort"] == "validation")
    ].iloc[0]
    se, sp = source["sensitivity"], source["specificity"]
    assert row["positive_predictive_value"] == pytest.approx(0.1 * se / (0.1 * se + 0.9 * (1 - sp)))
    assert "PPV (%) at 10 %" in printed_predictive_values(values, 0.95, True).html()


def test_hospitals_without_cases_say_so(data):
    table = hospital_table(scores(hospitals="ABC"), SETTINGS)
    assert list(table["hospital"].unique()) == ["A", "B", "C", POOLED, EVERYBODY]
    alone = data.assign(hospital=np.where(data["fibrosis_stage"] == 4, "A", "B"))
    odd = hospital_table(alone, SETTINGS)
    f4 = odd[(odd["stage"] == "f4") & (odd["method"] == "dlre")].set_index("hospital")["notes"]
    assert (f4["A"], f4["B"], f4[EVERYBODY]) == ("no controls", "no cases", "")
    assert "no controls" in printed_hospitals(odd, SETTINGS, True).html()


def test_the_implied_stage_is_the_highest_answered_with_yes(data):
    table = table_2(data, SETTINGS)
    cutoffs = table.set_index(["stage", "method", "cohort"])["cutoff"]
    implied = implied_stage(data, table, "lsm")
    for position in (0, 50, 110):
        row = data.iloc[position]
        expected = 0
        for level, stage in ((1, "ge_f2"), (2, "ge_f3"), (3, "f4")):
            if row["lsm"] >= cutoffs[stage, "lsm", row["cohort"]]:
                expected = level
        assert implied[position] == expected
    missing = data.assign(lsm=[np.nan, *data["lsm"][1:]])
    assert implied_stage(missing, table, "lsm")[0] == -1
    predictions = data.rename(columns={"dlre_f4": "f4", "dlre_ge_f3": "ge_f3", "dlre_ge_f2": "ge_f2"})
    confusion, measures = ordinal_tables(data, table, predictions, replicates=20, seed=1)
    assert (
        confusion.groupby(["method", "cohort"])[["F0-1", "F2", "F3", "F4"]].sum().sum(axis=1).tolist() == [80, 40] * 4
    )
    assert measures["kappa_quadratic"].between(-1, 1).all()
    assert "violated in" in printed_stages(confusion, measures, 0.95, True).html()


def test_probabilities_out_of_order_are_counted():
    table = pd.DataFrame({"a": [0.1, 0.5, 0.3], "b": [0.2, 0.4, 0.3], "c": [0.3, 0.6, 0.2]})
    assert list(probability_order(table, ("a", "b", "c"))) == [False, True, True]


def test_counts_events_and_differences(data):
    table_two = table_2(data, SETTINGS)
    table_three = table_3({5: data, 3: scores(seed=2)}, SETTINGS)
    counts = counts_table({2: table_two, 3: table_three})
    assert len(counts) == 24 + 24
    assert "Cut-off" in printed_counts(counts, True).html()
    events = events_table({"overall_5_images": data})
    assert events.loc[1, ["patients", "images", "f4_cases", "ge_f2_cases"]].tolist() == [
        40,
        200,
        10,
        30,
    ]
    assert "10 v 30" in printed_events(events, True).html()
    drawn = bootstrap_differences(data, replicates=400, seed=1)
    merged = differences_table(table_two, drawn)
    assert len(merged) == 18
    # The bootstrap and DeLong estimate the same standard deviation.
    delong = (merged["difference_high"] - merged["difference_low"]) / (2 * 1.96)
    assert (merged["bootstrap_sd"] / delong).median() == pytest.approx(1, abs=0.1)


def test_printed_cutoffs_give_the_printed_counts(data):
    tenths = data.assign(lsm=data["lsm"].round(1))
    table = table_2(tenths, SETTINGS)
    blocks = printed_counts(counts_table({2: table}), True).blocks
    rows = [row for block in blocks for row in block.rows]
    assert len(rows) == len(table) == 24
    for row, cells in zip(rows, table.to_dict("records"), strict=True):
        part = tenths[tenths["cohort"] == cells["cohort"]]
        name = f"dlre_{cells['stage']}" if cells["method"] == "dlre" else cells["method"]
        positive = (part[name] >= float(row[7])).sum()
        assert positive == int(row[3]) + int(row[6]) == cells["true_positives"] + cells["false_positives"]


def test_a_score_that_some_lack_leaves_the_other_bootstraps_alone(data):
    some = data.assign(fib4=data["fib4"].where(np.arange(len(data)) % 3 > 0))
    whole, partly = (
        differences_table(table_2(x, SETTINGS), bootstrap_differences(x, replicates=200, seed=1)) for x in (data, some)
    )
    others = whole["method"] != "fib4"
    pd.testing.assert_frame_equal(whole[others].drop(columns="p_holm"), partly[others].drop(columns="p_holm"))
    for row in partly.itertuples():
        assert row.bootstrap_low < row.difference < row.bootstrap_high


def test_recomputed_q_boxes_count_scored_patients_only(data):
    pictures = pd.DataFrame({"patient": ["P000", "P001", "X"], "q_box_source": ["given", "recomputed", "recomputed"]})
    assert recomputed_q_boxes(pictures, data) == 1


def test_the_studys_own_tables_pass_the_audit(data):
    patients, split = patients_and_split(data)
    arms = {"combination_1": data, "combination_2": scores(seed=6)}
    perfect = data.assign(dlre_f4=(data["fibrosis_stage"] == 4) + np.linspace(0, 0.1, 120))
    tables = {
        1: table_1(patients, split),
        2: table_2(perfect, SETTINGS),
        3: table_3({5: perfect, 3: scores(seed=2), 1: scores(seed=3)}, SETTINGS),
        4: table_4(arms, compare_combinations(arms), SETTINGS),
    }
    report = audit_published_tables(published_form(tables))
    assert report.clean, report.to_text()
    # A cell changed after the fact is found.
    tables[2].loc[2, "sensitivity"] -= 0.2
    assert not audit_published_tables(published_form(tables)).clean


def test_stars_between_arms_with_other_patients_pass_the_audit():
    arms = {f"combination_{k}": scores(seed=k) for k in (1, 2, 3)}
    strong = arms["combination_1"]
    strong["dlre_f4"] = strong["fibrosis_stage"] - 3.2 + np.linspace(0, 0.9, 120)
    strong.loc[83, "dlre_f4"] = 0.5
    # The second and the third are alike and weak, and one of their training patients validates.
    for arm in ("combination_2", "combination_3"):
        arms[arm]["dlre_f4"] = np.linspace(0.9, 0.1, 120) + 0.02 * arms[arm]["fibrosis_stage"]
        arms[arm].loc[0, "cohort"] = "validation"
    table = table_4(arms, compare_combinations(arms), SETTINGS)
    f4 = table[(table["stage"] == "f4") & (table["cohort"] == "validation")].set_index("arm")
    assert (f4["stars"] != "").all()
    assert f4["n"].tolist() == [40, 41, 41]
    # Two arms with as many patients and nearly one AUC: against the third one's p is below 0.05 and the other's above.
    table.loc[table["arm"] == "combination_2", "stars"] = ""
    report = audit_published_tables(published_form({4: table}))
    assert not [finding for finding in report.findings if finding.kind == "stars_contradiction"]


def test_both_kinds_of_stars_in_one_row_pass_the_audit():
    many = scores(2400)
    generator = np.random.default_rng(8)
    fewer = many.assign(lsm=many["lsm"] * np.exp(generator.normal(0, 0.6, len(many))))
    table = table_3({5: many, 3: many, 1: fewer}, SETTINGS)
    both = table["stars"].str.contains(", ")
    assert both.any()
    report = audit_published_tables(published_form({2: table_2(many, SETTINGS), 3: table}))
    assert report.clean, report.to_text()


def test_the_paper_compared_with_itself_does_not_differ(data):
    table = table_2(data, SETTINGS)
    comparison = compare_with_paper({2: table}, {})
    row = comparison[
        (comparison["stage"] == "f4")
        & (comparison["method"] == "lsm")
        & (comparison["cohort"] == "validation")
        & (comparison["measure"] == "sens")
    ].iloc[0]
    assert row["published"] == 0.875
    ours = table[(table["stage"] == "f4") & (table["method"] == "lsm") & (table["cohort"] == "validation")].iloc[0]
    tp, n = ours["true_positives"], ours["true_positives"] + ours["false_negatives"]
    share = (28 + tp) / (32 + n)
    assert row["standard_error"] == pytest.approx(math.sqrt(share * (1 - share) * (1 / 32 + 1 / n)))
    # At an AUC of 0.5 it is the variance of the Mann-Whitney statistic under the null.
    assert hanley_mcneil_variance(0.5, 51, 58) == pytest.approx((51 + 58 + 1) / (12 * 51 * 58))


GUIDELINES = {"STARD 2015": 34, "TRIPOD+AI 2024": 52, "STARD-AI 2025": 15, "CLAIM 2024": 44, "QUADAS-2": 18}
ANCHORS = report_anchors([*exhibits.TABLES], [*exhibits.FIGURES], primary=True)


def test_every_item_of_the_checklists_says_where_and_what_authors_add_and_none_is_done():
    table = checklist(ANCHORS)
    counts = table.groupby(table["guideline"].str.partition(" (")[0]).size()
    assert counts.to_dict() == GUIDELINES
    assert not table.duplicated(["guideline", "item"]).any()
    assert (table["authors"] != "").all()
    printed = printed_checklist(table)
    assert {row[-1] for block in printed.blocks for row in block.rows} == {""}
    assert f"has something for {(table['anchors'] != '').sum()} of 163 items. None of them is done" in printed.html()


def test_every_place_that_the_checklists_name_is_one_of_the_report():
    named = pd.read_csv(FILE, dtype=str, keep_default_na=False)["anchors"].str.split().explode().dropna()
    assert set(named) <= set(ANCHORS)
    page = (Path(exhibits.__file__).parent / "templates/report.html.j2").read_text(encoding="utf-8")
    assert [place for place in ("primary", *exhibits.PLACES) if f'id="{place}"' not in page] == []
    assert all(f'id="{kind}-{{{{ exhibit.name }}}}"' in page for kind in ("table", "figure"))


def test_a_study_without_an_exhibit_is_not_sent_there():
    table = checklist(report_anchors(["table_2"], [], primary=False)).set_index(["guideline", "item"])["anchors"]
    assert table["STARD 2015", "24"] == "table-table_2"
    assert table["STARD 2015", "19"] == ""
    assert table["STARD 2015", "4"] == "configuration"


def broken(kind):
    """The study's scores with one thing wrong in them."""
    data = scores(hospitals="ABC")
    validation = data["cohort"] == "validation"
    f4 = data["fibrosis_stage"] == 4
    if kind == "constant scores":
        return data.assign(lsm=7.0, apri=1.0, dlre_f4=0.5)
    if kind == "one class only":
        return data.assign(fibrosis_stage=4)
    if kind == "no scores":
        return data.assign(lsm=np.nan, fib4=np.nan)
    if kind == "infinite":
        return data.assign(apri=np.where(np.arange(120) % 7 == 0, np.inf, data["apri"]))
    if kind == "one case":
        return data[~f4 | (data.index == data.index[validation & f4][0])]
    if kind == "ties everywhere":
        return data.assign(lsm=np.round(data["lsm"]), apri=(data["apri"] > 2) * 1.0)
    if kind == "empty subgroup":
        return data.assign(inflammation_grade=np.nan, alt_iu_l=10.0)
    if kind == "stage missing in validation":
        return data[~(validation & f4)]
    return data[validation]  # nobody trained


@pytest.mark.parametrize(
    "kind",
    [
        "constant scores",
        "one class only",
        "no scores",
        "infinite",
        "one case",
        "ties everywhere",
        "empty subgroup",
        "stage missing in validation",
        "no training cohort",
    ],
)
def test_bad_input_leaves_every_table_standing(kind):
    data = broken(kind)
    table = table_2(data, SETTINGS)
    three = table_3({5: data, 3: data, 1: data}, SETTINGS)
    arms = {"combination_1": data, "combination_2": data}
    four = table_4(arms, compare_combinations(arms), SETTINGS)
    predictions = data.rename(columns={"dlre_f4": "f4", "dlre_ge_f3": "ge_f3", "dlre_ge_f2": "ge_f2"})
    calibrated, hospitals = calibration_table(data), hospital_table(data, SETTINGS)
    confusion, measures = ordinal_tables(data, table, predictions, replicates=20, seed=1)
    counts = counts_table({2: table, 3: three, 4: four})
    printed = [
        printed_table_2(table, PRINT, True),
        printed_table_3(three, PRINT, True, 3),
        printed_table_4(four, PRINT, True, {"combination_1": ["A"]}),
        printed_calibration(calibrated, 0.95, True),
        printed_hospitals(hospitals, SETTINGS, True),
        printed_stages(confusion, measures, 0.95, True),
        printed_counts(counts, True),
        printed_predictive_values(predictive_value_table(table, [0.1]), 0.95, True),
    ]
    for grouping in subgroupings([40, 80], 25).values():
        parts = (
            subgroup_table(data, grouping, SETTINGS),
            compare_subgroups(data, grouping, SETTINGS),
        )
        printed.append(printed_subgroups(*parts, grouping, SETTINGS, 0, True))
    drawn = bootstrap_differences(data, replicates=20, seed=1)
    printed.append(printed_differences(differences_table(table, drawn), 20, 0.95, True))
    assert len(decision_table(data)) == 3 * 2 * 6 * 99
    for page in printed:
        text = page.html() + page.latex()
        assert "nan" not in text.lower().replace("finance", "")
    # Every AUC that does not exist has its reason in the cell and in a footnote.
    for row in table[table["auc"].isna()].to_dict("records"):
        reason = row["notes"].partition("AUC: ")[2].partition(";")[0]
        assert reason
        assert f"– ({reason})" in printed[0].html()
    if kind not in ("one class only", "no training cohort"):
        assert table[table["stage"] == "ge_f2"]["auc"].notna().sum() >= 4
