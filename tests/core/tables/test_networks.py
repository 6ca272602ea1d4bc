"""Arms with other networks side by side: AUCs and tests as scikit-learn and the paired test give them."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from dlre_core.foundation.errors import StoreMismatch
from dlre_core.statistics.comparisons import compare_paired_aucs
from dlre_core.tables.networks import networks_table, printed_networks
from tests.helpers.score_table import SETTINGS, scores

KINDS = {"main": {"network": "dlre_lsm"}, "picture_alone": {}, "own": {"network": "mine:Net", "input": "bmode"}}


@pytest.fixture(scope="module")
def arms():
    main = scores(seed=1)
    others = {}
    for seed, name in enumerate(("picture_alone", "own")):
        noise = np.random.default_rng(10 + seed).normal(size=len(main))
        columns = {c: 1 / (1 + np.exp(-np.log(main[c] / (1 - main[c])) + noise)) for c in main if c.startswith("dlre_")}
        # In another order: patients are paired by name.
        others[name] = main.assign(**columns).sample(frac=1, random_state=seed)
    return {"main": main, **others}


def test_every_arm_stands_beside_the_first(arms):
    table = networks_table(arms, KINDS, SETTINGS)
    assert len(table) == 3 * 4 * 2
    rows = table.set_index(["stage", "arm", "cohort"])
    assert rows.loc[("f4", "own", "validation"), ["network", "input"]].tolist() == ["mine:Net", "bmode"]
    main = arms["main"]
    for cohort in ("training", "validation"):
        here = main["cohort"] == cohort
        labels = (main["fibrosis_stage"] >= 4)[here].astype(int)
        own = arms["own"].sort_index()["dlre_f4"][here]
        row = rows.loc["f4", "own", cohort]
        assert row["auc"] == pytest.approx(roc_auc_score(labels, own))
        first = rows.loc["f4", "main", cohort]["auc"]
        assert row["difference"] == pytest.approx(row["auc"] - first)
        test = compare_paired_aucs(labels.to_numpy(), own.to_numpy(), main["dlre_f4"][here].to_numpy())
        assert row["p_value"] == pytest.approx(test.reported.p_value)
    assert np.isnan(rows.loc[("f4", "main", "validation"), "p_value"])
    stiffness = rows.loc["f4", "lsm", "validation"]
    here = main["cohort"] == "validation"
    assert stiffness["auc"] == pytest.approx(roc_auc_score(main["fibrosis_stage"][here] >= 4, main["lsm"][here]))
    validated = table[(table["cohort"] == "validation") & table["p_value"].notna()]
    assert (validated["p_holm"] >= validated["p_value"]).all()
    assert table.loc[table["cohort"] == "training", "p_holm"].isna().all()


def test_for_print(arms):
    page = printed_networks(networks_table(arms, KINDS, SETTINGS), 0.95, simulated=True).html()
    names = ("with liver stiffness", "mine:Net", "B-mode", "stiffness in the Q-Box")
    for words in ("(simulated data)", *names):
        assert words in page


def test_other_patients_are_refused(arms):
    with pytest.raises(StoreMismatch, match="main and own do not have the same patients"):
        networks_table(arms | {"own": arms["own"].iloc[1:]}, KINDS, SETTINGS)
