"""A patient without a stage is neither a case nor a control, wherever stages are asked for."""

import numpy as np
import pandas as pd
import pytest

from dlre_core.foundation.design import stage_class, stage_labels
from dlre_core.foundation.errors import StoreMismatch
from dlre_core.foundation.study_terms import known_stages
from dlre_core.patients.splits import make_split
from dlre_core.tables.table_1_baseline import table_1

WITHOUT = pd.DataFrame(
    {"hospital": "A", "patient": ["P1", "P2", "P3"], "cohort": "training", "fibrosis_stage": [4, None, 0]}
)
RULE = {"method": "random", "training_fraction": 0.5}


def test_stages_are_whole_numbers_however_they_are_held():
    for dtype in ("int64", "float64", "Int64", "object"):
        stages = known_stages(pd.Series([0, 4, 2], dtype=dtype))
        assert stages.dtype == np.int64
        assert stages.tolist() == [0, 4, 2]


@pytest.mark.parametrize("wrong", [None, float("nan"), 5, -1, 2.5, "F9"])
def test_another_stage_than_0_to_4_is_refused(wrong):
    with pytest.raises(StoreMismatch, match="1 patients have no METAVIR stage"):
        known_stages(pd.Series([1, wrong, 3], dtype=object))


@pytest.mark.parametrize(
    "asks",
    [
        lambda table: stage_labels(table["fibrosis_stage"], "f4"),
        lambda table: stage_class(table["fibrosis_stage"]),
        lambda table: make_split(table, RULE, seed=1),
        lambda table: table_1(table.drop(columns="cohort"), table),
    ],
    ids=["labels", "stages", "split", "table_1"],
)
def test_who_has_no_stage_stops_what_asks_for_it(asks):
    with pytest.raises(StoreMismatch, match="no METAVIR stage"):
        asks(WITHOUT)
