"""Statistics of diagnostic studies: the patient is the unit, higher scores mean more disease."""

from dlre_core.statistics.bootstrap import bootstrap_aucs, compare_overlapping_aucs
from dlre_core.statistics.comparisons import (
    AucComparison,
    compare_paired_aucs,
    compare_unpaired_aucs,
    holm,
)
from dlre_core.statistics.cutoffs import (
    Cutoff,
    sensitivity_cutoff,
    specificity_cutoff,
    youden_cutoff,
)
from dlre_core.statistics.diagnostic import (
    DiagnosticAccuracy,
    diagnostic_accuracy,
    diagnostic_accuracy_from_counts,
)
from dlre_core.statistics.estimates import Estimate
from dlre_core.statistics.proportions import likelihood_ratios, logit_predictive_value, proportion
from dlre_core.statistics.roc import RocAnalysis, roc_analysis

__all__ = [
    "AucComparison",
    "Cutoff",
    "DiagnosticAccuracy",
    "Estimate",
    "RocAnalysis",
    "bootstrap_aucs",
    "compare_overlapping_aucs",
    "compare_paired_aucs",
    "compare_unpaired_aucs",
    "diagnostic_accuracy",
    "diagnostic_accuracy_from_counts",
    "holm",
    "likelihood_ratios",
    "logit_predictive_value",
    "proportion",
    "roc_analysis",
    "sensitivity_cutoff",
    "specificity_cutoff",
    "youden_cutoff",
]
