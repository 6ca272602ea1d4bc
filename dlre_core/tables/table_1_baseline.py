"""Table 1: baseline characters of the enrolled patients, and tests between the cohorts."""

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dlre_core.foundation.design import design_in_use
from dlre_core.foundation.study_terms import EXTERNAL, KEYS, cohorts_of, known_stages
from dlre_core.statistics.groups import (
    CHOICE,
    GroupComparison,
    compare_means,
    compare_shares,
    student_t,
)
from dlre_core.tables.formatting import UNDEFINED, category_label, format_p_value, in_words, round_half_up
from dlre_core.tables.typeset import Block, PrintedTable, simulated_caption

GROUPS = {"all": "All patients", "training": "Training cohort", "validation": "Validation cohort"}
EXTERNAL_GROUP = {EXTERNAL: "External cohort"}


@dataclass(frozen=True)
class Variable:
    """A row of Table 1: the clinical table's column, its name, unit and decimals."""

    column: str
    name: str
    unit: str
    digits: int = 1


@dataclass(frozen=True)
class Share:
    """A share: patients whose ``column`` equals ``value``, among those where ``within`` is 1."""

    column: str
    value: object
    name: str
    block: str
    within: str = ""


STRATIFIED = "the split is stratified by it"
BY_DESIGN = GroupComparison("", math.nan, math.nan, math.nan, STRATIFIED)
NUMBERS = (
    Variable("age_years", "Age", "years"),
    Variable("bmi_kg_m2", "Body mass index", "kg/m²"),
    Variable("fasting_glucose_mmol_l", "Fasting blood glucose", "mmol/L"),
    Variable("platelets_10e9_l", "Platelet count", "10⁹/L"),
    Variable("ast_iu_l", "Aspartate aminotransferase", "IU/L"),
    Variable("alt_iu_l", "Alanine aminotransferase", "IU/L"),
    Variable("ggt_iu_l", "Gamma-glutamyl transpeptidase", "IU/L"),
    Variable("total_bilirubin_umol_l", "Total bilirubin", "µmol/L"),
    Variable("direct_bilirubin_umol_l", "Direct bilirubin", "µmol/L"),
    Variable("indirect_bilirubin_umol_l", "Indirect bilirubin", "µmol/L"),
    Variable("alp_iu_l", "Alkaline phosphatase", "IU/L"),
    Variable("albumin_g_l", "Albumin", "g/L"),
    Variable("prothrombin_activity_percent", "Prothrombin activity", "%"),
    Variable("inr", "International normalised ratio", "", 2),
    Variable("cholesterol_mmol_l", "Total cholesterol", "mmol/L"),
    Variable("triglycerides_mmol_l", "Triglycerides", "mmol/L"),
    Variable("cap_db_m", "Controlled attenuation parameter", "dB/m", 0),
    Variable("vcte_stiffness_kpa", "Liver stiffness by VCTE", "kPa"),
    Variable("spleen_stiffness_kpa", "Spleen stiffness", "kPa"),
    Variable("alcohol_g_week", "Alcohol", "g/week", 0),
)
SEX = Share("sex", "M", "Male", "Sex")
SHARES = (
    SEX,
    Share("hbeag_positive", 1, "HBeAg positive", "HBV status"),
    Share("hbeag_positive", 1, "HBeAg positive, of chronic infection", "HBV status", "chronic_infection"),
    Share("fibrosis_group", "F0-1", "F0–1", "Fibrosis stages"),
    *(Share("fibrosis_group", f"F{stage}", f"F{stage}", "Fibrosis stages") for stage in (2, 3, 4)),
    *(Share("inflammation_grade", grade, f"A{grade}", "Inflammation grades") for grade in range(4)),
    Share("diabetes", 1, "Diabetes", "Metabolism"),
)
# Columns with a row per value.
CATEGORIES = {"aetiology": "Aetiology", "country": "Country"}


def groups_of(table: pd.DataFrame) -> dict[str, str]:
    """Groups of patients that Table 1 describes, with their names; an external cohort where there is one."""
    return GROUPS | (EXTERNAL_GROUP if f"{EXTERNAL}_n" in table else {})


def table_1(patients: pd.DataFrame, split: pd.DataFrame, stratified: Collection[str] = ()) -> pd.DataFrame:
    """Every variable of Table 1 in all enrolled patients and in every cohort.

    Parameters
    ----------
    patients : DataFrame
        ``results/clinical/patients.csv``.
    split : DataFrame
        ``results/splits/{split}.csv``: who is enrolled, and in which cohort.
    stratified : collection of str
        Columns by which the split was stratified: cohorts then cannot differ in them, and no test is made.

    Returns
    -------
    DataFrame
        One row a variable: for each of all, training and validation (and external) n, n_missing, mean, sd, median,
        q1, q3 (numbers) or count and share; the test chosen, its statistic and p, p of Student's t
        for numbers whatever their distribution, the standardised mean difference, and notes.
    """
    table = patients.merge(split[[*KEYS, "cohort"]], on=KEYS, how="inner")
    stage = pd.Series(known_stages(table["fibrosis_stage"]), index=table.index)
    table["fibrosis_group"] = np.where(stage <= 1, "F0-1", "F" + stage.astype(str))
    parts = {"all": table} | {name: table[table["cohort"] == name] for name in cohorts_of(table)}
    rows = [_share_row(SEX, parts)]
    own = [Variable(c.name, c.meaning, c.unit) for c in design_in_use().columns if not c.values]
    rows[1:] = [_number_row(variable, parts) for variable in (*NUMBERS, *own) if _told(table, variable.column)]
    rows += [
        _share_row(share, parts)
        for share in (*SHARES[1:], *_categories(table))
        if _told(table, share.column) and (not share.within or _told(table, share.within))
    ]
    by = {"fibrosis_group" if column == "fibrosis_stage" else column for column in stratified}
    rows = [row | _test(BY_DESIGN) if row["variable"] in by else row for row in rows]
    return pd.DataFrame(rows)


def _told(table: pd.DataFrame, column: str) -> bool:
    """Whether the study has a column; of one that its design does not need it may have no value at all."""
    needed = design_in_use().whole_contract
    return column in table and (needed or bool(table[column].replace("", np.nan).notna().any()))


def _categories(table: pd.DataFrame) -> Iterator[Share]:
    own = {column.name: column.meaning for column in design_in_use().columns if column.values}
    for column, block in (CATEGORIES | own).items():
        if column in table:
            values = sorted(set(table[column].dropna().astype(str)) - {""})
            yield from (Share(column, value, category_label(value), block) for value in values)


def _number_row(variable: Variable, parts: Mapping[str, pd.DataFrame]) -> dict[str, object]:
    values = {
        name: pd.to_numeric(part[variable.column], errors="coerce").to_numpy(dtype=np.float64)
        for name, part in parts.items()
    }
    test = compare_means(values["training"], values["validation"])
    row: dict[str, object] = {
        "variable": variable.column,
        "name": variable.name,
        "unit": variable.unit,
        "block": "",
        "kind": "number",
        "digits": variable.digits,
        "summary": "mean" if test.test == "Student t" else "median",
    }
    for name, numbers in values.items():
        known = numbers[~np.isnan(numbers)]
        quartiles = np.quantile(known, [0.25, 0.5, 0.75]) if len(known) else [math.nan] * 3
        row |= {
            f"{name}_n": len(known),
            f"{name}_missing": len(numbers) - len(known),
            f"{name}_mean": known.mean() if len(known) else math.nan,
            f"{name}_sd": known.std(ddof=1) if len(known) > 1 else math.nan,
            f"{name}_q1": quartiles[0],
            f"{name}_median": quartiles[1],
            f"{name}_q3": quartiles[2],
        }
    p_student = student_t(values["training"], values["validation"])
    return row | _test(test) | {"student_p_value": p_student}


def _share_row(share: Share, parts: Mapping[str, pd.DataFrame]) -> dict[str, object]:
    row: dict[str, object] = {
        "variable": share.column,
        "name": share.name,
        "unit": "",
        "block": share.block,
        "kind": "share",
        "digits": 1,
        "summary": "count",
    }
    counts = {}
    for name, part in parts.items():
        of = part[pd.to_numeric(part[share.within]) == 1] if share.within else part
        known = of[share.column].replace("", np.nan).notna()
        values = of.loc[known, share.column]
        yes = int((values == share.value).sum())
        counts[name] = (yes, int(known.sum()))
        row |= {
            f"{name}_n": counts[name][1],
            f"{name}_missing": int((~known).sum()),
            f"{name}_count": yes,
            f"{name}_share": yes / counts[name][1] if counts[name][1] else math.nan,
        }
    return row | _test(compare_shares(*counts["training"], *counts["validation"]))


def _test(test: GroupComparison) -> dict[str, object]:
    return {
        "test": test.test,
        "statistic": test.statistic,
        "p_value": test.p_value,
        "standardised_mean_difference": test.standardised_mean_difference,
        "notes": test.reason,
    }


def printed_table_1(table: pd.DataFrame, sizes: Mapping[str, int], simulated: bool) -> PrintedTable:
    """Table 1 for print; ``sizes`` holds the patients of all and of every cohort."""
    blocks: list[Block] = []
    for block, part in table.fillna({"block": ""}).groupby("block", sort=False):
        rows = []
        for row in part.to_dict("records"):
            unit = f" ({row['unit']})" if isinstance(row["unit"], str) and row["unit"] else ""
            rows.append(
                [
                    row["name"] + unit,
                    *(_cell(row, group) for group in groups_of(table)),
                    round_half_up(row["standardised_mean_difference"], 2),
                    format_p_value(row["p_value"]),
                    row["test"] if isinstance(row["test"], str) and row["test"] else UNDEFINED,
                ]
            )
        blocks.append(Block(str(block), rows))
    total = max(sizes["all"], 1)
    columns = ["Variable"] + [
        f"{name} (n={sizes[group]}" + (")" if group == "all" else f", {round_half_up(sizes[group] / total, 1, 100)} %)")
        for group, name in groups_of(table).items()
    ]
    missing = int(table["all_missing"].max())
    by_design = [str(name) for name in table.loc[table["notes"] == STRATIFIED, "block"].unique()]
    notes = [
        f"{CHOICE} Tests compare training and validation cohort, not adjusted. SMD, standardised mean "
        "difference, which does not depend on the number of patients.",
        *([f"{in_words(by_design)} are not tested: the split is stratified by them."] if by_design else []),
        *(["Values are missing in some patients; n of every variable is in the CSV."] if missing else []),
    ]
    caption = "Table 1. Baseline characteristics of the patients"
    return PrintedTable(simulated_caption(caption, simulated), [*columns, "SMD", "p", "Test"], blocks, notes)


def _cell(row: Mapping[str, float], group: str) -> str:
    digits = int(row["digits"])
    if row["kind"] == "share":
        share = round_half_up(row[f"{group}_share"], 1, 100)
        return f"{int(row[f'{group}_count'])} of {int(row[f'{group}_n'])} ({share} %)"
    if row["summary"] == "mean":
        mean, sd = (round_half_up(row[f"{group}_{part}"], digits) for part in ("mean", "sd"))
        return f"{mean}±{sd}"
    middle, low, high = (round_half_up(row[f"{group}_{part}"], digits) for part in ("median", "q1", "q3"))
    return f"{middle} ({low} to {high})"
