"""Our run beside the published numbers, cell by cell, with differences in standard errors."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from dlre_core.foundation.design import method_labels, question_labels
from dlre_core.tables.formatting import COHORT_NAMES, UNDEFINED, arm_name, images_name, round_half_up
from dlre_core.tables.typeset import Block, PrintedTable, simulated_caption

PUBLISHED = Path(__file__).parents[1] / "audit" / "data" / "paper_tables.json"
# The words of the published tables, and ours.
STAGE_OF = {"F4": "f4", ">=F3": "ge_f3", ">=F2": "ge_f2"}
METHOD_OF = {"DLRE": "dlre", "2D-SWE": "lsm", "APRI": "apri", "FIB-4": "fib4"}
COHORT_OF = {"T": "training", "V": "validation"}
# Name in the published table, ours, factor and decimals as printed.
MEASURES = {
    "auc": ("auc", 1, 2),
    "sens": ("sensitivity", 100, 1),
    "spec": ("specificity", 100, 1),
    "ppv": ("positive_predictive_value", 100, 1),
    "npv": ("negative_predictive_value", 100, 1),
    "lr_pos": ("positive_likelihood_ratio", 1, 1),
    "lr_neg": ("negative_likelihood_ratio", 1, 1),
}
HEADS = {
    "auc": "AUC",
    "sens": "Sensitivity (%)",
    "spec": "Specificity (%)",
    "ppv": "PPV (%)",
    "npv": "NPV (%)",
    "lr_pos": "LR+",
    "lr_neg": "LR−",
}
# The published rows of Table 1, by our columns.
BASELINE = {
    "age_years": "Age",
    "bmi_kg_m2": "BMI",
    "fasting_glucose_mmol_l": "FBG",
    "platelets_10e9_l": "PLT",
    "ast_iu_l": "AST",
    "alt_iu_l": "ALT",
    "ggt_iu_l": "GGT",
    "total_bilirubin_umol_l": "TB",
    "direct_bilirubin_umol_l": "DB",
    "indirect_bilirubin_umol_l": "IB",
    "alp_iu_l": "ALP",
    "albumin_g_l": "ALB",
    "prothrombin_activity_percent": "PT",
}
NOTABLE = 1.96


def compare_with_paper(
    tables: Mapping[int, pd.DataFrame], arms: Mapping[int, str], published: str | Path = PUBLISHED
) -> pd.DataFrame:
    """Every cell of Tables 1 to 4 that both have.

    Parameters
    ----------
    tables : mapping of table number to DataFrame
        ``results/tables/table_{1,2,3,4}.csv``; those that a study lacks may be absent.
    arms : mapping of combination number to arm
        Which of our arms stands for the paper's combinations 1, 2 and 3.
    published : path

    Returns
    -------
    DataFrame
        table, stage, method, arm, cohort, measure, published and ours (shares as fractions),
        difference (ours - published), standard_error of the difference, and z. Shares: pooled
        binomial; AUC: Hanley and McNeil for the published, DeLong for ours; likelihood ratios: on the
        log scale; means: from the SDs. NaN where a standard error does not exist.
    """
    paper = json.loads(Path(published).read_text(encoding="utf-8"))
    rows = list(_baseline(paper["table1"], tables[1])) if 1 in tables else []
    for number in (2, 3, 4):
        if number in tables:
            ours = {_key(row): row for row in tables[number].to_dict("records")}
            for cell in paper[f"table{number}"]:
                key = _published_key(cell, number, arms)
                if key in ours:
                    rows += _accuracy(cell, ours[key], number)
    return pd.DataFrame(rows)


def _key(row: Mapping[str, object]) -> tuple[str, ...]:
    images = row.get("images")
    part = str(row.get("arm", "")) if images is None else str(images)
    return str(row["stage"]), str(row["method"]), part, str(row["cohort"])


def _published_key(cell: Mapping[str, str], number: int, arms: Mapping[int, str]) -> tuple[str, ...]:
    arm = ""
    if number > 2:
        digit = int(re.search(r"\d+", cell["arm"]).group())  # type: ignore[union-attr]
        arm = str(digit) if number == 3 else arms.get(digit, "")
    return STAGE_OF[cell["stage"]], METHOD_OF[cell["method"]], arm, COHORT_OF[cell["cohort"]]


def _accuracy(cell: Mapping[str, str], row: Mapping[str, float], number: int) -> Iterator[dict[str, object]]:
    n = int(cell["n"])
    cases = round(n * float(cell["prevalence_pct"]) / 100)
    theirs = _counts(float(cell["sens"]), float(cell["spec"]), cases, n - cases)
    ours = [
        int(row[name]) if not math.isnan(row[name]) else 0
        for name in ("true_positives", "false_negatives", "true_negatives", "false_positives")
    ]
    for name, (column, factor, _) in MEASURES.items():
        if cell[name] is None:
            continue
        printed, own = float(cell[name]) / factor, float(row[column])
        if name == "auc":
            error = math.sqrt(hanley_mcneil_variance(printed, cases, n - cases) + row["auc_variance"])
            z = (own - printed) / error if error else math.nan
        elif name.startswith("lr"):
            error, z = _ratio(name, theirs, ours, printed, own)
        else:
            error = _share_error(name, theirs, ours)
            z = (own - printed) / error if error else math.nan
        yield {
            "table": number,
            "stage": row["stage"],
            "method": row["method"],
            "arm": row.get("arm", ""),
            "images": row.get("images", math.nan),
            "cohort": row["cohort"],
            "measure": name,
            "published": printed,
            "ours": own,
            "difference": own - printed,
            "standard_error": error,
            "z": z,
        }


def _counts(sensitivity: float, specificity: float, cases: int, controls: int) -> list[int]:
    tp, tn = round(cases * sensitivity / 100), round(controls * specificity / 100)
    return [tp, cases - tp, tn, controls - tn]


def hanley_mcneil_variance(auc: float, cases: int, controls: int) -> float:
    """Variance of an AUC from its value and the class sizes alone.

    References
    ----------
    Hanley JA, McNeil BJ. Radiology 1982;143:29-36.

    Examples
    --------
    >>> round(hanley_mcneil_variance(0.9, 50, 100) ** 0.5, 4)
    0.0307
    """
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    top = auc * (1 - auc) + (cases - 1) * (q1 - auc**2) + (controls - 1) * (q2 - auc**2)
    return top / (cases * controls)


def _share_error(name: str, theirs: list[int], ours: list[int]) -> float:
    pairs = {"sens": (0, 1), "spec": (2, 3), "ppv": (0, 3), "npv": (2, 1)}[name]
    (a, b), (c, d) = ((counts[pairs[0]], counts[pairs[1]]) for counts in (theirs, ours))
    if not a + b or not c + d:
        return math.nan
    share = (a + c) / (a + b + c + d)
    return math.sqrt(share * (1 - share) * (1 / (a + b) + 1 / (c + d)))


def _ratio(name: str, theirs: list[int], ours: list[int], printed: float, own: float) -> tuple[float, float]:
    """Standard error and z of the difference of logarithms."""
    variance = 0.0
    for tp, fn, tn, fp in (theirs, ours):
        top, bottom = (tp, fp) if name == "lr_pos" else (fn, tn)
        if not top or not bottom:
            return math.nan, math.nan
        variance += 1 / top - 1 / (tp + fn) + 1 / bottom - 1 / (tn + fp)
    if printed <= 0 or own <= 0 or not math.isfinite(own) or not variance:
        return math.nan, math.nan
    error = math.sqrt(variance)
    return error, (math.log(own) - math.log(printed)) / error


def _baseline(paper: list[dict], table: pd.DataFrame) -> Iterator[dict[str, object]]:
    rows = {row["variable"].split(" ")[0]: row for row in paper}
    sizes = {group: int(rows["Number"][group]["count"]) for group in ("all", "training", "validation")}
    for ours in table[table["kind"] == "number"].to_dict("records"):
        theirs = rows.get(BASELINE.get(ours["variable"], ""))
        for group, n in sizes.items() if theirs else ():
            # A comma was printed for a point in one place.
            mean, sd = (float(theirs[group][part].replace(",", ".")) for part in ("mean", "sd"))
            error = math.sqrt(sd**2 / n + ours[f"{group}_sd"] ** 2 / ours[f"{group}_n"])
            yield _baseline_row(ours["name"], group, "mean", mean, ours[f"{group}_mean"], error)
    for ours in table[table["kind"] == "share"].to_dict("records"):
        counted = _published_share(ours, paper, sizes)
        for group, (yes, n) in counted.items():
            own, m = int(ours[f"{group}_count"]), int(ours[f"{group}_n"])
            share = (yes + own) / (n + m)
            error = math.sqrt(share * (1 - share) * (1 / n + 1 / m)) if m else math.nan
            yield _baseline_row(ours["name"], group, "share", yes / n, ours[f"{group}_share"], error)


def _baseline_row(
    name: str, group: str, measure: str, published: float, ours: float, error: float
) -> dict[str, object]:
    difference = ours - published
    return {
        "table": 1,
        "stage": "",
        "method": name,
        "arm": "",
        "images": math.nan,
        "cohort": group,
        "measure": measure,
        "published": published,
        "ours": ours,
        "difference": difference,
        "standard_error": error,
        "z": difference / error if error else math.nan,
    }


def _published_share(
    ours: Mapping[str, object], paper: list[dict], sizes: Mapping[str, int]
) -> dict[str, tuple[int, int]]:
    names = {
        "Male": "Gender (male)",
        "HBeAg positive": "HBeAg (+/−)",
        "HBeAg positive, of chronic infection": "HBeAg (+/−) CI",
        "F0–1": "F0-1",
    }
    name = names.get(str(ours["name"]), str(ours["name"]))
    for row in paper:
        if row["variable"] == name:
            if "pos" in row["all"]:
                return {g: (int(row[g]["pos"]), int(row[g]["pos"]) + int(row[g]["neg"])) for g in sizes}
            return {g: (int(row[g]["count"]), n) for g, n in sizes.items()}
    return {}


def printed_comparison(table: pd.DataFrame, simulated: bool) -> list[PrintedTable]:
    """The comparison for print, ``ours v published [z]``: Table 1, and Tables 2 to 4."""
    known = table["z"].dropna()
    notable = int((known.abs() > NOTABLE).sum())
    notes = [
        "Every cell: ours v published [difference in standard errors]. "
        f"* more than {NOTABLE} standard errors: {notable} of {len(known)} cells that have one. If both "
        "came from the same population 5 % would be so by chance, were the cells independent, which "
        "they are not.",
        "Published cells that contradict each other are named in the audit (results/audit).",
    ]
    printed = []
    baseline = table[table["table"] == 1]
    if len(baseline):
        caption = "Our Table 1 beside the published one (mean or %)"
        columns = ("Variable", "All patients", "Training cohort", "Validation cohort")
        block = Block("", _baseline_rows(baseline))
        printed.append(PrintedTable(simulated_caption(caption, simulated), columns, [block], notes[:1]))
    blocks = [
        Block(f"Table {number}, {question_labels()[str(stage)]}", _accuracy_rows(rows))
        for (number, stage), rows in table[table["table"] > 1].groupby(["table", "stage"], sort=False)
    ]
    caption = "Our Tables 2 to 4 beside the published ones"
    columns = ("Row", "Cohort", *HEADS.values())
    printed.append(PrintedTable(simulated_caption(caption, simulated), columns, blocks, notes, 2))
    return printed


def _accuracy_rows(part: pd.DataFrame) -> list[list[str]]:
    rows = []
    for (method, arm, images, cohort), cells in part.groupby(
        ["method", "arm", "images", "cohort"], sort=False, dropna=False
    ):
        name = method_labels()[str(method)]
        if arm:
            name = arm_name(str(arm))
        elif not math.isnan(float(str(images))):
            name += f", {images_name(int(float(str(images))), str(method))}"
        by = {row["measure"]: row for row in cells.to_dict("records")}
        texts = [
            _cell(by[key], factor, digits) if key in by else UNDEFINED for key, (_, factor, digits) in MEASURES.items()
        ]
        rows.append([name, COHORT_NAMES[str(cohort)], *texts])
    return rows


def _baseline_rows(part: pd.DataFrame) -> list[list[str]]:
    rows = []
    for name, cells in part.groupby("method", sort=False):
        texts = [_cell(row, 100 if row["measure"] == "share" else 1, 1) for row in cells.to_dict("records")]
        rows.append([str(name), *texts])
    return rows


def _cell(row: Mapping[str, float], factor: int, digits: int) -> str:
    ours, published = (round_half_up(row[name], digits, factor) for name in ("ours", "published"))
    if math.isnan(row["z"]):
        return f"{ours} v {published}"
    mark = "*" if abs(row["z"]) > NOTABLE else ""
    return f"{ours} v {published} [{round_half_up(row['z'], 1)}]{mark}"
