"""Extended table 14: how well the pictures of one patient agree, in stiffness and in DLRE's probabilities."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlre_core.foundation.design import method_labels, question_labels
from dlre_core.foundation.study_terms import KEYS
from dlre_core.heterogeneity.limits_of_agreement import measured_agreement
from dlre_core.heterogeneity.repeated_measurements import measurements_needed, reliability_of_mean, repeatability
from dlre_core.patients.reliability import GENERAL, device_rules, iqr_over_median
from dlre_core.patients.splits import first_pictures
from dlre_core.tables.accuracy_print import estimate, undefined
from dlre_core.tables.formatting import UNDEFINED, format_interval, round_half_up
from dlre_core.tables.table_2_accuracy import spread
from dlre_core.tables.typeset import Block, PrintedTable, simulated_caption

STIFFNESS = "lsm"
# An ICC above it is called excellent: Koo TK, Li MY. J Chiropr Med 2016;15:155-163 (doi:10.1016/j.jcm.2016.02.012).
EXCELLENT = 0.9
# Text in both tables.
TEXT = ("measure",)


def measure_names() -> Mapping[str, str]:
    """What is measured on a picture, and its name for people."""
    probabilities = {name: f"DLRE's probability, {label}" for name, label in question_labels().items()}
    return {STIFFNESS: f"{method_labels()[STIFFNESS]}, kPa"} | probabilities


def validation_pictures(predictions: pd.DataFrame, acquisitions: pd.DataFrame) -> pd.DataFrame:
    """The validation patients' pictures with their stiffness, as many of each patient, in order of acquisition.

    Parameters
    ----------
    predictions : DataFrame
        ``results/predictions/{arm}.csv``.
    acquisitions : DataFrame
        ``results/store/acquisitions.csv``: image_id and q_box_mean_kpa.
    """
    part = predictions[predictions["cohort"] == "validation"]
    stiffness = acquisitions.set_index("image_id")["q_box_mean_kpa"]
    part = part.assign(**{STIFFNESS: part["image_id"].map(stiffness).astype(np.float64)})
    sizes = part.groupby(KEYS).size()
    return first_pictures(part, int(sizes.min()) if len(sizes) else 0)


def repeatability_table(
    predictions: pd.DataFrame, acquisitions: pd.DataFrame, *, confidence: float = 0.95
) -> pd.DataFrame:
    """Agreement of the pictures of every validation patient, by what is measured on them.

    Parameters
    ----------
    predictions, acquisitions : DataFrame
        As `validation_pictures` takes them.
    confidence : float

    Returns
    -------
    DataFrame
        One row per measure: patients and measurements, per_patient; icc_single (ICC(1,1)), icc_average (ICC(1,k)),
        within_sd and repeatability coefficient, each with _low and _high; pictures_needed for an ICC of 0.9 (NaN where
        no number is enough); bias (second picture minus first) with both limits of agreement (lower, upper) and their
        _low and _high; iqr and iqr_over_median, the medians over patients; spread_out, patients whose interquartile
        range over median is above the guideline's limit, of spread_known; notes.
    """
    pictures = validation_pictures(predictions, acquisitions)
    patients = pictures["hospital"].astype(str) + "/" + pictures["patient"].astype(str)
    order = pictures.groupby(KEYS).cumcount()
    limit = float(device_rules().loc[GENERAL, "iqr_over_median_kpa"])
    rows = []
    for measure in measure_names():
        values = pictures[measure].to_numpy(dtype=np.float64)
        found = repeatability(values, patients, confidence=confidence)
        first, second = (values[order == number] for number in (0, 1))
        pair = (first, second) if len(first) == len(second) else (first[:0], first[:0])
        # The second less the first, so that a rise is positive.
        apart = measured_agreement(*pair[::-1], patients[order == 0][: len(pair[0])], confidence=confidence)
        per_patient = [part[~np.isnan(part)] for part in _by_patient(values, patients)]
        ranges = [float(np.subtract(*np.percentile(part, [75, 25]))) for part in per_patient if len(part) > 1]
        shares = np.array([iqr_over_median(part) for part in per_patient])
        known = shares[~np.isnan(shares)]
        needed = measurements_needed(found.single.value, EXCELLENT)
        estimates = {
            "icc_single": found.single,
            "icc_average": found.average,
            "within_sd": found.within,
            "repeatability": found.repeatability,
            "bias": apart.bias,
            "lower": apart.lower,
            "upper": apart.upper,
        }
        reasons = {one.reason for one in estimates.values() if one.reason}
        rows.append(
            {
                "measure": measure,
                "patients": found.patients,
                "measurements": found.measurements,
                "per_patient": found.per_patient,
            }
            | {key: cell for name, one in estimates.items() for key, cell in spread(name, one).items()}
            | {
                "pictures_needed": math.nan if needed is None else needed,
                "iqr": float(np.median(ranges)) if ranges else math.nan,
                "iqr_over_median": float(np.median(known)) if len(known) else math.nan,
                "spread_out": int((known > limit).sum()),
                "spread_known": len(known),
                "notes": "; ".join(sorted(reasons)),
            }
        )
    return pd.DataFrame(rows)


def _by_patient(values: NDArray[np.float64], patients: pd.Series) -> list[NDArray[np.float64]]:
    return [part.to_numpy() for _, part in pd.Series(values).groupby(patients.to_numpy(), sort=True)]


def reliability_curve(table: pd.DataFrame, most: int) -> pd.DataFrame:
    """ICC of the mean of 1 to ``most`` pictures, with the limits of one picture's ICC carried over.

    Parameters
    ----------
    table : DataFrame
        As `repeatability_table` returns it.
    most : int

    Returns
    -------
    DataFrame
        measure, images, reliability with _low and _high; NaN where there is no ICC.
    """
    numbers = np.arange(1, most + 1)
    parts = []
    for row in table.to_dict("records"):
        found = {
            f"reliability{end}": reliability_of_mean(float(row[f"icc_single{end}"]), numbers)
            for end in ("", "_low", "_high")
        }
        parts.append(pd.DataFrame({"measure": row["measure"], "images": numbers, **found}))
    return pd.concat(parts, ignore_index=True)


def printed_repeatability(table: pd.DataFrame, confidence: float, simulated: bool) -> PrintedTable:
    """The table for print."""
    columns = (
        "Measure",
        "Patients",
        "Pictures each",
        "ICC(1,1)",
        "ICC(1,k)",
        f"Pictures for ICC {EXCELLENT:g}",
        "Within-patient SD",
        "Repeatability coefficient",
        "Second less first picture",
        "Limits of agreement",
        "IQR",
        "IQR/median",
        "Above 30 %",
    )
    names, rows = measure_names(), []
    for row in table.to_dict("records"):
        digits = 2 if row["measure"] == STIFFNESS else 3
        lower, upper = (round_half_up(row[name], digits) for name in ("lower", "upper"))
        stiff = row["measure"] == STIFFNESS
        rows.append(
            [
                names[row["measure"]],
                str(row["patients"]),
                round_half_up(row["per_patient"], 1).removesuffix(".0"),
                *(_or_words(row, name, 2) for name in ("icc_single", "icc_average")),
                _needed(row),
                *(_or_words(row, name, digits) for name in ("within_sd", "repeatability", "bias")),
                f"{lower} to {upper}" if math.isfinite(row["lower"]) else UNDEFINED,
                round_half_up(row["iqr"], digits),
                f"{round_half_up(row['iqr_over_median'], 0, 100)} %" if row["spread_known"] else UNDEFINED,
                f"{row['spread_out']} of {row['spread_known']}" if stiff else "",
            ]
        )
    notes = [
        "Validation cohort: how far the pictures of one patient differ. Networks are those of the study; probabilities "
        "of validation patients only, since training patients' are apparent. ICC(1,1): intraclass correlation of one "
        "picture, ICC(1,k): of the mean of all of a patient's pictures (one-way random effects; Shrout and Fleiss, "
        f"1979). {100 * confidence:g} % confidence intervals by the F and chi-squared distributions. An ICC is higher "
        "where patients differ more: it belongs to this cohort's stages.",
        f"Pictures for ICC {EXCELLENT:g}: the fewest whose mean reaches it, by Spearman and Brown's formula. "
        "Repeatability coefficient: two pictures of a patient differ by less in 95 % of pairs (2.77 within-patient "
        "standard deviations). Second less first picture: mean difference, with Bland and Altman's limits.",
        "IQR, IQR/median: interquartile range of a patient's pictures, and over their median; medians of the patients. "
        "Above 30 %: patients whose stiffness is unreliable by the guideline (WFUMB 2024). Of a probability near 0 the "
        "ratio is large whatever the pictures say.",
        *undefined(table["notes"]),
    ]
    caption = "Extended table 14. Repeatability of stiffness and of DLRE's probabilities between pictures of a patient"
    return PrintedTable(simulated_caption(caption, simulated), columns, [Block("", rows)], notes)


def _or_words(row: Mapping[str, object], name: str, digits: int) -> str:
    """The estimate, or why there is none."""
    found = estimate(row, name)
    return format_interval(found, digits) if found.defined else str(row["notes"]).split("; ")[0] or UNDEFINED


def _needed(row: Mapping[str, float]) -> str:
    if math.isnan(row["icc_single"]):
        return UNDEFINED
    return "no number" if math.isnan(row["pictures_needed"]) else f"{row['pictures_needed']:g}"
