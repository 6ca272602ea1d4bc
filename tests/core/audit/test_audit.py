"""The audit of published tables: planted errors are found, and nothing else is."""

import copy
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from dlre_core.audit.audit import audit_published_tables, paper_tables
from dlre_core.audit.between import statement_findings
from dlre_core.audit.counts import best_tables, cases_that_fit, tables_of_any_size
from dlre_core.audit.intervals import auc_intervals, intervals_of_cell
from dlre_core.audit.printed import ESTIMATES, parse_printed, rounding_steps, show
from dlre_core.audit.rows import read_rows
from dlre_core.extended_tables.published_form import published_form
from dlre_core.statistics.diagnostic import diagnostic_accuracy_from_counts

MEASURES = {
    "sens": "sensitivity",
    "spec": "specificity",
    "ppv": "positive_predictive_value",
    "npv": "negative_predictive_value",
    "lr_pos": "positive_likelihood_ratio",
    "lr_neg": "negative_likelihood_ratio",
}
# TP, FN, TN, FP; the two methods of a stage and cohort share cases and controls.
COUNTS = {
    ("F4", "new", "T"): (58, 8, 171, 29),
    ("F4", "new", "V"): (27, 5, 83, 17),
    ("F4", "old", "T"): (49, 17, 151, 49),
    ("F4", "old", "V"): (22, 10, 71, 29),
    (">=F3", "new", "T"): (129, 22, 97, 18),
    (">=F3", "new", "V"): (61, 12, 49, 10),
    (">=F3", "old", "T"): (107, 44, 81, 34),
    (">=F3", "old", "V"): (49, 24, 43, 16),
    (">=F2", "new", "T"): (191, 32, 36, 7),
    (">=F2", "new", "V"): (89, 21, 17, 5),
    (">=F2", "old", "T"): (149, 74, 31, 12),
    (">=F2", "old", "V"): (73, 37, 14, 8),
}
AUCS = {
    ("new", "T"): ("0.90", "0.86", "0.94", ""),
    ("new", "V"): ("0.90", "0.84", "0.96", ""),
    ("old", "T"): ("0.76", "0.69", "0.83", "***"),
    ("old", "V"): ("0.76", "0.65", "0.87", "***"),
}


def accuracy_row(place: tuple[str, str, str], counts: tuple[int, ...], arm: str | None = None) -> dict:
    stage, method, cohort = place
    accuracy = diagnostic_accuracy_from_counts(*counts)
    auc, low, high, stars = AUCS[method, cohort]
    row = {
        "stage": stage,
        "method": method,
        "arm": arm,
        "cohort": cohort,
        "n": str(sum(counts)),
        "prevalence_pct": show(100 * (counts[0] + counts[1]) / sum(counts)),
        "auc": auc,
        "auc_ci": [low, high],
        "stars": stars,
    }
    for cell, name in MEASURES.items():
        estimate = getattr(accuracy, name)
        factor, digits = (1, 2) if cell.startswith("lr") else (100, 1)
        row[cell] = show(factor * estimate.value, digits=digits)
        row[f"{cell}_ci"] = [show(factor * limit, digits=digits) for limit in (estimate.low, estimate.high)]
    return row


def baseline_row(variable: str, training: int, validation: int, group: str | None = None) -> dict:
    columns = {
        "all": (training + validation, 398),
        "training": (training, 266),
        "validation": (validation, 132),
    }
    table = [[training, 266 - training], [validation, 132 - validation]]
    return {
        "variable": variable,
        "group": group,
        "kind": "n (%)",
        **{
            name: {"printed": "", "count": str(count), "pct": show(100 * count / size)}
            for name, (count, size) in columns.items()
        },
        "p": show(float(stats.chi2_contingency(table, correction=False).pvalue), digits=3),
    }


@pytest.fixture
def clean() -> dict:
    sizes = {
        "variable": "Patients",
        "group": None,
        "kind": "n",
        "p": None,
        "all": {"count": "398", "pct": None},
        "training": {"count": "266", "pct": "66.8"},
        "validation": {"count": "132", "pct": "33.2"},
    }
    age = {
        "variable": "Age",
        "group": None,
        "kind": "mean±SD",
        "p": "0.433",
        "all": {"mean": "40.3", "sd": "12.0"},
        "training": {"mean": "40.0", "sd": "12.0"},
        "validation": {"mean": "41.0", "sd": "12.0"},
    }
    stages = [("F0-1", 43, 22), ("F2", 72, 37), ("F3", 85, 41), ("F4", 66, 32)]
    return {
        "_meta": {"source": "made for the test"},
        "table1": [sizes, age, baseline_row("Male", 175, 90)]
        + [baseline_row(name, a, b, "Fibrosis") for name, a, b in stages],
        "table2": [accuracy_row(place, counts) for place, counts in COUNTS.items()],
        "table3": [accuracy_row(place, counts, "5 images") for place, counts in COUNTS.items() if place[1] == "new"],
    }


def row_of(tables: dict, table: str, stage: str, method: str, cohort: str) -> dict:
    return next(row for row in tables[table] if (row["stage"], row["method"], row["cohort"]) == (stage, method, cohort))


def test_clean_tables_have_no_findings(clean):
    report = audit_published_tables(clean)
    assert report.findings == ()
    assert report.clean
    assert [row.counts for row in report.rows[: len(COUNTS)]] == list(COUNTS.values())
    assert all(not row.unexplained and row.rounding_steps == 1 for row in report.rows)
    assert all("clopper-pearson" in row.interval_methods["sens"] for row in report.rows)
    assert all("simel" in row.interval_methods["lr_pos"] for row in report.rows)
    assert "clean" in report.to_text()


# Table, row, cell, what is printed instead, the finding, what was expected.
PLANTED = [
    (">=F3", "old", "T", "sens", "72.0", "no_integer", "70.9"),
    ("F4", "old", "V", "sens", "71.9", "cell_contradiction", "68.8"),
    ("F4", "old", "T", "spec", "77.0", "cell_contradiction", "75.5"),
    (">=F2", "old", "T", "ppv", "95.2", "cell_contradiction", "92.5"),
    (">=F3", "old", "V", "npv", "46.2", "cell_contradiction", "64.2"),
    ("F4", "old", "V", "lr_pos", "3.27", "cell_contradiction", "2.37"),
    (">=F2", "old", "V", "lr_neg", "0.35", "cell_contradiction", "0.53"),
    (">=F3", "old", "T", "prevalence_pct", "83.8", "prevalence_contradiction", "56.8"),
    ("F4", "old", "T", "n", "254", "n_wrong", "266"),
    (">=F2", "old", "V", "sens_ci", ["64.2", "69.0"], "interval_unreproduced", "66.4 (56.7–75.1)"),
    ("F4", "old", "T", "npv_ci", ["96.1", "84.4"], "interval_disordered", "89.9 (84.3–94.0)"),
    (">=F3", "old", "T", "ppv_ci", ["85.1", "92.8"], "interval_excludes_estimate", "75.9 (68.0–82.7)"),
    ("F4", "old", "V", "lr_neg_ci", ["0.43", "0.45"], "interval_unreproduced", "0.44 (0.26–0.75)"),
    ("F4", "old", "V", "auc", "0.38", "auc_contradiction", "0.488 to 0.909"),
    (">=F3", "old", "T", "stars", "", "stars_contradiction", "*"),
    (">=F3", "old", "V", "auc", "7,6", "malformed_number", ""),
    (">=F3", "old", "V", "spec", "172.9", "impossible_value", ""),
]


@pytest.mark.parametrize(("stage", "method", "cohort", "key", "printed", "kind", "expected"), PLANTED)
def test_planted_error_is_found_alone(clean, stage, method, cohort, key, printed, kind, expected):
    row_of(clean, "table2", stage, method, cohort)[key] = printed
    report = audit_published_tables(clean)
    found = [item for item in report.findings if item.kind == kind]
    assert found, report.to_text()
    assert found[0].expected == expected
    cell = key.removesuffix("_ci")
    for item in report.findings:
        place = tuple(item.where[name] for name in ("table", "stage", "method", "cohort", "cell"))
        assert place == ("table2", stage, method, cohort, cell), item.sentence
    assert not report.clean


def test_same_analysis_printed_twice_must_agree(clean):
    row_of(clean, "table3", "F4", "new", "V")["npv_ci"] = ["88.0", "99.1"]
    kinds = {item.kind: item for item in audit_published_tables(clean).findings}
    assert "duplicate_disagrees" in kinds
    item = kinds["duplicate_disagrees"]
    assert (item.where["table"], item.where["cell"], item.where["cohort"]) == ("table3", "npv", "V")
    assert item.printed == "94.3 (88.0–99.1)"


def test_size_wrong_in_a_whole_arm_is_found_from_all_its_rows(clean):
    cells = {
        ("F4", "new", "V"): (44, 3, 111, 8),
        (">=F3", "new", "V"): (102, 4, 53, 7),
        (">=F2", "new", "V"): (122, 29, 12, 3),
    }
    rows = [accuracy_row(place, counts, "site 2") for place, counts in cells.items()]
    for row, prevalence in zip(rows, ("20.9", "52.0", "79.1"), strict=True):
        row |= {"n": "177", "prevalence_pct": prevalence}
    report = audit_published_tables({"table4": rows})
    errors = [item for item in report.findings if item.kind == "n_wrong"]
    assert [(item.printed, item.expected) for item in errors] == [("177", "166")]
    assert [row.counts for row in report.rows] == list(cells.values())


@pytest.mark.parametrize(
    ("variable", "column", "key", "printed", "kind", "expected"),
    [
        ("Male", "training", "pct", "68.5", "percentage_contradiction", "65.8"),
        ("Male", "all", "count", "275", "sum_contradiction", "265"),
        ("F3", "validation", "count", "31", "sum_contradiction", ""),
        ("Male", None, "p", "0.364", "p_value_contradiction", "0.634"),
        ("Age", None, "p", "0.997", "p_value_contradiction", ""),
        ("Age", "all", "mean", "43.1", "mean_contradiction", ""),
        ("Age", "all", "sd", "10.2", "mean_contradiction", ""),
        ("Age", "training", "sd", "12,0", "malformed_number", ""),
    ],
)
def test_planted_error_in_the_baseline_is_found(clean, variable, column, key, printed, kind, expected):
    row = next(row for row in clean["table1"] if row["variable"] == variable)
    (row[column] if column else row)[key] = printed
    found = [item for item in audit_published_tables(clean).findings if item.kind == kind]
    assert found
    assert not expected or found[0].expected == expected


def test_wrong_baseline_count_does_not_condemn_the_other_tables(clean):
    row = next(row for row in clean["table1"] if row["variable"] == "F4")
    row["training"]["count"] = "76"
    findings = audit_published_tables(clean).findings
    assert {"baseline_contradiction", "sum_contradiction"} <= {item.kind for item in findings}
    assert not any(item.kind == "prevalence_contradiction" for item in findings)


@pytest.fixture(scope="module")
def paper():
    return audit_published_tables(paper_tables())


def findings(report, kind, **where):
    return [
        item
        for item in report.findings
        if item.kind == kind and all(item.where[key] == value for key, value in where.items())
    ]


def test_paper_rows_that_reproduce(paper):
    row = next(
        row
        for row in paper.rows
        if (row.place["table"], row.place["stage"], row.place["method"], row.place["cohort"])
        == ("table2", "F4", "2D-SWE", "V")
    )
    assert row.integers == ((28, 4, 76, 24),)
    assert row.intervals_expected["sens"] == "87.5 (71.0–96.5)"
    assert row.intervals_expected["spec"] == "76.0 (66.4–84.0)"
    assert row.interval_methods["sens"] == ["clopper-pearson"]
    assert row.interval_methods["lr_pos"] == ["published"]
    assert row.interval_methods["auc"] == ["exact_binomial_n"]


def test_paper_prevalences_of_advanced_fibrosis(paper):
    wrong = findings(paper, "prevalence_contradiction")
    assert {(item.where["table"], item.where["stage"]) for item in wrong} == {("table3", ">=F3")}
    assert len(wrong) == 10
    assert {(item.printed, item.expected) for item in wrong} == {("83.8", "56.8"), ("83.3", "55.3")}
    assert all("prevalence of >=F2" in item.sentence for item in wrong)


def test_paper_cells_that_contradict_their_row(paper):
    wrong = {
        (item.where["table"], item.where["stage"], item.where["cell"]): (
            item.printed,
            item.expected,
        )
        for item in findings(paper, "cell_contradiction", cohort="T", method="DLRE")
        if item.where["arm"] in (None, "5 images")
    }
    assert wrong["table2", ">=F3", "npv"] == ("71.9", "96.5")
    assert wrong["table2", ">=F3", "ppv"] == ("95.6", "96.7")
    assert wrong["table3", ">=F2", "npv"] == ("51.2", "100.0")
    validation = findings(paper, "cell_contradiction", cohort="V")
    assert [(item.printed, item.expected) for item in validation] == [("99.9", "98.9")]


def test_paper_analyses_printed_twice(paper):
    (item,) = findings(paper, "duplicate_disagrees", stage="F4", cell="npv")
    assert item.expected.startswith("99.9")
    assert item.printed.startswith("98.9")


def test_paper_sizes_of_the_hospital_combinations(paper):
    sizes = {
        (item.where["arm"], item.where["cohort"]): (item.printed, item.expected) for item in findings(paper, "n_wrong")
    }
    assert sizes == {
        ("Combo 2", "V"): ("177", "166"),
        ("Combo 2", "T"): ("221", "232"),
        ("Combo 3", "V"): ("177", "161"),
        ("Combo 3", "T"): ("221", "237"),
    }


def test_paper_intervals_in_disorder(paper):
    (item,) = findings(paper, "interval_disordered")
    assert item.printed == "12.6 (117–13.5)"
    excluded = {item.printed for item in findings(paper, "interval_excludes_estimate")}
    assert excluded == {"93.3 (96.7–98.1)", "93.0 (96.4–96.4)"}


def test_paper_intervals_of_dlre_are_too_narrow(paper):
    item = findings(paper, "interval_unreproduced", table="table2", stage="F4", cohort="V", cell="sens")[0]
    assert item.severity == "error"
    assert item.expected == "96.9 (83.8–99.9)"
    # Every share interval of the comparators in sensitivity and specificity is Clopper-Pearson's.
    assert not [
        other
        for other in findings(paper, "interval_unreproduced")
        if other.where["method"] != "DLRE" and other.where["cell"] in ("sens", "spec")
    ]


def test_paper_baseline(paper):
    assert findings(paper, "percentage_contradiction")[0].expected == "16.2"
    assert findings(paper, "malformed_number")[0].printed == "32,5"
    gender = next(line for line in paper.baseline if line["variable"] == "Gender (male)")
    assert gender["p_method"] == "chi-square without correction"
    assert gender["p_expected"] == pytest.approx(0.634, abs=5e-4)


def test_paper_p_values_of_a_correction_on_printed_percentages_are_no_errors(paper):
    methods = {line["variable"]: line["p_method"] for line in paper.baseline}
    on_percentages = "continuity correction on the printed percentages"
    assert {methods[name] for name in ("F0-1", "F2", "F3", "F4", "A2", "A3")} == {on_percentages}
    assert methods["HBeAg (+/−) CI"] == "continuity correction larger than the difference"
    # What no method gives stays an error; two of them stand, digit by digit, in another row.
    wrong = {item.where["method"] for item in findings(paper, "p_value_contradiction")}
    assert wrong == {"Age (years)", "HBeAg (+/−)", "A1"}
    repeated = {item.where["method"]: item.sentence for item in findings(paper, "p_value_repeated")}
    assert "stands at ALT (IU/L), too" in repeated["Age (years)"]
    assert "stands at GGT (IU/L), too" in repeated["HBeAg (+/−)"]


def test_paper_predictive_values_of_the_comparators_are_clopper_pearsons_of_one_patient_less(paper):
    unexplained = [
        item
        for item in findings(paper, "interval_unreproduced")
        if item.where["method"] != "DLRE" and item.where["cell"] in ("ppv", "npv")
    ]
    assert unexplained == []
    # 16 of 23 positives are right: the limits of 69.6 % of 22.
    low, high = intervals_of_cell("ppv", (16, 50, 193, 7), 0.95)["clopper-pearson, n - 1"]
    k = 16 / 23 * 22
    assert low == pytest.approx(100 * stats.beta.ppf(0.025, k, 22 - k + 1))
    assert high == pytest.approx(100 * stats.beta.ppf(0.975, k + 1, 22 - k))


def test_paper_units_spreads_formats_and_names(paper):
    (unit,) = findings(paper, "unit_unlikely")
    assert (unit.where["method"], unit.printed, unit.expected) == ("FBG (g/L)", "g/L", "mmol/l")
    (spread,) = findings(paper, "spread_unlikely")
    assert (spread.where["method"], spread.where["cohort"]) == ("ALB (g/L)", "validation")
    # 47.6 + sqrt(132 (44.4^2 - 8.5^2)): 54.8 without its point.
    assert "One value of about 548 among 132 would explain it, such as 54.8" in spread.sentence
    (lopsided,) = findings(paper, "auc_interval_lopsided")
    assert lopsided.printed == "0.81 (0.75–0.82)"
    uneven = {item.printed for item in findings(paper, "decimals_differ")}
    assert uneven == {"3.26, 3.3, 3.2", "80.79", "1.0", "117", "0.05"}
    assert {item.expected for item in findings(paper, "names_differ")} == {"Combo 1"}
    (choice,) = findings(paper, "test_decides")
    assert choice.where["method"] == "DB (µmol/L)"


def test_right_tables_of_other_sizes_and_methods_have_no_findings():
    """Fifteen made-up studies whose every number follows from counts, with the intervals of one method each."""
    generator = np.random.default_rng(11)
    for number in range(15):
        method = ("clopper-pearson", "wilson", "jeffreys")[number % 3]
        rows = []
        for cohort, n in (("T", int(generator.integers(120, 500))), ("V", int(generator.integers(60, 250)))):
            cases = int(n * generator.uniform(0.25, 0.7))
            for name in ("new", "old"):
                tp, tn = int(cases * generator.uniform(0.6, 0.95)), int((n - cases) * generator.uniform(0.6, 0.95))
                counts = tp, cases - tp, tn, n - cases - tn
                found = diagnostic_accuracy_from_counts(*counts, interval=method)
                auc = (found.sensitivity.value + found.specificity.value) / 2
                low, high = auc_intervals(auc, cases, n - cases, 0.95)["hanley-mcneil"]
                row = {"stage": "F4", "method": name, "arm": None, "cohort": cohort, "n": str(n), "stars": ""}
                row |= {"prevalence_pct": show(100 * cases / n), "auc": show(auc, digits=2)}
                row["auc_ci"] = [show(low, digits=2), show(high, digits=2)]
                for cell, attribute in MEASURES.items():
                    estimate, ratio = getattr(found, attribute), cell.startswith("lr")
                    texts = [
                        show(value * (1 if ratio else 100), digits=2 if ratio else 1)
                        for value in (estimate.value, estimate.low, estimate.high)
                    ]
                    row |= {cell: texts[0], f"{cell}_ci": texts[1:]}
                rows.append(row)
        report = audit_published_tables({"table2": rows})
        assert report.findings == (), (number, report.to_text())


PUBLISHED = json.loads((Path(__file__).parent / "data" / "published_tables.json").read_text("utf-8"))


def as_printed(published: dict) -> list[dict]:
    """Rows of a published table in the form that the audit reads."""
    rows = []
    for given in published["rows"]:
        row = {
            "stage": "disease",
            "method": given["method"],
            "arm": None,
            "cohort": "V",
            "n": str(sum(given["counts"])),
        }
        row |= {"patients": given["patients"], "prevalence_pct": given.get("prevalence")}
        for cell in ESTIMATES:
            parts = re.findall(r"[\d.]+", given.get(cell, ""))
            row |= {cell: parts[0] if parts else None, f"{cell}_ci": parts[1:] or None}
        rows.append(row)
    return rows


@pytest.mark.parametrize("published", PUBLISHED, ids=lambda published: published["source"].split(",")[0])
def test_published_tables_that_are_right_raise_no_alarm(published):
    """Typed in from open papers that print the counts as well; every share follows from them."""
    report = audit_published_tables({"table": as_printed(published)})
    assert report.clean, report.to_text()
    for audited, given in zip(report.rows, published["rows"], strict=True):
        if audited.counts and sum(given["counts"][1::2]):
            # Whole per cents leave neighbouring counts open; where all are right, any number of cases explains the row.
            assert np.abs(np.subtract(audited.counts, given["counts"])).max() <= 0.005 * sum(given["counts"])


def test_there_are_twelve_published_tables_with_other_methods_than_the_papers():
    assert len(PUBLISHED) == 12
    # Two added successes and failures: 50 of 59 by Agresti and Coull is 52/63 +- 1.96 sqrt(52 * 11 / 63^3).
    low, high = intervals_of_cell("spec", (27, 23, 50, 9), 0.95)["agresti-coull"]
    half = 1.959964 * (52 * 11 / 63**3) ** 0.5
    assert (low, high) == pytest.approx((100 * (52 / 63 - half), 100 * (52 / 63 + half)))
    # LR- of 0.56 and 0.60 in place of 305/548 and 187/312: 0.44/0.60, on the log scale.
    low, high = intervals_of_cell("lr_neg", (305, 243, 187, 125), 0.95)["simel, of whole per cents"]
    error = (0.56 / (0.44 * 548) + 0.40 / (0.60 * 312)) ** 0.5
    assert (low, high) == pytest.approx((0.44 / 0.6 * np.exp(-1.959964 * error), 0.44 / 0.6 * np.exp(1.959964 * error)))


@pytest.mark.parametrize(
    ("row", "cell", "printed", "kind"),
    [
        # As in doi:10.3748/wjg.v23.i26.4839, table 4: 45 of 47 with a digit of the upper limit lost.
        ((45, 2, 35, 32), "sens", "95.7 (85.5-9.5)", "interval_disordered"),
        # As in doi:10.1371/journal.pone.0309109, table 3: 140 of 156 is 90 %.
        ((140, 19, 130, 16), "ppv", "89 (85-93)", "cell_contradiction"),
        # As in PMC7748975, table 1: 152 of 172 is 88.37 %, and limits the wrong way round.
        ((152, 17, 802, 20), "ppv", "85.37 (90.5-80.0)", "interval_disordered"),
    ],
)
def test_published_misprints_are_found(row, cell, printed, kind):
    tp, fn, tn, fp = row
    shares = {"sens": tp / (tp + fn), "spec": tn / (tn + fp), "ppv": tp / (tp + fp), "npv": tn / (tn + fn)}
    digits = len(printed.split(" ")[0].partition(".")[2])
    given = {name: show(100 * share, digits=digits) for name, share in shares.items()} | {cell: printed}
    prevalence = show(100 * (tp + fn) / sum(row))
    published = {"rows": [{"patients": "all", "method": "test", "counts": row, "prevalence": prevalence, **given}]}
    report = audit_published_tables({"table": as_printed(published)})
    assert kind in {item.kind for item in report.findings if item.where["cell"] == cell}, report.to_text()


def test_paper_text_against_its_tables(paper):
    found = findings(paper, "text_contradiction")
    places = {item.where["arm"] for item in found}
    assert places == {"Methods, Diagnostic robustness", "Methods and Discussion", "Figure 5, legend"}
    assert [item.expected for item in found if item.where["arm"].startswith("Methods, ")] == ["55.5 %"] * 9
    (area,) = [item for item in found if item.where["arm"] == "Methods and Discussion"]
    assert (area.printed, area.expected) == ("10.5", "12")
    assert [(i.printed, i.expected) for i in found if i.where["arm"] == "Figure 5, legend"] == [("1", "3")] * 3


@pytest.mark.parametrize(
    ("said", "printed"),
    [
        ({"kind": "cell", "value": "0.98", "limits": ["0.86", "0.94"]}, "0.90 (0.86–0.94)"),
        ({"kind": "cell", "value": "0.90", "limits": ["0.85", "0.94"]}, "0.90 (0.86–0.94)"),
        ({"kind": "difference", "value": "0.20", "minus": {"table": "table2", "stage": "F4", "method": "old"}}, "0.14"),
        ({"kind": "at_most", "value": "0.89"}, "0.90 (0.86–0.94)"),
        ({"kind": "level", "value": "0.05"}, "no star"),
        ({"kind": "share", "low": "30", "high": "60", "total": "398", "words": "half"}, "66.8 %"),
        ({"kind": "arms", "names": ["one", "two"]}, "1"),
        ({"kind": "product", "value": "1991", "terms": ["398", "5"]}, "1990"),
        ({"kind": "sum", "value": "397", "terms": ["654", "-256"]}, "398"),
    ],
)
def test_planted_error_of_the_text_is_found(clean, said, printed):
    rows = read_rows(clean)
    said = {"place": "Abstract", "of": {"table": "table2", "stage": "F4", "method": "new", "cohort": "T"}, **said}
    (found,) = statement_findings([said], rows)
    assert found.expected == printed
    assert found.where["arm"] == "Abstract"
    # The right text says nothing.
    right = {"value": {"0.20": "0.14", "0.89": "0.90", "1991": "1990", "397": "398"}.get(said.get("value"), "0.90")}
    right |= {"limits": ["0.86", "0.94"], "names": ["one"], "low": "60", "high": "70"}
    assert said["kind"] == "level" or statement_findings([said | right], rows) == []


def test_stars_that_the_text_denies_and_rows_that_are_not_there(clean):
    rows = read_rows(clean)
    old = {"table": "table2", "stage": "F4", "method": "old", "cohort": "T"}
    assert statement_findings([{"place": "p", "kind": "level", "value": "0.001", "of": old}], rows) == []
    (found,) = statement_findings([{"place": "p", "kind": "no_star", "of": old}], rows)
    assert found.printed == "no significant difference"
    with pytest.raises(ValueError, match="no row is"):
        statement_findings([{"place": "p", "kind": "cell", "of": {"table": "table9"}}], rows)
    with pytest.raises(ValueError, match="kind 'more'"):
        statement_findings([{"place": "p", "kind": "more", "of": old}], rows)


def test_outputs_are_complete_and_repeatable(paper):
    content = json.loads(paper.to_json())
    assert len(content["rows"]) == 78
    assert len(content["findings"]) == len(paper.findings)
    again = audit_published_tables(paper_tables())
    assert again.to_json() == paper.to_json()
    assert len(paper.rows_table()) == 78
    assert "Combo 3" in paper.to_text()
    assert paper.to_html().count("<table") == 3


def test_rounding_steps_by_hand():
    printed = parse_printed("87.5")
    assert rounding_steps(printed, [87.45, 87.5499, 87.549999, 87.5501, 87.56, 87.44]).tolist() == [1, 1, 1, 2, 0, 0]
    assert parse_printed("32,5").value == 32.5
    assert not parse_printed("32,5").well_formed
    assert parse_printed("–") is None
    with pytest.raises(ValueError, match="no printed number"):
        parse_printed("many")
    assert show(0.145, digits=2) == "0.15"


def test_counts_by_hand():
    assert cases_that_fit(132, parse_printed("24.2")) == [32]
    cells = {
        name: parse_printed(text)
        for name, text in {"sens": "87.5", "spec": "76.0", "ppv": "53.8", "npv": "95.0"}.items()
    }
    (fit,) = best_tables(cells, 132, [32])
    assert (fit.counts, fit.missed) == ((28, 4, 76, 24), ())
    assert (28, 4, 76, 24) in [fit.counts for fit in tables_of_any_size(cells, 150)]


def test_intervals_against_scipy():
    limits = intervals_of_cell("sens", (28, 4, 76, 24), 0.95)
    exact = stats.binomtest(28, 32).proportion_ci(method="exact")
    wilson = stats.binomtest(28, 32).proportion_ci(method="wilson")
    assert limits["clopper-pearson"] == pytest.approx((100 * exact.low, 100 * exact.high))
    assert limits["wilson"] == pytest.approx((100 * wilson.low, 100 * wilson.high))
    assert limits["wald"] == pytest.approx((76.04, 98.96), abs=0.005)
    # Hanley and McNeil 1982 by hand: AUC 0.8, 10 of each: variance 0.0102.
    low, high = auc_intervals(0.8, 10, 10, 0.95)["hanley-mcneil"]
    variance = (0.16 + 9 * (0.8 / 1.2 - 0.64) + 9 * (1.28 / 1.8 - 0.64)) / 100
    assert low == pytest.approx(0.8 - 1.959964 * variance**0.5, abs=1e-6)
    assert high == pytest.approx(0.8 + 1.959964 * variance**0.5, abs=1e-6)


def test_own_table_passes_and_a_broken_one_fails():
    rows = []
    for stage, cases in (("f4", 20), ("ge_f3", 50)):
        accuracy = diagnostic_accuracy_from_counts(cases - 3, 3, 90 - cases - 5, 5)
        row = {
            "stage": stage,
            "method": "dlre",
            "cohort": "validation",
            "n": 90,
            "n_missing": 0,
            "prevalence": cases / 90,
            "auc": 0.93,
            "auc_low": 0.88,
            "auc_high": 0.98,
            "auc_variance": 6e-4,
            "stars": "",
        }
        for name in MEASURES.values():
            estimate = getattr(accuracy, name)
            row |= {
                name: estimate.value,
                f"{name}_low": estimate.low,
                f"{name}_high": estimate.high,
            }
        rows.append(row)
    table = pd.DataFrame(rows)
    assert audit_published_tables(published_form({2: table})).findings == ()
    table.loc[0, "negative_predictive_value"] -= 0.05
    assert not audit_published_tables(published_form({2: table})).clean


def test_odd_files_are_read_or_refused():
    with pytest.raises(TypeError, match="mapping"):
        audit_published_tables([])
    assert audit_published_tables({}).clean
    empty = {"t": [{"stage": "F4", "method": "m", "cohort": "V", "n": None, "auc": None}]}
    assert audit_published_tables(copy.deepcopy(empty)).rows[0].counts is None
