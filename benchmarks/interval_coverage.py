"""Do 95 % intervals of the AUC cover 95 %, and do the tests reject 5 % under the null?

Binormal scores with known AUC, prevalence 0.25 as for F4 in the paper, n of the paper's validation
cohort and of all its patients. Everything goes through the library's own functions.

    PYTHONPATH=. python benchmarks/interval_coverage.py [replicates, default 4000] [seed]
"""

import sys

import numpy as np
from scipy import stats

from dlre_core.statistics.comparisons import compare_overlapping_aucs, compare_paired_aucs, compare_unpaired_aucs
from dlre_core.statistics.roc import roc_analysis

PREVALENCE = 0.25
SIZES, AUCS = (132, 398), (0.7, 0.8, 0.9, 0.95, 0.97)
# Of cases against controls, in standard deviations over the root of 2, for an AUC of 0.8.
SHIFT = np.sqrt(2) * stats.norm.ppf(0.8)
INTERVALS = ("delong", "logit", "exact_binomial_n")


def draw(generator, n, auc, correlation=None):
    """Labels (n,) and one or two columns of binormal scores with the AUC."""
    cases = round(PREVALENCE * n)
    labels = np.repeat([1, 0], [cases, n - cases])
    shift = np.sqrt(2) * stats.norm.ppf(auc)
    if correlation is None:
        return labels, generator.normal(size=n) + shift * labels
    covariance = [[1, correlation], [correlation, 1]]
    scores = generator.multivariate_normal([0, 0], covariance, n) + shift * labels[:, None]
    return labels, scores


def coverage(replicates, seed):
    """Share of intervals that hold the true AUC, by method, n and AUC."""
    print("Coverage of 95 % intervals (%), from", replicates, "samples each")
    print(f"{'n':>5} {'AUC':>5} " + " ".join(f"{name:>17}" for name in INTERVALS))
    for n in SIZES:
        for auc in AUCS:
            generator = np.random.default_rng([seed, n, round(1000 * auc)])
            hits = dict.fromkeys(INTERVALS, 0)
            for _ in range(replicates):
                labels, scores = draw(generator, n, auc)
                for name in INTERVALS:
                    low, high = roc_analysis(labels, scores, interval=name).auc_interval
                    hits[name] += low <= auc <= high
            cells = " ".join(f"{100 * hits[name] / replicates:17.1f}" for name in INTERVALS)
            print(f"{n:5d} {auc:5.2f} {cells}", flush=True)


def rejection(replicates, seed):
    """Share of tests below 0.05 where both AUCs are equal."""
    print("\nRejections under the null at 5 % (%), from", replicates, "samples each")
    print(f"{'n':>5} {'AUC':>5} {'paired DeLong':>17} {'unpaired DeLong':>17} {'unpaired, logit':>17}")
    for n in SIZES:
        for auc in (0.7, 0.8, 0.9):
            generator = np.random.default_rng([seed, 1, n, round(1000 * auc)])
            paired = unpaired = logit = 0
            for _ in range(replicates):
                labels, scores = draw(generator, n, auc, correlation=0.5)
                paired += compare_paired_aucs(labels, *scores.T).p_value < 0.05
                # Subgroups as in supplementary table 3: about 72 and 28 % of the patients.
                first = draw(generator, round(0.72 * n), auc)
                second = draw(generator, n - round(0.72 * n), auc)
                unpaired += compare_unpaired_aucs(*first, *second).p_value < 0.05
                logit += compare_unpaired_aucs(*first, *second, scale="logit").p_value < 0.05
            print(
                f"{n:5d} {auc:5.2f} {100 * paired / replicates:17.1f} "
                f"{100 * unpaired / replicates:17.1f} {100 * logit / replicates:17.1f}",
                flush=True,
            )


def level_by_cases(replicates, seed):
    """Share of tests below 0.05 under the null by the number of cases, 44 controls; none where p is withheld."""
    print("\nRejections under the null at 5 % (%) by cases; AUC 0.8, correlation 0.5,", replicates, "samples each")
    names = ("paired", "three quarters shared", "apart")
    print(f"{'cases':>5} " + " ".join(f"{name:>22}" for name in names))
    for cases in (1, 2, 5, 22):
        generator = np.random.default_rng([seed, 2, cases])
        labels = np.repeat([1, 0], [cases, 44])
        found = {name: [] for name in names}
        for _ in range(replicates):
            common = generator.normal(size=len(labels))
            a, b = (common + generator.normal(size=len(labels)) + np.sqrt(2) * SHIFT * labels for _ in range(2))
            place = np.concatenate([generator.permutation(cases), generator.permutation(44)])
            # Each cohort lacks another quarter; with few cases both have all of them.
            out = [
                np.where((place % 4 == gone) & ((labels == 0) | (cases > 5)), np.nan, x) for gone, x in ((0, a), (1, b))
            ]
            new = generator.normal(size=len(labels)) * np.sqrt(2) + np.sqrt(2) * SHIFT * labels
            gap = np.full(len(labels), np.nan)
            tests = (
                compare_paired_aucs(labels, a, b),
                compare_overlapping_aucs(labels, *out),
                compare_overlapping_aucs(np.tile(labels, 2), np.append(a, gap), np.append(gap, new)),
            )
            for name, test in zip(names, tests, strict=True):
                found[name].append(test.reported.p_value)
        cells = []
        for name in names:
            p = np.array(found[name])
            cells.append("no p" if np.isnan(p).all() else f"{100 * np.mean(p < 0.05):.1f}")
        print(f"{cases:5d} " + " ".join(f"{cell:>22}" for cell in cells), flush=True)


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    start = int(sys.argv[2]) if len(sys.argv) > 2 else 2019
    coverage(count, start)
    rejection(count, start)
    level_by_cases(count, start)
