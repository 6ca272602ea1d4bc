"""Scores of a made-up study, and how its tables are printed."""

import numpy as np
import pandas as pd

from dlre_core.tables.table_2_accuracy import AccuracySettings

SETTINGS = AccuracySettings(bootstrap_replicates=50)
PRINT = {
    "confidence": 0.95,
    "cutoff": "youden",
    "auc_interval": "delong",
    "proportion_interval": "clopper-pearson",
    "likelihood_ratio_interval": "simel",
}


def scores(n=120, seed=1, hospitals="AB"):
    generator = np.random.default_rng(seed)
    stage = np.tile([1, 2, 3, 4], n // 4)
    table = pd.DataFrame(
        {
            "hospital": np.resize(list(hospitals), n),
            "patient": [f"P{i:03d}" for i in range(n)],
            "fibrosis_stage": stage,
            "cohort": np.where(np.arange(n) < 2 * n // 3, "training", "validation"),
            "inflammation_grade": np.resize([1, 1, 2, 3, 3, 2, 1], n),
            "alt_iu_l": np.resize([20.0, 40.0, 41.0, 80.0, 81.0, 300.0], n),
            "bmi_kg_m2": np.resize([20.0, 25.0, 30.0], n),
            "images": 5,
        }
    )
    for name, least in (("dlre_f4", 4), ("dlre_ge_f3", 3), ("dlre_ge_f2", 2)):
        logit = 1.2 * (stage - least + 0.5) + generator.normal(size=n)
        table[name] = 1 / (1 + np.exp(-logit))
    for name, noise in (("lsm", 1.2), ("apri", 3), ("fib4", 3)):
        table[name] = np.exp(0.4 * stage + 0.4 * noise * generator.normal(size=n))
    return table
