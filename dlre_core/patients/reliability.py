"""Whether a patient's stiffness measurements agree well enough, by the rule of the device's maker.

Rules are in ``data/device_reliability.csv``, with their sources. They were read in documents that quote them, not in
the originals.
"""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.study_terms import KEYS, KPA_PER_SQUARED_SPEED

RULES = Path(__file__).parent / "data" / "device_reliability.csv"
RULE_TEXT = ("maker", "statistic", "quality_index", "quality_limit", "source")
# The guideline's rule: for makers without one, and for what a maker's rule leaves open.
GENERAL = "any other"
COLUMNS = [
    *KEYS,
    "maker",
    "measurements",
    "measurements_recommended",
    "statistic",
    "stiffness_kpa",
    "median_kpa",
    "iqr_over_median",
    "iqr_over_median_m_s",
    "limit",
    "unreliable",
]


@cache
def device_rules() -> pd.DataFrame:
    """Rules by maker, the general one first.

    Returns
    -------
    DataFrame
        Index maker, as ``acquisitions.csv`` names it; measurements (fewest recommended), statistic (mean or median),
        iqr_over_median_kpa and iqr_over_median_m_s (shares; NaN where the maker published none), quality_index and
        quality_limit (shown by the scanner; the program does not read them), source.
    """
    return read_table(RULES, text=RULE_TEXT).set_index("maker")


def reliability(acquisitions: pd.DataFrame) -> pd.DataFrame:
    """How well each patient's measurements agree, and whether they are reliable by the maker's rule.

    Quartiles are those of `numpy.percentile` (linear, type 7). A patient measured on devices of several makers, or
    on one of unknown maker, has the guideline's rule; its limit also holds where a maker published none. The limit is
    applied in kPa, as stiffness is kept here; in m/s it is about half as large.

    Parameters
    ----------
    acquisitions : DataFrame
        ``results/store/acquisitions.csv``: hospital, patient, manufacturer and q_box_mean_kpa.

    Returns
    -------
    DataFrame
        `COLUMNS`, one row a patient with pictures: measurements with stiffness; stiffness_kpa by the maker's statistic;
        iqr_over_median in kPa and of the speeds in m/s (shares; NaN with fewer than two); limit in kPa;
        unreliable 1 above it, 0 at or below it, NaN where it is not known.
    """
    rows = [
        [*keys, *_patient_row(part["q_box_mean_kpa"].dropna().to_numpy(np.float64), set(part["manufacturer"]))]
        for keys, part in acquisitions.groupby(KEYS, sort=True)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def reliable_or_not(acquisitions: pd.DataFrame) -> pd.Series:
    """Column ``unreliable`` of `reliability`, by hospital and patient."""
    return reliability(acquisitions).set_index(KEYS)["unreliable"].astype(float)


def _patient_row(kpa: np.ndarray, makers: set[str]) -> list[object]:
    rules = device_rules()
    (maker, *others) = sorted(makers)
    maker = maker if not others and maker in rules.index else GENERAL
    rule, general = rules.loc[maker], rules.loc[GENERAL]
    published = rule["iqr_over_median_kpa"]
    limit = float(general["iqr_over_median_kpa"] if np.isnan(published) else published)
    spread = iqr_over_median(kpa)
    unreliable = np.nan if np.isnan(spread) else float(spread > limit)
    mean, median = (float(f(kpa)) if len(kpa) else np.nan for f in (np.mean, np.median))
    return [
        maker,
        len(kpa),
        int(rule["measurements"]),
        rule["statistic"],
        mean if rule["statistic"] == "mean" else median,
        median,
        spread,
        iqr_over_median(np.sqrt(kpa / KPA_PER_SQUARED_SPEED)),
        limit,
        unreliable,
    ]


def iqr_over_median(values: np.ndarray) -> float:
    """Interquartile range over median, a share; NaN with fewer than two values, or a median of 0.

    Parameters
    ----------
    values : (n,) float
        None missing; quartiles are linear (type 7).

    Examples
    --------
    >>> iqr_over_median(np.array([8.0, 10.0, 12.0]))
    0.2
    """
    if len(values) < 2:
        return np.nan
    low, middle, high = np.percentile(values, [25, 50, 75])
    return float((high - low) / middle) if middle > 0 else np.nan
