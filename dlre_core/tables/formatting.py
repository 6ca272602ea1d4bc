"""Round and print: once, half up, from full precision."""

import math
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from dlre_core.foundation.design import method_labels, study_methods
from dlre_core.statistics.estimates import ONE_SIDED, Estimate

COHORT_NAMES = {"training": "Training", "validation": "Validation", "external": "External"}
CATEGORY_LABELS = {"hbv": "HBV", "hcv": "HCV", "masld": "MASLD", "metald": "MetALD", "ald": "ALD"}
UNDEFINED = "–"
# Below it approximations of the tail mean nothing.
SMALLEST_P = 1e-16
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def category_label(value: str) -> str:
    """A category of the clinical table in print: ``HBV`` for hbv; others as they are."""
    return CATEGORY_LABELS.get(value, value)


def in_words(names: Sequence[str]) -> str:
    """Names in a sentence: ``A``, ``A and B``, ``A, B and C``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def methods_in_words(methods: Sequence[str] = ()) -> str:
    """Methods in a sentence; all of the design where none are named."""
    return in_words([method_labels()[method] for method in methods or study_methods()])


def comparators_in_words() -> str:
    """What the network is compared with, in a sentence."""
    return methods_in_words(study_methods()[1:])


def round_half_up(value: float, digits: int, scale: int = 1) -> str:
    """``scale`` times the number with ``digits`` decimals, halves rounded away from zero.

    A dash where undefined. The product is taken in decimals: 100 x 23 / 80 is 28.75, and not a little less.

    Examples
    --------
    >>> round_half_up(0.145, 2), round_half_up(23 / 80, 1, 100), round_half_up(float("inf"), 1)
    ('0.15', '28.8', '∞')
    """
    if math.isnan(value):
        return UNDEFINED
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    step = Decimal(1).scaleb(-digits)
    # repr gives the shortest decimal that is this float, so 0.145 counts as a half.
    rounded = (scale * Decimal(repr(float(value)))).quantize(step, rounding=ROUND_HALF_UP)
    return str(abs(rounded) if rounded == 0 else rounded)


def format_interval(estimate: Estimate, digits: int = 2, scale: int = 1) -> str:
    """``0.97 (0.94 to 0.99)``; the interval is left out where it does not exist, a one-sided bound says so.

    Examples
    --------
    >>> format_interval(Estimate(0.97, 0.9399, 0.992))
    '0.97 (0.94 to 0.99)'
    >>> format_interval(Estimate(1.0, 0.65, 1.0, "one-sided exact"))
    '1.00 (≥0.65)'
    """
    value = round_half_up(estimate.value, digits, scale)
    if math.isnan(estimate.value) or math.isnan(estimate.low) or math.isnan(estimate.high):
        return value
    low, high = (round_half_up(limit, digits, scale) for limit in (estimate.low, estimate.high))
    if estimate.method == ONE_SIDED and estimate.value in (estimate.low, estimate.high):
        return f"{value} (≥{low})" if estimate.value == estimate.high else f"{value} (≤{high})"
    return f"{value} ({low} to {high})"


def format_cutoff(value: float, method: str) -> str:
    """A cut-off, kPa for 2D-SWE and else a score, exact enough to say who is above it.

    It lies midway between two patients' scores, those of 2D-SWE in tenths of kPa.

    Examples
    --------
    >>> format_cutoff(9.149999999999999, "lsm"), format_cutoff(0.47331, "dlre")
    ('9.15', '0.4733')
    """
    return round_half_up(value, 2 if method == "lsm" else 4)


def format_p_value(p_value: float) -> str:
    """Three decimals, ``<0.001`` below, a dash where undefined."""
    if math.isnan(p_value):
        return UNDEFINED
    return "<0.001" if p_value < 0.001 else round_half_up(p_value, 3)


def stars(p_value: float) -> str:
    """The paper's footnote: * < 0.05, ** < 0.01, *** < 0.001."""
    if math.isnan(p_value):
        return ""
    return "*" * sum(p_value < limit for limit in (0.05, 0.01, 0.001))


def images_name(number: int, method: str = "dlre") -> str:
    """``1 image``, ``3 images``; of 2D-SWE, measurements."""
    noun = "image" if method == "dlre" else "measurement"
    return f"{number} {noun}{'s' * (number != 1)}"


def arm_name(arm: str) -> str:
    """An arm's name for people: ``Combination 1`` for ``combination_1``."""
    return arm.replace("_", " ").capitalize()


def format_exact_p_value(p_value: float) -> str:
    """Three significant digits, below 10⁻¹⁶ that it is smaller; a dash where undefined.

    Examples
    --------
    >>> format_exact_p_value(0.34), format_exact_p_value(4.1e-09), format_exact_p_value(0.0)
    ('0.340', '4.10×10⁻⁹', '<10⁻¹⁶')
    """
    if math.isnan(p_value):
        return UNDEFINED
    if p_value < SMALLEST_P:
        return "<10⁻¹⁶"
    digits, _, power = f"{p_value:#.3g}".partition("e")
    return f"{digits}×10{str(int(power)).translate(SUPERSCRIPTS)}" if power else digits
