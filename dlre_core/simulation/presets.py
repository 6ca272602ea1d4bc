"""Sizes and quotas of the simulated cohort: the paper's numbers, scaled to any size."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

PAPER_ENROLLED = 398
PAPER_EXCLUDED = 256
SIZES = {"demo": 90, "paper": PAPER_ENROLLED}
INTERNATIONAL = "international"
INTERNATIONAL_SIZES = {"demo": 170, "full": 1937}
SMALLEST_INTERNATIONAL = 17
# Of the international cohort's eligible patients, for each enrolled one.
EXCLUDED_SHARE = {"unqualified_histology": 0.05, "failed_elastography": 0.04}

# Chosen so that the training combinations of the paper's figure 5 ({B,D,E,G,H,J}, {A,C,K},
# {A,G,K}) have 194 patients each; the paper prints no hospital sizes.
HOSPITAL_SIZES = {
    "A": 86,
    "B": 38,
    "C": 44,
    "D": 34,
    "E": 30,
    "F": 3,
    "G": 44,
    "H": 26,
    "I": 3,
    "J": 22,
    "K": 64,
    "L": 4,
}

# The total of 256 and the reasons are the paper's; the division among them is ours.
EXCLUSIONS = {
    "other_liver_disease": 38,
    "viral_coinfection": 14,
    "liver_transplantation": 3,
    "antiviral_treatment_6_months": 86,
    "unqualified_histology": 41,
    "missing_serology": 42,
    "failed_elastography": 32,
}

# Table 1: rows F0-1, F2, F3, F4; columns A0 to A3. Margins are the paper's.
STAGE_BY_GRADE = np.array([[1, 44, 17, 3], [0, 54, 41, 14], [0, 27, 56, 43], [0, 12, 34, 52]], dtype=np.int64)


def optional_tables(screens: Mapping[str, Mapping[str, object]]) -> tuple[str, ...]:
    """Tables of a simulated cohort besides the clinical one; ``screens`` as in the configuration's section cohort.

    Examples
    --------
    >>> optional_tables({}), optional_tables({"B": {"layout": "velocity", "squares": True}})
    (('measurements',), ('measurements', 'roi'))
    """
    return ("measurements", "roi") if any(screen.get("squares") for screen in screens.values()) else ("measurements",)


def number_enrolled(size: str | int) -> int:
    """Number of enrolled patients of a named size or a number.

    Raises
    ------
    ValueError
        If it is neither demo, paper nor a number of 12 or more.
    """
    if isinstance(size, str) and size in SIZES:
        return SIZES[size]
    number = int(size)
    if number < 12:
        raise ValueError(f"size {size!r}: demo, paper or a number of 12 or more is needed")
    return number


def number_excluded(n_enrolled: int) -> int:
    """Number of excluded patients, in the paper's proportion."""
    return round(PAPER_EXCLUDED * n_enrolled / PAPER_ENROLLED)


def largest_remainder(weights: NDArray[np.int64], total: int) -> NDArray[np.int64]:
    """Whole numbers in proportion to ``weights`` that sum to ``total``.

    Examples
    --------
    >>> largest_remainder(np.array([1, 1, 2]), 6).tolist()
    [2, 1, 3]
    """
    exact = weights * total / weights.sum()
    quotas = np.floor(exact + 1e-9).astype(np.int64)
    order = np.argsort(-(exact - quotas), kind="stable")
    quotas[order[: total - int(quotas.sum())]] += 1
    return quotas


def number_of_patients(size: str | int) -> int:
    """Enrolled patients of a named size of the international cohort, or a number.

    Raises
    ------
    ValueError
        If it is neither demo, full nor a number of 17 or more.

    Examples
    --------
    >>> number_of_patients("full"), number_of_patients(100)
    (1937, 100)
    """
    if isinstance(size, str) and size in INTERNATIONAL_SIZES:
        return INTERNATIONAL_SIZES[size]
    if not str(size).isdigit() or int(size) < SMALLEST_INTERNATIONAL:
        raise ValueError(f"size {size!r}: demo, full or a number of {SMALLEST_INTERNATIONAL} or more is needed")
    return int(size)


def embedded_patients(name: str, size: str | int) -> int:
    """Eligible patients of an embedded cohort, enrolled or not.

    Examples
    --------
    >>> embedded_patients("gut_2019", "paper"), embedded_patients("international", "paper")
    (654, 2111)
    """
    if name == INTERNATIONAL:
        return round(number_of_patients(international_size(size)) * (1 + sum(EXCLUDED_SHARE.values())))
    enrolled = number_enrolled(size)
    return enrolled + number_excluded(enrolled)


def international_size(size: str | int) -> str | int:
    """The international cohort's name for a size: its publication's is called full there."""
    full = next(name for name in INTERNATIONAL_SIZES if name != "demo")
    return full if size == "paper" else size
