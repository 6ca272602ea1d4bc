"""Are Youden's indices of out-of-fold cut-offs the same in training and validation, where apparent ones are not?

A model with many inputs is fitted to training patients, as networks are that know them by heart: logistic regression
on one marker that tells something and noise. Its cut-off is chosen on what it says of these
patients (apparent), or on what models of the other folds say of them (out of fold), and applied to as many new ones.

    PYTHONPATH=. python benchmarks/cutoff_optimism.py [replicates, default 200] [seed]
"""

import sys
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from dlre_core.statistics.cutoffs import youden_cutoff
from dlre_core.statistics.diagnostic import diagnostic_accuracy

# Training patients (demo, paper), validation patients, noise inputs; of the latter a quarter of the patients each.
SIZES = ((60, 30, 15), (266, 132, 66))
PREVALENCES = {"F4": 0.25, ">=F3": 0.55, ">=F2": 0.83}
FOLDS = 3
SHIFT = 1.5
# Inverse, as scikit-learn has it: small enough that folds and whole have scores of one scale.
PENALTY = 0.05


def draw(generator, n, prevalence, noise):
    """Labels (n,) and inputs (n, 1 + noise): the first is binormal with an AUC of 0.86."""
    labels = np.zeros(n, dtype=int)
    labels[: max(round(prevalence * n), FOLDS)] = 1
    inputs = generator.normal(size=(n, 1 + noise))
    inputs[:, 0] += SHIFT * labels
    return labels, inputs


def fitted(labels, inputs):
    """The model of these patients."""
    return LogisticRegression(C=PENALTY, max_iter=200).fit(inputs, labels)


def replicate(generator, size, prevalence):
    """Youden's index where the cut-off was chosen and in new patients: apparent, then out of fold."""
    n, new, noise = size
    labels, inputs = draw(generator, n, prevalence, noise)
    others, unseen = draw(generator, new, prevalence, noise)
    model = fitted(labels, inputs)
    apparent = model.decision_function(inputs)
    out_of_fold = np.empty(n)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=int(generator.integers(2**31)))
    for kept, left in folds.split(inputs, labels):
        out_of_fold[left] = fitted(labels[kept], inputs[kept]).decision_function(inputs[left])
    found = []
    for scores in (apparent, out_of_fold):
        chosen = youden_cutoff(labels, scores)
        accuracy = diagnostic_accuracy(others, model.decision_function(unseen), chosen.threshold)
        found += [chosen.youden, accuracy.sensitivity.value + accuracy.specificity.value - 1]
    return found


def main(replicates, seed):
    """Means over replicates, a line a size and question."""
    print(f"Youden's index: where chosen, and in new patients; means of {replicates} samples")
    print("training  question  apparent    new    gap  out of fold    new    gap")
    for size in SIZES:
        for stage, prevalence in PREVALENCES.items():
            generator = np.random.default_rng([seed, size[0], round(100 * prevalence)])
            a, b, c, d = np.mean([replicate(generator, size, prevalence) for _ in range(replicates)], axis=0)
            print(f"{size[0]:8d} {stage:>9} {a:9.2f} {b:6.2f} {a - b:6.2f} {c:12.2f} {d:6.2f} {c - d:6.2f}", flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore", ConvergenceWarning)
    main(int((sys.argv[1:] or [200])[0]), int((sys.argv[2:] or [2019])[0]))
