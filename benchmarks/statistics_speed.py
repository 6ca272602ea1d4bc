"""Speed of the DeLong test against pROC (R) and MLstatkit, and of the patient bootstrap.

Needs Debian's r-base-core and r-cran-proc; MLstatkit is optional (pip install --no-deps mlstatkit; it must not move
numpy). Every peer gets the same numbers; R is timed inside R, without its start.

    PYTHONPATH=. python benchmarks/statistics_speed.py [sizes ...]
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from dlre_core.extended_tables.differences import bootstrap_differences
from dlre_core.statistics.comparisons import compare_paired_aucs

R_SCRIPT = """
suppressMessages(library(pROC))
args <- commandArgs(trailingOnly = TRUE)
d <- read.csv(args[1])
repeats <- as.integer(args[2])
once <- function() {
  a <- roc(d$label, d$a, quiet = TRUE, direction = "<")
  b <- roc(d$label, d$b, quiet = TRUE, direction = "<")
  roc.test(a, b, method = "delong", paired = TRUE)
}
test <- once()
# R's clock has steps of a millisecond: the mean of many runs.
started <- proc.time()[["elapsed"]]
for (i in 1:repeats) test <- once()
options(digits = 15)
cat((proc.time()[["elapsed"]] - started) / repeats, test$p.value, test$statistic, "\\n")
"""


def data(n, seed=1):
    """Labels and two correlated scores, a quarter cases."""
    generator = np.random.default_rng(seed)
    labels = (generator.random(n) < 0.25).astype(int)
    common = generator.normal(size=n)
    a = common + generator.normal(size=n) + 1.2 * labels
    b = common + generator.normal(size=n) + 1.15 * labels
    return labels, a, b


def mean_of(function, repeats):
    """Mean seconds of several runs after one that does not count, and the last result."""
    result = function()
    started = time.perf_counter()
    for _ in range(repeats):
        result = function()
    return (time.perf_counter() - started) / repeats, result


def proc(labels, a, b, repeats):
    """Seconds and z of pROC's roc + roc.test."""
    with tempfile.TemporaryDirectory() as folder:
        table, script = Path(folder) / "d.csv", Path(folder) / "t.R"
        pd.DataFrame({"label": labels, "a": a, "b": b}).to_csv(table, index=False)
        script.write_text(R_SCRIPT)
        output = subprocess.run(
            ["Rscript", str(script), str(table), str(repeats)],
            check=True,
            capture_output=True,
            text=True,
            timeout=1800,
        ).stdout.split()
    return float(output[0]), float(output[2])


def mlstatkit(labels, a, b, repeats):
    """Seconds and z of MLstatkit's Delong_test, or None where it is not installed."""
    try:
        from MLstatkit import Delong_test
    except ImportError:
        return None
    seconds, result = mean_of(lambda: Delong_test(labels, a, b), repeats)
    return seconds, float(result[0])


def bootstrap(replicates=10_000):
    """Seconds of a bootstrap of all Table 2 differences, 266 + 132 patients; and the peer's way."""
    generator = np.random.default_rng(3)
    n = 398
    stage = generator.choice([1, 2, 3, 4], n, p=[0.16, 0.27, 0.32, 0.25])
    scores = pd.DataFrame({"cohort": np.where(np.arange(n) < 266, "training", "validation"), "fibrosis_stage": stage})
    for name in ("dlre_f4", "dlre_ge_f3", "dlre_ge_f2", "lsm", "apri", "fib4"):
        scores[name] = stage + generator.normal(scale=1.5, size=n)
    bootstrap_differences(scores, replicates=10, seed=1)
    return mean_of(lambda: bootstrap_differences(scores, replicates=replicates, seed=1), 3)[0]


def main(sizes):
    """Print one line a size, then the bootstrap."""
    print(f"{os.cpu_count()} cores; seconds, mean of several runs; DeLong test of two scores")
    print(f"{'n':>9} {'ours':>10} {'pROC':>10} {'ratio':>7} {'MLstatkit':>10} {'ratio':>7}  z ours / pROC")
    for n in sizes:
        labels, a, b = data(n)
        repeats = 500 if n < 10**4 else 50 if n < 10**5 else 10 if n < 10**6 else 2
        compare_paired_aucs(labels, a, b)
        ours, test = mean_of(lambda: compare_paired_aucs(labels, a, b), repeats)  # noqa: B023
        theirs = proc(labels, a, b, repeats) if shutil.which("Rscript") else None
        other = mlstatkit(labels, a, b, repeats)
        cells = [f"{x[0]:10.4f} {x[0] / ours:6.1f}x" if x else f"{'-':>10} {'-':>7}" for x in (theirs, other)]
        z = f"{test.statistic:.10f} / {theirs[1]:.10f}" if theirs else f"{test.statistic:.10f}"
        print(f"{n:9d} {ours:10.4f} {cells[0]} {cells[1]}  {z}", flush=True)
    print(f"\nBootstrap of all Table 2 differences, 10,000 replicates: {bootstrap():.2f} s")


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or [398, 10**4, 10**5, 10**6])
