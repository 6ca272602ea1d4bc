"""Extended table 18: its numbers are the functions', and its cells say what cannot be."""

import numpy as np
import pytest

from dlre_core.bias.misclassification import highest_auc
from dlre_core.bias.spectrum import dana, standardised_auc
from dlre_core.generalisability.biases_table import ACCURACIES, PERFECT, biases_table, printed_biases
from dlre_core.tables.table_2_accuracy import AccuracySettings, table_2
from tests.helpers.score_table import scores


def test_rows_are_those_of_table_2_standardised_and_corrected():
    data, settings = scores(), AccuracySettings(bootstrap_replicates=50)
    table = biases_table(data).set_index(["question", "method"])
    assert len(table) == 3 * (4 + 1)
    known = table_2(data, settings).set_index(["stage", "method", "cohort"])
    part = data[data["cohort"] == "validation"]
    for question, lowest in (("f4", 4), ("ge_f3", 3), ("ge_f2", 2)):
        row, theirs = table.loc[(question, "lsm")], known.loc[(question, "lsm", "validation")]
        assert [row["auc"], row["auc_low"]] == pytest.approx([theirs["auc"], theirs["auc_low"]])
        assert row["dana"] == pytest.approx(dana(part["fibrosis_stage"], lowest))
        assert row["standardised"] == standardised_auc(part["fibrosis_stage"], part["lsm"], lowest).value
        share = row["prevalence"]
        for name in ACCURACIES:
            ceiling = highest_auc(share, name / 100, name / 100)
            assert table.loc[(question, PERFECT)][f"biopsy_{name}"] == pytest.approx(ceiling)
            if row["auc"] <= ceiling:
                assert row[f"biopsy_{name}"] == pytest.approx(0.5 + (row["auc"] - 0.5) / (2 * ceiling - 1))
            else:
                assert np.isnan(row[f"biopsy_{name}"])
    assert table["dana_adjusted"].notna().groupby("question").sum().to_dict() == {"f4": 0, "ge_f2": 4, "ge_f3": 0}


def test_in_print_the_last_row_of_a_question_is_what_no_test_can_exceed():
    table = biases_table(scores())
    printed = printed_biases(table, 0.95, simulated=True)
    assert printed.caption.endswith("(simulated data)")
    assert [len(block.rows) for block in printed.blocks] == [5, 5, 5]
    first = table.iloc[0]
    assert printed.blocks[0].heading == f"Cirrhosis (F4): DANA {first['dana']:.2f}, 25 % with the stage"
    assert printed.blocks[0].rows[-1][0] == "A test that is always right"
    absent = table[table["biopsy_80"].isna()]
    assert len(absent)
    assert any("biopsy 80 %: above 1" in note for note in printed.footnotes)


def test_a_cohort_without_cases_has_dashes():
    data = scores()
    data["fibrosis_stage"] = data["fibrosis_stage"].clip(upper=3)
    table = biases_table(data).set_index(["question", "method"])
    assert table.loc[("f4", "dlre"), ["auc", "dana", "standardised", "biopsy_95"]].isna().all()
    printed_biases(table.reset_index(), 0.95, simulated=False).html()
