"""Diagnostic accuracy at a cut-off, each measure with its interval."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dlre_core.statistics.delong import complete_cases
from dlre_core.statistics.estimates import Estimate
from dlre_core.statistics.proportions import likelihood_ratios, logit_predictive_value, proportion


@dataclass(frozen=True)
class DiagnosticAccuracy:
    """Counts and accuracy of a binary decision; the unit is the patient."""

    true_positives: int
    false_negatives: int
    true_negatives: int
    false_positives: int
    sensitivity: Estimate
    specificity: Estimate
    positive_predictive_value: Estimate
    negative_predictive_value: Estimate
    positive_likelihood_ratio: Estimate
    negative_likelihood_ratio: Estimate
    n_missing: int = 0

    @property
    def n(self) -> int:
        """Patients with a score."""
        return self.true_positives + self.false_negatives + self.true_negatives + self.false_positives

    @property
    def prevalence(self) -> float:
        """Share of cases; NaN without patients."""
        return (self.true_positives + self.false_negatives) / self.n if self.n else math.nan


def diagnostic_accuracy_from_counts(
    tp: int,
    fn: int,
    tn: int,
    fp: int,
    *,
    confidence: float = 0.95,
    interval: str = "clopper-pearson",
    likelihood_ratio_interval: str = "simel",
    n_missing: int = 0,
) -> DiagnosticAccuracy:
    """Accuracy from the four counts.

    Parameters
    ----------
    tp, fn, tn, fp : int
    confidence : float
    interval : {"clopper-pearson", "wilson", "jeffreys", "mercaldo-logit"}
        ``mercaldo-logit`` is for predictive values; the shares then have Clopper-Pearson's.
    likelihood_ratio_interval : {"simel", "published"}

    Raises
    ------
    ValueError
        If a count is negative or no whole number.

    Examples
    --------
    >>> found = diagnostic_accuracy_from_counts(16, 16, 93, 7)
    >>> ratio = found.positive_likelihood_ratio
    >>> f"{ratio.value:.2f} ({ratio.low:.2f} to {ratio.high:.2f})"
    '7.14 (3.23 to 15.80)'
    """
    counts = (tp, fn, tn, fp)
    if any(count < 0 or count != int(count) for count in counts):
        raise ValueError(f"TP, FN, TN, FP = {counts}: counts are whole and not negative")
    tp, fn, tn, fp = (int(count) for count in counts)
    shares = "clopper-pearson" if interval == "mercaldo-logit" else interval
    cases, controls = tp + fn, tn + fp
    sensitivity = proportion(tp, cases, confidence=confidence, method=shares)
    specificity = proportion(tn, controls, confidence=confidence, method=shares)
    positive = proportion(tp, tp + fp, confidence=confidence, method=shares)
    negative = proportion(tn, tn + fn, confidence=confidence, method=shares)
    if interval == "mercaldo-logit" and cases and controls:
        prevalence = cases / (cases + controls)
        positive, negative = (
            logit_predictive_value((tp, cases), (tn, controls), prevalence, negative=side, confidence=confidence)
            for side in (False, True)
        )
    ratios = likelihood_ratios(tp, fn, tn, fp, confidence=confidence, method=likelihood_ratio_interval)
    return DiagnosticAccuracy(
        tp, fn, tn, fp, sensitivity, specificity, positive, negative, *ratios, n_missing=n_missing
    )


def diagnostic_accuracy(
    labels: ArrayLike,
    scores: ArrayLike,
    threshold: float,
    *,
    confidence: float = 0.95,
    interval: str = "clopper-pearson",
    likelihood_ratio_interval: str = "simel",
) -> DiagnosticAccuracy:
    """Accuracy of calling a patient positive at score >= threshold.

    Parameters
    ----------
    labels : (n,) of 0 and 1
    scores : (n,) float
        NaN is missing and left out.
    threshold : float

    Raises
    ------
    ValueError
        If the threshold is NaN.
    """
    if math.isnan(threshold):
        raise ValueError("threshold is NaN: no cut-off could be chosen")
    truth, (values,), missing = complete_cases(labels, scores)
    positive = values >= threshold
    counts = [
        int(np.sum(positive & (truth == 1))),
        int(np.sum(~positive & (truth == 1))),
        int(np.sum(~positive & (truth == 0))),
        int(np.sum(positive & (truth == 0))),
    ]
    return diagnostic_accuracy_from_counts(
        *counts,
        confidence=confidence,
        interval=interval,
        likelihood_ratio_interval=likelihood_ratio_interval,
        n_missing=missing,
    )
